"""Answers, on a real account, what the Campaign Monitor contract leaves open. Its sections: see `definition`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from shared.errors import OutcomeUnknown
from shared.vendors.answers import Answer, Request
from shared.vendors.campaign_monitor import requests, responses
from shared.vendors.campaign_monitor.client import Api
from shared.vendors.campaign_monitor.definition import IMPORT, LIST, MOST_BYTES, PEOPLE, UNCHANGED
from shared.vendors.campaign_monitor.errors import FIELD_EXISTS, SOME_FAILED, number
from shared.vendors.canaries import is_canary, is_ours
from shared.vendors.contract import ConnectionSettings, ProbeFinding
from shared.vendors.http import Credentials, Link
from shared.vendors.lists import Listed
from shared.vendors.probing import (
    AT_ONCE,
    FIRST,
    LAST,
    LATER,
    NO,
    WITHIN_A_MINUTE,
    YES,
    Probe,
    ProbeStep,
    answered,
    could_not_drop,
    refusal_words,
    told,
    verbatim,
)
from shared.wording import Message, say

_BASE = "/api/v3.3"
_PERSON = "subscribers/details"
_FIELD = "Probe-Field 1"
_KEYS = {
    "ProbeField1": say("letters and digits are kept"),
    "Probe-Field1": say("spaces are left out"),
    "probefield1": say("letters and digits are kept, in lower case"),
}
_LONGEST_NAME = 100
_LONG_VALUE = "x" * 251
_LENGTHS = {0: say("it is left out"), 250: say("it is cut to 250 characters"), 251: say("it is kept whole")}

Subscriber = Mapping[str, Any]


class _AnyCall(Api):
    """The connection's own calls, and any other."""

    def call(self, request: Request) -> Answer:
        return self._client.call(request)


