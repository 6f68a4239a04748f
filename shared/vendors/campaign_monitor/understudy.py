"""What Campaign Monitor would say to whatever writes. Facts: Campaign Monitor contract, sections 2 to 6.

How somebody stands on the list decides. An address or a mobile number that Campaign Monitor does not take, by rules
that it does not publish, is known once it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shared.mailbox import normalised
from shared.transport import Answer
from shared.vendors.answers import Request
from shared.vendors.campaign_monitor import looking, requests, responses
from shared.vendors.campaign_monitor.definition import PEOPLE
from shared.vendors.campaign_monitor.left_alone import pages
from shared.vendors.campaign_monitor.responses import Details
from shared.vendors.hashes import Hashes
from shared.vendors.rehearsing import FEW, REHEARSED, Called, Understudy, json_answer

_PATH = r"/api/v3\.3"
_LISTS = re.compile(rf"{_PATH}/lists/[^/]+\.json")
_FIELDS = re.compile(rf"{_PATH}/lists/[^/]+/customfields\.json")
_IMPORT = re.compile(rf"{_PATH}/subscribers/([^/]+)/import\.json")
_PERSON = re.compile(rf"{_PATH}/subscribers/([^/]+)\.json")
_OF_MADE = re.compile(rf"{_PATH}/(?:lists|subscribers)/{REHEARSED}(?:/(\w+))?\.json")
_STATES = {"deleted": 205, "unsubscribed": 206, "bounced": 207, "unconfirmed": 208}
"""State of somebody on the list -> code of the import that does not take them."""
_SUPPRESSED, _NOBODY = 204, 203
_UNCONFIRMED = "unconfirmed"
_EMPTY_PAGE = {
    "Results": [],
    "ResultsOrderedBy": "date",
    "OrderDirection": "desc",
    "TotalNumberOfRecords": 0,
    "NumberOfPages": 1,
}


class CampaignMonitorUnderstudy(Understudy):
    """One client's. Reads how people stand: a few one by one, more of them state by state."""

    roots = ("/api/v3.3/",)

    def __init__(self) -> None:
        super().__init__()
        self._details: Details | None = None
        self._suppressed: Hashes | None = None
        self._states: dict[str, Hashes] | None = None

    def answer(self, called: Called) -> Answer | None:
        if called.method == "GET":
            return self._shown(called)
        if found := _IMPORT.fullmatch(called.path):
            return self._imported(called, found[1])
        if called.method == "DELETE" and (found := _PERSON.fullmatch(called.path)):
            return self._removed(called, found[1])
        if _FIELDS.fullmatch(called.path):
            return json_answer(f"[{''.join(called.json()['FieldName'].split())}]", 201)
        return json_answer(REHEARSED, 201) if _LISTS.fullmatch(called.path) else None

    def _shown(self, called: Called) -> Answer | None:
        """What is shown of a list that the rehearsal pretends to have made."""
        made = _OF_MADE.fullmatch(called.path)
        if made is None:
            return None
        if made[1] == "customfields":
            return json_answer([])
        if made[1]:
            return json_answer(_EMPTY_PAGE)
        if "/subscribers/" in called.path:
            return _refused(_NOBODY)
        return json_answer({"Title": "", "ConfirmedOptIn": False, "UnsubscribeSetting": "AllClientLists"})

    def _imported(self, called: Called, list_id: str) -> Answer:
        body = called.json()
        people = [normalised(each["EmailAddress"]) for each in body["Subscribers"]]
        with self.lock:
            codes = self._refusals(called, list_id, people, resubscribe=body["Resubscribe"])
        told = {
            "FailureDetails": [
                {"EmailAddress": address, "Code": code, "Message": "Not taken"} for address, code in codes.items()
            ],
            "TotalUniqueEmailsSubmitted": len(people),
            "TotalExistingSubscribers": 0,
            "TotalNewSubscribers": len(people) - len(codes),
            "DuplicateEmailsInSubmission": [],
        }
        return _refused(210, ResultData=told) if codes else json_answer(told, 201)

    def _refusals(self, called: Called, list_id: str, people: Sequence[str], *, resubscribe: bool) -> dict[str, int]:
        """Code of each person whom the import would not take."""
        states = self._standing(called, list_id, people) if list_id != REHEARSED else {}
        if resubscribe:
            return {each: _STATES[state] for each, state in states.items() if state == _UNCONFIRMED}
        barred = self._barred(called, list_id)
        found = {each: _SUPPRESSED for each in people if each in barred and states.get(each) != "active"}
        return {each: _STATES[state] for each, state in states.items() if state in _STATES} | found

    def _standing(self, called: Called, list_id: str, people: Sequence[str]) -> Mapping[str, str]:
        """State of those whom the list has."""
        if len(people) <= FEW and self._states is None:
            shown = {each: looking.person(called.ask(requests.person(list_id, each))) for each in people}
            return {each: found.state for each, found in shown.items() if found is not None}
        if self._states is None:
            self._states = {state: self._roll(partial(_state, called, list_id, state)) for state in _STATES}
        found = {each: state for each in people for state, roll in self._states.items() if each in roll}
        return found | {each: "active" for each in people if each not in found and self._is_on(each)}

    def _is_on(self, address: str) -> bool:
        return self.on_target is not None and self.on_target(address)

    def _barred(self, called: Called, list_id: str) -> Hashes:
        """The client's suppression list, where the list heeds it."""
        if self._details is None and list_id != REHEARSED:
            self._details = responses.details(called.ask(requests.details(list_id)))
        if self._details is not None and self._details.ignores_suppression:
            return Hashes()
        if self._suppressed is None:
            client = str(self.settings.get("client_id", "")).strip().lower()
            self._suppressed = self._roll(lambda page: responses.page(called.ask(requests.suppressed(client, page))))
        return self._suppressed

    @staticmethod
    def _roll(ask: Any) -> Hashes:
        found = Hashes()
        for page in pages(ask):
            for address, _ in page.people:
                found.add(address)
        return found

    def _removed(self, called: Called, list_id: str) -> Answer:
        address = normalised(called.query["email"])
        if self.on_target is not None:
            return Answer(200) if self.on_target(address) else _refused(_NOBODY)
        shown = looking.person(called.ask(requests.person(list_id, address)))
        return _refused(_NOBODY) if shown is None or shown.state == "deleted" else Answer(200)


def _state(called: Called, list_id: str, state: str, page: int) -> responses.Page:
    """A page of people in one state: `newest` asks for any of them."""
    asked = requests.newest(list_id, state, page)
    return responses.page(called.ask(Request(asked.method, asked.path, PEOPLE, query=asked.query)))


def _refused(code: int, **more: Any) -> Answer:
    return json_answer({"Code": code, "Message": "Not taken", **more}, 400)


UNDERSTUDY = CampaignMonitorUnderstudy
