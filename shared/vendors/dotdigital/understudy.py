"""What Dotdigital would say to whatever writes. Facts: Dotdigital contract, sections 2 to 7.

Whom Dotdigital keeps from being mailed for all of its customers, or refuses by its data watchdog, is known once an
import has ended.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from shared.transport import Answer
from shared.vendors.answers import Request
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.definition import CONTACT
from shared.vendors.hashes import Hashes
from shared.vendors.rehearsing import FEW, REHEARSED, Called, Understudy, json_answer

_LIST = 999_999_999_999
"""Id of a list that a rehearsal pretends to make; Dotdigital gives it to none."""
_LISTS = "/v2/address-books"
_IMPORT, _REMOVAL = "/contacts/v3/import", "/v2/contacts/deletion"
_REMOVE = re.compile(rf"{_LISTS}/(\d+)/contacts/delete")
_UNKNOWN = {"failureCode": "invalidContactId", "description": ""}

Contact = dict[str, Any]


class DotdigitalUnderstudy(Understudy):
    """One account's. Every import and removal has ended when it is asked about."""

    roots = ("/v2/", "/contacts/")

    def __init__(self) -> None:
        super().__init__()
        self._lost: dict[str, list[Contact]] = {}
        """Import -> contacts that are changed by an id which is nobody's any more."""
        self._sent: dict[str, list[Contact]] = {}
        self._there = Hashes()
        self._gone = Hashes()
        """Ids of contacts that there are, and of some that there are not."""
        self._read = False

    def answer(self, called: Called) -> Answer | None:
        match called.method, called.path:
            case "POST", path if path == _LISTS:
                return json_answer({"id": _LIST, "name": called.json()["name"]})
            case "POST", "/v2/data-fields":
                return json_answer(called.json())
            case "PUT", path if path == _IMPORT:
                return self._import(called)
            case "POST", path if _REMOVE.fullmatch(path):
                return json_answer({"id": self.pretended(), "status": "Started"}, 202)
            case "GET", path if path.startswith(f"{_IMPORT}/{REHEARSED}"):
                return self._progress(path.removeprefix(f"{_IMPORT}/"))
            case "GET", path if path.startswith(f"{_REMOVAL}/{REHEARSED}"):
                return json_answer({"id": path.removeprefix(f"{_REMOVAL}/"), "status": "Completed"})
            case "GET", path if path.startswith(f"{_LISTS}/{_LIST}/contacts/"):
                return json_answer([])
            case "GET", "/contacts/v3" if called.query.get("~listId") == str(_LIST):
                return json_answer({"_items": [], "_links": {}})
        return None

    def _import(self, called: Called) -> Answer:
        contacts: list[Contact] = called.json()["contacts"]
        name = self.pretended()
        by_id = [each for each in contacts if each["matchIdentifier"] == "contactId"]
        with self.lock:
            gone = self._unknown(called, by_id) if by_id else []
        self._sent[name], self._lost[name] = contacts, gone
        return json_answer({"importId": name}, 202)

    def _progress(self, name: str) -> Answer:
        lost = [each["identifiers"]["contactId"] for each in self._lost[name]]
        written = [each for each in self._sent[name] if each["identifiers"].get("contactId") not in lost]
        updated = [{"contactId": _id_of(each), "identifiers": each["identifiers"]} for each in written]
        failures = [{"identifiers": {"contactId": each}, "failures": [_UNKNOWN]} for each in lost]
        return json_answer({"importId": name, "status": "Finished", "updated": updated, "failures": failures})

    def _unknown(self, called: Called, by_id: Sequence[Contact]) -> list[Contact]:
        """Those whose id is nobody's. Of many the list's own people are read first, and only others are asked for."""
        if len(by_id) > FEW and not self._read and self.on_target is not None:
            self._read_target(called)
        return [each for each in by_id if not self._is_there(called, each["identifiers"]["contactId"])]

    def _read_target(self, called: Called) -> None:
        self._read, marker = True, ""
        while True:
            answer = called.ask(requests.members(self.target, marker or None))
            for each in answer.object()["_items"]:
                self._there.add(str(each["contactId"]))
            following = responses.members(answer).marker
            if following is None or following == marker:
                return
            marker = following

    def _is_there(self, called: Called, contact_id: int) -> bool:
        name = str(contact_id)
        if name not in self._there and name not in self._gone:
            answer = called.ask(Request("GET", f"/contacts/v3/contactId/{contact_id}", CONTACT))
            found = responses.contact_id(answer) is not None
            (self._there if found else self._gone).add(name)
        return name in self._there


def _id_of(contact: Contact) -> int:
    found: int = contact["identifiers"].get("contactId", 1)
    return found


UNDERSTUDY = DotdigitalUnderstudy
