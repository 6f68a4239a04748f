"""Answers, on a real account, what the Dotdigital contract leaves open. Sections of the contract: see `definition`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from shared.errors import OutcomeUnknown
from shared.vendors.answers import Answer, Request
from shared.vendors.canaries import is_canary, is_ours
from shared.vendors.contract import ConnectionSettings, ProbeFinding
from shared.vendors.dotdigital import requests, responses, targets
from shared.vendors.dotdigital.client import Calls
from shared.vendors.dotdigital.definition import IMPORT, LISTS, MOST_IDS
from shared.vendors.dotdigital.errors import error_code
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
    untold,
    verbatim,
)
from shared.wording import Message, say, together

JOB_LOOKS = 60
"""How often an import or a removal is asked about."""
_UNKNOWN_LIST = str(2**31 - 1)
_EPOCH, _EPOCH_MS = 1e9, 1e11
_RATE_IDS = ("poll_tier", "tier_limits", "reset_meaning")

ContactShown = Mapping[str, Any]


class DotdigitalProbe(Probe):
    """Two canaries, the first of them on a list of its own; their names are all that is written of them."""

    def _connect(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        self._calls = Calls(credentials, link)

    def steps(self) -> Sequence[ProbeStep]:
        return (
            ProbeStep(self._list_refusals, ("list_statuses",)),
            ProbeStep(self._count, ("list_count",)),
            ProbeStep(self._rates, _RATE_IDS),
            ProbeStep(self._field_case, ("field_case",)),
            ProbeStep(self._unknown_field, ("unknown_field",)),
            ProbeStep(self._null, ("null_if_not_empty",)),
            ProbeStep(self._duplicates, ("duplicate_rows",)),
            # The last one, since it takes the canary off the list.
            ProbeStep(self._removal, ("most_ids", "removal_keys")),
        )

    def sweep(self) -> str:
        left = [each.id for each in targets.every(self._calls) if is_ours(each.name) and not self._dropped(each)]
        return could_not_drop(left)

    def _dropped(self, found: Listed) -> bool:
        """Dropping a list leaves its contacts in the account."""
        page = self._calls.ask(requests.members(found.id, None), responses.members)
        if not all(map(is_canary, page.addresses)):
            return False
        return self._hear(Request("DELETE", f"/v2/address-books/{found.id}", LISTS)).status in (200, 204)

    def _list(self) -> str:
        """The list that canaries go on."""
        name = self._canaries.list_name
        return self._book.once("list", lambda: targets.by_name(self._calls, name).list_id)

    def _list_refusals(self) -> Mapping[str, ProbeFinding]:
        self._list()
        unknown = self._hear(requests.list_by_id(_UNKNOWN_LIST))
        twice = self._hear(requests.create_list(self._canaries.list_name))
        words = [refusal_words(each, error_code(each)) for each in (unknown, twice)]
        statuses = say("unknown %(unknown)s, taken %(taken)s", unknown=str(unknown.status), taken=str(twice.status))
        return {"list_statuses": answered(statuses, together(words, "; "))}

    def _count(self) -> Mapping[str, ProbeFinding]:
        before = self._book.once("count before", self._contacts)
        self._first()
        at_once = self._book.once("count after", self._contacts)
        if at_once == before + 1:
            return {"list_count": answered(AT_ONCE)}
        later = self._book.patiently("count later", lambda: True if self._contacts() == before + 1 else None)
        return {"list_count": answered(WITHIN_A_MINUTE if later else LATER)}

    def _rates(self) -> Mapping[str, ProbeFinding]:
        self._first()
        job = self._book.once("first job", dict[str, str])["id"]
        status, fields, contacts = map(self._hear, (requests.import_status(job), requests.fields(), requests.probe()))
        tiers = {_tier(each): each.headers.get("x-ratelimit-limit", "") for each in (status, fields, contacts)}
        if "" in tiers:
            return dict.fromkeys(_RATE_IDS, untold(say("The answers have no headers about the rate.")))
        reset = status.headers.get("x-ratelimit-reset", "")
        return {
            "poll_tier": answered(verbatim(_tier(status))),
            "tier_limits": answered(verbatim(", ".join(f"{tier} {limit}" for tier, limit in sorted(tiers.items())))),
            "reset_meaning": told(_meaning(reset)),
        }

    def _field_case(self) -> Mapping[str, ProbeFinding]:
        self._first()
        done = self._import("field case", [self._row(1, {"firstname": "Case"})])
        seen = self._contact(1).get("FIRSTNAME")
        if seen == "Case":
            return {"field_case": answered(NO)}
        return {"field_case": answered(YES, say("%(end)s; the field kept its value", end=_words(done)))}

    def _unknown_field(self) -> Mapping[str, ProbeFinding]:
        self._first()
        done = self._import("unknown field", [self._row(1, {f"PROBE{self._canaries.mark.upper()}": "x"})])
        if "refused" in done:
            return {"unknown_field": answered(say("the request is refused"), done["refused"])}
        return {
            "unknown_field": answered(say("the row fails") if done["failures"] else say("it is left out"), _words(done))
        }

    def _null(self) -> Mapping[str, ProbeFinding]:
        self._first()
        self._import("value", [self._row(1, {"LASTNAME": "Value"})])
        if self._book.once("value seen", lambda: self._contact(1).get("LASTNAME")) != "Value":
            return {"null_if_not_empty": untold(say("The canary's last name could not be written."))}
        done = self._import("null", [self._row(1, {"LASTNAME": None})], "overwriteIfNotEmpty")
        cleared = self._contact(1).get("LASTNAME") in (None, "")
        return {"null_if_not_empty": answered(YES if cleared else NO, _words(done))}

    def _duplicates(self) -> Mapping[str, ProbeFinding]:
        rows = [self._row(2, {"LASTNAME": name}) for name in ("One", "Two")]
        done = self._import("duplicates", rows)
        names = {"One": FIRST, "Two": LAST, None: say("neither")}
        wins = names.get(self._contact(2).get("LASTNAME"))
        return {"duplicate_rows": told(wins, _words(done))}

    def _removal(self) -> Mapping[str, ProbeFinding]:
        contact_id = int(self._first())
        started = self._book.once("removal", lambda: self._removed([contact_id] * MOST_IDS))
        accepted = YES if "id" in started else say("no: %(why)s", why=started["refused"])
        taken = answered(accepted, say("%(times)s times one canary", times=MOST_IDS))
        if "id" not in started:
            started = self._book.once("small removal", lambda: self._removed([contact_id]))
        if "id" not in started:
            why = say("No removal was taken on: %(why)s.", why=started["refused"])
            return {"most_ids": taken, "removal_keys": untold(why)}
        keys = self._book.patiently("removal end", partial(self._removal_keys, started["id"]), JOB_LOOKS)
        told_keys = untold(say("It did not end.")) if keys is None else answered(verbatim(keys))
        return {"most_ids": taken, "removal_keys": told_keys}

    def _removed(self, contact_ids: Sequence[int]) -> dict[str, str]:
        return _started(self._hear(requests.remove(self._list(), contact_ids)))

    def _removal_keys(self, job: str) -> str | None:
        body = self._hear(requests.removal_status(job)).object_or_empty()
        status = next((value for key, value in body.items() if key.lower() == "status"), "Started")
        if str(status).lower() == "started":
            return None
        return ", ".join(sorted(body))

    def _first(self) -> str:
        """Id of the first canary, on the list."""
        row = {**self._row(1, {"FIRSTNAME": "Canary"}), "lists": [int(self._list())]}
        done = self._import("first", [row])
        contact_id = self._book.once("first id", lambda: self._contact_id(1))
        if contact_id is None:
            raise OutcomeUnknown(say("The first canary was not imported: %(why)s.", why=_words(done)))
        return contact_id

    def _row(self, number: int, values: ContactShown) -> dict[str, Any]:
        return {"matchIdentifier": "email", "identifiers": {"email": self._canaries[number]}, "dataFields": values}

    def _import(self, name: str, rows: Sequence[ContactShown], merge: str = "overwrite") -> dict[str, Any]:
        """`refused`, or how an import of the name ended. Raises OutcomeUnknown where it never does."""
        body = orjson.dumps({"mergeOption": merge, "contacts": rows})
        request = Request("PUT", "/contacts/v3/import", IMPORT, body=body)
        job = self._book.once(f"{name} job", lambda: _started(self._hear(request)))
        if "refused" in job:
            return job
        ended = self._book.patiently(f"{name} end", partial(self._ended, job["id"]), JOB_LOOKS)
        if ended is None:
            raise OutcomeUnknown(say("Dotdigital did not finish an import in time."))
        return ended

    def _ended(self, job: str) -> dict[str, Any] | None:
        progress = self._calls.ask(requests.import_status(job), responses.progress)
        status = "gone" if progress is None else str(progress["status"])
        if status.lower() == "notfinished":
            return None
        failed = [code for entry in (progress or {}).get("failures") or () for code in _codes(entry)]
        return {"status": status, "failures": failed}

    def _contact_id(self, number: int) -> str | None:
        found = self._calls.ask(requests.contact(self._canaries[number]), responses.contact_id)
        return None if found is None else str(found)

    def _contact(self, number: int) -> Mapping[str, Any]:
        """A canary's data fields; none where there is no such contact."""
        answer = self._hear(requests.contact(self._canaries[number]))
        found = answer.object_or_empty().get("dataFields")
        if answer.status not in (200, 404):
            refusal = refusal_words(answer, error_code(answer))
            raise OutcomeUnknown(say("A canary could not be read: %(why)s.", why=refusal))
        return found if isinstance(found, dict) else {}

    def _contacts(self) -> int:
        number = self._hear(requests.list_by_id(self._list())).object_or_empty().get("contacts")
        if not isinstance(number, int):
            raise OutcomeUnknown(say("Dotdigital does not tell how many contacts the list has."))
        return number

    def _hear(self, request: Request) -> Answer:
        return self._ear.hear(self._calls.call, request)


