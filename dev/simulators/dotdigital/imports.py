"""An import as its job carries it out: all rows, and who was created, updated or refused (contract section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from dev.simulators.common.clock import Clock
from dev.simulators.dotdigital import answers
from dev.simulators.dotdigital.account import Account, Contact
from dev.simulators.dotdigital.bodies import Row
from dev.simulators.dotdigital.jobs import Finish
from dev.simulators.dotdigital.settings import Settings
from dev.simulators.dotdigital.upsert import RowError, Upsert

_COUNTED_AS = {
    "globallySuppressed": "globallySuppressed",
    "suppressedByDomain": "globallySuppressed",
    "duplicateIdentifier": "duplicateIdentifiers",
}


@dataclass(slots=True)
class _Results:
    created: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def as_json(self, settings: Settings) -> dict[str, Any]:
        """The three arrays are packed: a job's results are kept for as long as the simulator lives."""
        summary = {
            "newContacts": len(self.created),
            "updatedContacts": len(self.updated),
            "globallySuppressed": self.counts["globallySuppressed"],
            "invalidEntries": self.counts["invalidEntries"],
            "duplicateIdentifiers": self.counts["duplicateIdentifiers"],
        }
        arrays = {"created": self.created, "updated": self.updated, "failures": self.failures}
        shown = {
            name: orjson.Fragment(orjson.dumps(rows))
            for name, rows in arrays.items()
            if rows or settings.empty_results == "empty"
        }
        return {"summary": summary, **shown}


def finisher(account: Account, clock: Clock, option: str, rows: Sequence[Row]) -> Finish:
    """What the job of an import does when it ends."""

    def finish(ending: str, settings: Settings) -> tuple[str, dict[str, Any]]:
        if ending == "Failed":
            write_some(account, settings, clock.epoch(), option, rows)
        if ending != "Finished":
            return ending, {}
        if _over_limit(account, settings, rows):
            return "ExceedsAllowedContactLimit", {}
        return ending, _run(account, settings, clock.epoch(), option, rows).as_json(settings)

    return finish


def write_some(account: Account, settings: Settings, now: float, option: str, rows: Sequence[Row]) -> None:
    """What an import leaves behind that fails or never ends."""
    most = {"nothing": 0, "half": len(rows) // 2, "all": len(rows)}[settings.broken_imports_write]
    _run(account, settings, now, option, rows[:most])


def _over_limit(account: Account, settings: Settings, rows: Sequence[Row]) -> bool:
    limit = settings.contact_limit
    if limit is None:
        return False
    fresh = {key for row in rows for key in _keys(row) if key[0] == "email" and account.find(*key) is None}
    return len(account.contacts) + len(fresh) > limit


def _run(account: Account, settings: Settings, now: float, option: str, rows: Sequence[Row]) -> _Results:
    results = _Results()
    upsert = Upsert(account, settings, now, option)
    repeated = _repeated(rows, settings.duplicate_rows)
    for number, row in enumerate(rows):
        match, identifiers = row["matchIdentifier"], row["identifiers"]
        try:
            if number in repeated:
                value = identifiers.get(match)
                raise RowError("duplicateIdentifier", f"Duplicate identifier detected for {match} '{value}'")
            contact, is_new = upsert.write(match, identifiers, row)
        except RowError as error:
            results.counts[_COUNTED_AS.get(error.code, "invalidEntries")] += 1
            failures = [answers.failure(settings, error.code, error.description)]
            results.failures.append({"matchIdentifier": match, "identifiers": identifiers, "failures": failures})
            continue
        told = identifiers if settings.told_address == "sent" else contact.identifiers
        (results.created if is_new else results.updated).append({"contactId": contact.id, "identifiers": told})
        if upsert.notes:
            results.failures.append(_noted(settings, contact, row, upsert.notes))
    return results


def _noted(settings: Settings, contact: Contact, row: Row, notes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A contact that was written is among the failures too, when something about it was not."""
    return {
        "contactId": contact.id,
        "matchIdentifier": row["matchIdentifier"],
        "identifiers": row["identifiers"],
        "failures": [answers.failure(settings, *note) for note in notes],
    }


def _repeated(rows: Sequence[Row], rule: str) -> set[int]:
    """The numbers of the rows that lose against another with one of their identifiers."""
    losers: set[int] = set()
    first: dict[tuple[str, Any], int] = {}
    for number, row in enumerate(rows):
        for key in _keys(row):
            earlier = first.setdefault(key, number)
            if earlier != number:
                losers |= {"all_fail": {earlier, number}, "first_wins": {number}, "last_wins": {earlier}}[rule]
                if rule == "last_wins":
                    first[key] = number
    return losers


def _keys(row: Row) -> Iterator[tuple[str, Any]]:
    for identifier, value in row["identifiers"].items():
        if type(value) is str:
            yield identifier, value.lower()
        elif type(value) is int:
            yield identifier, value