class CampaignMonitorProbe(Probe):
    """Six canaries on a list of their own; none is written often, which Campaign Monitor would refuse (section 7)."""

    def _connect(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._api = _AnyCall(str(settings.get("client_id", "")).strip().lower(), credentials, link)

    def steps(self) -> Sequence[ProbeStep]:
        return (
            ProbeStep(self._access, ("clients", "unknown_list")),
            ProbeStep(self._fields, ("field_key", "field_name_length")),
            ProbeStep(self._count, ("unchanged_new", "list_count")),
            ProbeStep(self._name, ("name_omitted",)),
            ProbeStep(self._values, ("long_value", "bracketed_key")),
            ProbeStep(self._duplicates, ("duplicate_rows",)),
            ProbeStep(self._refused_imports, ("all_failed", "most_bytes", "malformed", "consent_errors")),
            ProbeStep(self._reading, ("date_required", "past_last_page", "absent_read")),
            ProbeStep(self._removal, ("absent_removed", "deleted_told")),
        )

    def sweep(self) -> str:
        left = [each.id for each in self._api.lists() if is_ours(each.name) and not self._dropped(each)]
        return could_not_drop(left)

    def _dropped(self, found: Listed) -> bool:
        """A list's people are taken off it first: they are canaries, or it is left alone."""
        people = [address for state in ("active", "unconfirmed") for address in self._people(found.id, state)]
        if not all(map(is_canary, people)):
            return False
        for address in people:
            self._api.removed(found.id, address)
        return self._hear(Request("DELETE", f"{_BASE}/lists/{found.id}.json", LIST)).status == 200

    def _people(self, list_id: str, state: str) -> list[str]:
        return [address for address, _ in self._api.people(list_id, state, 1).people]

    def _access(self) -> Mapping[str, ProbeFinding]:
        clients = self._hear(requests.clients())
        seen = _no(clients)
        if clients.status == 200:
            seen = say("yes: %(clients)s", clients=len(responses.clients(clients)))
        unknown = self._hear(requests.details("0" * 31 + "f"))
        return {"clients": answered(seen), "unknown_list": answered(_refusal(unknown))}

    def _fields(self) -> Mapping[str, ProbeFinding]:
        key = self._key()
        name = "Probe ".ljust(_LONGEST_NAME, "x")
        made = self._book.once("long name", lambda: self._field_taken(name))
        return {
            "field_key": answered(_KEYS.get(key, say("something else")), verbatim(key)),
            "field_name_length": answered(made),
        }

    def _count(self) -> Mapping[str, ProbeFinding]:
        before = self._book.once("count before", self._active)
        self._first()
        at_once = self._book.once("count after", self._active) == before + 1
        later = at_once or self._book.patiently("count later", lambda: True if self._active() == before + 1 else None)
        count = AT_ONCE if at_once else WITHIN_A_MINUTE if later else LATER
        consent = self._book.once("consent", lambda: self._person(1).get("ConsentToTrack"))
        return {"list_count": answered(count), "unchanged_new": told(verbatim(consent) if consent else None)}

    def _name(self) -> Mapping[str, ProbeFinding]:
        self._first()
        sent = self._import("no name", [self._row(1)])
        cleared = {"Canary": NO, "": YES}.get(self._person(1).get("Name", ""))
        return {"name_omitted": told(cleared, sent["words"])}

    def _values(self) -> Mapping[str, ProbeFinding]:
        key = self._key()
        long_value = self._import("long value", [self._row(2, CustomFields=[{"Key": key, "Value": _LONG_VALUE}])])
        length = say("the row fails") if long_value["failed"] else _LENGTHS.get(len(self._value(2)))
        bracketed = self._import("brackets", [self._row(3, CustomFields=[{"Key": f"[{key}]", "Value": "x"}])])
        taken = YES if self._value(3) == "x" else say("no: the value is left out")
        return {
            "long_value": told(length, long_value["words"]),
            "bracketed_key": answered(taken, bracketed["words"]),
        }

    def _duplicates(self) -> Mapping[str, ProbeFinding]:
        sent = self._import("duplicates", [self._row(4, Name=name) for name in ("One", "Two")])
        wins = {"One": FIRST, "Two": LAST}.get(self._person(4).get("Name", ""))
        return {"duplicate_rows": told(wins, sent["words"])}

    def _refused_imports(self) -> Mapping[str, ProbeFinding]:
        bad = self._row(5) | {"EmailAddress": "no address at all"}
        no_consent = {"EmailAddress": self._canaries[5]}
        all_failed = self._import("all failed", [bad])
        large = self._import("large", [self._row(6)], MOST_BYTES)
        malformed = self._book.once("malformed", lambda: _result(self._post_import(b"{")))
        consent = self._import("no consent", [no_consent, self._row(6)])
        alone = consent["status"] == 201 or consent["code"] == SOME_FAILED
        return {
            "all_failed": answered(all_failed["words"]),
            "most_bytes": answered(large["words"], say("%(bytes)s bytes, nearly all of them spaces", bytes=MOST_BYTES)),
            "malformed": answered(malformed),
            "consent_errors": answered(say("the row") if alone else say("the whole import"), consent["words"]),
        }

    def _reading(self) -> Mapping[str, ProbeFinding]:
        path = f"{_BASE}/lists/{self._list()}/active.json"
        undated = self._hear(Request("GET", path, PEOPLE, query={"page": "1", "pagesize": "10"}))
        past = self._hear(requests.people(self._list(), "active", 99))
        absent = self._hear(self._person_request(9))
        return {
            "date_required": answered(NO if undated.status == 200 else say("yes: %(why)s", why=_refusal(undated))),
            "past_last_page": answered(say("an empty page") if past.status == 200 else _refusal(past)),
            "absent_read": answered(_refusal(absent)),
        }

    def _removal(self) -> Mapping[str, ProbeFinding]:
        self._first()
        taken_off = self._book.once("removed", lambda: _result(self._hear(self._removed(1))))
        again = self._book.once("removed again", lambda: _result(self._hear(self._removed(1))))
        never = self._book.once("removed never", lambda: _result(self._hear(self._removed(9))))
        back = self._import("back", [self._row(1, Name="Canary")])
        differs = say("%(again)s; %(never)s for somebody who never was", again=again, never=never)
        course = say("%(first)s; then %(second)s", first=taken_off, second=back["words"])
        return {
            "absent_removed": answered(again if again == never else differs),
            "deleted_told": answered(YES if back["failed"] == [205] else NO, course),
        }

    def _list(self) -> str:
        """The list that canaries go on."""

        def made() -> str:
            list_id = self._api.create_list(self._canaries.list_name)
            if list_id is None:
                # Made by an earlier attempt whose answer was lost.
                named = (each.id for each in self._api.lists() if each.name == self._canaries.list_name)
                list_id = next(named, None)
            if list_id is None:
                raise OutcomeUnknown(say("The probe's list could not be made."))
            return list_id

        return self._book.once("list", made)

    def _first(self) -> None:
        """Put the first canary on the list."""
        done = self._import("first", [self._row(1, Name="Canary")])
        if done["status"] != 201:
            raise OutcomeUnknown(say("The first canary was not imported: %(why)s.", why=done["words"]))

    def _key(self) -> str:
        """Key of the list's one custom field, without its brackets."""
        made = self._book.once("key", lambda: self._api.create_field(self._list(), _FIELD, "Text"))
        if made is None:
            fields = self._api.fields(self._list())
            return next(each.key for each in fields if each.name == _FIELD)
        return made

    def _field_taken(self, name: str) -> str:
        answer = self._hear(requests.create_field(self._list(), name, "Text"))
        # It exists where an earlier attempt was cut off right after making it.
        there = number(answer.object_or_empty().get("Code")) == FIELD_EXISTS
        return YES if there or answer.status == 201 else _no(answer)

    def _row(self, number: int, **values: Any) -> dict[str, Any]:
        return {"EmailAddress": self._canaries[number], "ConsentToTrack": UNCHANGED, **values}

    def _import(self, name: str, rows: Sequence[Subscriber], size: int = 0) -> dict[str, Any]:
        """What became of an import of that name, once: `status`, `code`, codes of `failed` rows, and `words`."""

        def sent() -> dict[str, Any]:
            flags = {"Resubscribe": False, "QueueSubscriptionBasedAutoResponders": False}
            body = orjson.dumps({"Subscribers": rows, **flags, "RestartSubscriptionBasedAutoresponders": False})
            return _imported(self._post_import(body.ljust(size)))

        return self._book.once(name, sent)

    def _post_import(self, body: bytes) -> Answer:
        return self._hear(Request("POST", f"{_BASE}/subscribers/{self._list()}/import.json", IMPORT, body=body))

    def _removed(self, number: int) -> Request:
        return requests.removed(self._list(), self._canaries[number])

    def _person(self, number: int) -> dict[str, Any]:
        """A canary as it is on the list. Raises OutcomeUnknown where it is not."""
        answer = self._hear(self._person_request(number))
        if answer.status != 200:
            raise OutcomeUnknown(say("A canary could not be read: %(why)s.", why=_refusal(answer)))
        return answer.object_or_empty()

    def _person_request(self, number: int) -> Request:
        query = {"email": self._canaries[number], "includetrackingpreference": "true"}
        path = f"{_BASE}/subscribers/{quote(self._list(), safe='')}.json"
        return Request("GET", path, _PERSON, query=query)

    def _value(self, number: int) -> str:
        """A canary's value of the custom field; empty where there is none."""
        values = self._person(number).get("CustomFields") or ()
        return next((str(each["Value"]) for each in values if each.get("Value")), "")

    def _active(self) -> int:
        answer = self._hear(Request("GET", f"{_BASE}/lists/{self._list()}/stats.json", LIST))
        active = number(answer.object_or_empty().get("TotalActiveSubscribers"))
        if active is None:
            raise OutcomeUnknown(say("The list's totals could not be read: %(why)s.", why=_refusal(answer)))
        return active

    def _hear(self, request: Request) -> Answer:
        return self._ear.hear(self._api.call, request)


PROBE = CampaignMonitorProbe


def _imported(answer: Answer) -> dict[str, Any]:
    body = answer.object_or_empty()
    inner = body.get("ResultData")
    result: Mapping[str, Any] = inner if isinstance(inner, dict) else body
    failed = [number(each.get("Code")) for each in result.get("FailureDetails") or ()]
    words = _result(answer)
    if failed:
        words = say("%(result)s, rows %(codes)s", result=words, codes=", ".join(map(str, failed)))
    return {"status": answer.status, "code": number(body.get("Code")), "failed": failed, "words": words}


def _result(answer: Answer) -> Message:
    if answer.status < 300:
        return say("accepted: %(status)s", status=str(answer.status))
    return _refusal(answer)


def _no(answer: Answer) -> Message:
    return say("no: %(why)s", why=_refusal(answer))


def _refusal(answer: Answer) -> Message:
    """`400 code 203`."""
    code = number(answer.object_or_empty().get("Code"))
    if code is None:
        return refusal_words(answer, None)
    return say("%(status)s code %(code)s", status=str(answer.status), code=str(code))