PROBE = DotdigitalProbe


def _started(answer: Answer) -> dict[str, str]:
    """The job's id, or why there is none."""
    if answer.status == 202:
        return {"id": responses.started(answer)}
    return {"refused": refusal_words(answer, error_code(answer))}


def _codes(entry: Any) -> list[str]:
    failures = entry.get("failures") if isinstance(entry, dict) else None
    return [str(each.get("failureCode")) for each in failures or () if isinstance(each, dict)]


def _words(done: Mapping[str, Any]) -> Message:
    if "refused" in done:
        return say("the request was refused: %(why)s", why=done["refused"])
    failures = ", ".join(sorted(set(done["failures"])))
    if failures:
        return say("the import ended as %(status)s with %(failures)s", status=done["status"], failures=failures)
    return say("the import ended as %(status)s", status=done["status"])


def _tier(answer: Answer) -> str:
    """`lowCallRate` -> `low`; empty where the answer does not tell."""
    return answer.headers.get("x-ratelimit-scope", "").removesuffix("CallRate")


def _meaning(reset: str) -> Message | None:
    if not reset.strip().isdecimal():
        return None
    number = int(reset)
    if number > _EPOCH_MS:
        return say("a moment, in milliseconds")
    return say("a moment, in seconds") if number > _EPOCH else say("seconds to wait")
