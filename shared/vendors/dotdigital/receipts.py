"""Answers to receipts: what became of the rows of an import or a removal, from its progress. Pure.

Facts: Dotdigital contract, sections 5 and 7. Codes and statuses are compared in lower case, since the vendor spells
them in two ways, and new ones are tolerated.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.mailbox import normalised
from shared.vendors.batches import nobody_fits
from shared.vendors.contract import CONFIRMED, PROFILE_MISSING, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.dotdigital.responses import address_of
from shared.wording import Message, say

JobProgress = Mapping[str, Any] | None
"""As `responses.progress` reads it; None where Dotdigital no longer knows the job."""

LEFT_ALONE = Receipt(
    Outcome.SKIPPED, "unsubscribed", say("The person unsubscribed from this list in Dotdigital, and is left alone.")
)
GONE = Receipt(Outcome.UNKNOWN, "job_gone", say("Dotdigital no longer knows what became of the request."))
LATE = Receipt(Outcome.UNKNOWN, "job_late", say("Dotdigital did not finish the request in time."))
_NOT_NAMED = Receipt(Outcome.UNKNOWN, "not_named", say("Dotdigital did not say what became of this person."))


def _rejected(code: str, reason: str, retry: Retry) -> Receipt:
    return Receipt(Outcome.REJECTED, code, reason, retry)


def _failed(reason: str) -> Receipt:
    return Receipt(Outcome.UNKNOWN, "job_failed", reason)


_INVALID = _rejected("invalid_email", say("Dotdigital does not accept the e-mail address."), Retry.WHEN_CHANGED)
_DUPLICATE = _rejected(
    "conflict", say("The address belongs to more than one contact in Dotdigital: merge them there."), Retry.NEXT_RUN
)
_SUPPRESSED = _rejected(
    "suppressed",
    say("Dotdigital keeps this address from being mailed (suppressed), and it is left alone."),
    Retry.NEVER,
)
_NO_LIST = _rejected(
    "list_refused", say("Dotdigital does not let this list be added to: check that it still exists."), Retry.NEXT_RUN
)
_DELETED = _rejected(PROFILE_MISSING, say("The contact had been deleted in Dotdigital."), Retry.NEXT_RUN)
_NO_FIT = _rejected("invalid_data", say("A value does not fit its data field in Dotdigital."), Retry.WHEN_CHANGED)

FAILURES: Mapping[str, Receipt] = {
    "invalidaddressbookids": _NO_LIST,
    "globallysuppressed": _SUPPRESSED,
    "suppressedbydomain": _SUPPRESSED,
    "blocker": _SUPPRESSED,
    "invalidemail": _INVALID,
    "invaliddomain": _INVALID,
    "novalididentifiers": _INVALID,
    "duplicate": _DUPLICATE,
    "duplicateidentifier": _DUPLICATE,
    "apischemaviolation": _NO_FIT,
    "invalidcontact": _rejected(
        "invalid_contact", say("Dotdigital does not accept the contact: check its values."), Retry.WHEN_CHANGED
    ),
}
"""Code -> receipt of a row that was not imported; the first that a row has counts."""

_FAILED_IMPORT = _failed(say("The import failed in Dotdigital; part of it may have been done."))
IMPORT_ENDS: Mapping[str, Receipt] = {
    "finished": _NOT_NAMED,
    "rejectedbywatchdog": _rejected(
        "watchdog",
        say(
            "Dotdigital's data watchdog stopped the whole import: ask Dotdigital support to release "
            "this data, then run the export again."
        ),
        Retry.NEXT_RUN,
    ),
    "exceedsallowedcontactlimit": _rejected(
        "contact_limit",
        say(
            "The import goes beyond the contacts that the Dotdigital account may have: have the limit "
            "raised or delete contacts there, then run the export again."
        ),
        Retry.NEXT_RUN,
    ),
    "failed": _FAILED_IMPORT,
    "invalidfileformat": _FAILED_IMPORT,
    "unknown": _FAILED_IMPORT,
    "notavailableinthisversion": _FAILED_IMPORT,
}
"""Status of an import that has ended -> what it means for rows that its results do not name."""

_FAILED_REMOVAL = _failed(say("The removal failed in Dotdigital; part of it may have been done."))
REMOVAL_ENDS: Mapping[str, Receipt] = {
    "completed": CONFIRMED,
    "failed": _FAILED_REMOVAL,
    "notavailableinthisversion": _FAILED_REMOVAL,
}


@dataclass(frozen=True, slots=True)
class Results:
    """A receipt for each row, in order."""

    receipts: list[Receipt]
    warnings: list[str]


def under_way(kind: Kind, progress: JobProgress) -> bool:
    """Dotdigital still works on it, or says something that is new."""
    return progress is not None and _status(progress) not in _ends(kind)


def read(kind: Kind, rows: Sequence[Row], progress: JobProgress) -> Results:
    """What became of the rows of one job. One that is still under way is read as being too late."""
    if progress is None:
        return Results([GONE] * len(rows), [])
    end = _ends(kind).get(_status(progress), LATE)
    if kind is Kind.REMOVE:
        return Results([end] * len(rows), [])
    return _Import(kind, progress).read(rows, end)


def refused(rows: Sequence[Row], words: str) -> Results:
    """A request that was refused as a whole."""
    receipt = _rejected(
        "refused",
        say("Dotdigital refused the request that this person was in: %(why)s", why=Message(words)),
        Retry.NEXT_RUN,
    )
    return Results([receipt] * len(rows), [])


class _Import:
    """The results of an import, by address and by contact id."""

    def __init__(self, kind: Kind, progress: Mapping[str, Any]) -> None:
        self._kind = kind
        self._created = _ids(progress, "created")
        self._imported = _ids(progress, "updated") | self._created
        self._updated = {str(each.get("contactId")) for each in _entries(progress, "updated")}
        self._failures = _failures(progress)

    def read(self, rows: Sequence[Row], end: Receipt) -> Results:
        receipts = nobody_fits([self._receipt(row, end) for row in rows], _NO_FIT, "Dotdigital")
        partly = Counter(receipt.reason for receipt in receipts if receipt.code == "partly")
        warnings: list[str] = [
            say("%(reason)s (people: %(people)s)", reason=reason, people=count) for reason, count in partly.items()
        ]
        stopped = sum(receipt is end for receipt in receipts)
        if stopped and end.outcome is Outcome.REJECTED:
            warnings.append(say("%(reason)s (people: %(people)s)", reason=end.reason, people=stopped))
        return Results(receipts, warnings)

    def _receipt(self, row: Row, end: Receipt) -> Receipt:
        address = _folded(row.address)
        failures = self._failures.get(address) or self._failures.get(row.vendor_id or "") or {}
        if self._kind is Kind.CHANGE and "invalidcontactid" in failures:
            return _DELETED
        if self._kind is Kind.CHANGE and row.vendor_id in self._updated and address not in self._imported:
            return CONFIRMED  # by its id; the contact has another address there now
        if address in self._imported:
            return self._taken(row, address, failures)
        if not failures:
            return end
        known = [receipt for code, receipt in FAILURES.items() if code in failures]
        return known[0] if known else _new(failures)

    def _taken(self, row: Row, address: str, failures: Mapping[str, str]) -> Receipt:
        """The contact was imported; failures may be named beside that (contract, section 5)."""
        found = self._imported[address]
        if self._kind is Kind.ADD and "invalidaddressbookids" in failures:
            return _NO_LIST
        if self._kind is Kind.CHANGE and (address in self._created or found != (row.vendor_id or found)):
            # Made anew by this very change, which names no list: so the person is not on it.
            return _DELETED
        receipt = CONFIRMED if found == row.vendor_id else replace(CONFIRMED, vendor_id=found)
        if failures:
            codes = ", ".join(sorted(excerpt(code, 60) for code in failures))
            reason = say("Dotdigital imported the contact, but not everything of it: %(codes)s.", codes=codes)
            return replace(receipt, code="partly", reason=reason)
        return receipt


def _new(failures: Mapping[str, str]) -> Receipt:
    code, words = next(iter(failures.items()))
    return _rejected(
        "refused",
        say("Dotdigital gives a reason that is new: %(code)s%(words)s.", code=excerpt(code, 60), words=Message(words)),
        Retry.NEXT_RUN,
    )


def _ids(progress: Mapping[str, Any], key: str) -> dict[str, str]:
    """Folded address -> contact id."""
    found = {}
    for entry in _entries(progress, key):
        if (address := address_of(entry)) and isinstance(entry.get("contactId"), int):
            found[_folded(address)] = str(entry["contactId"])
    return found


def _failures(progress: Mapping[str, Any]) -> Mapping[str, dict[str, str]]:
    """Folded address, or contact id where there is none -> code in lower case -> Dotdigital's words."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for entry in _entries(progress, "failures"):
        address = address_of(entry)
        name = _folded(address) if address else _named_id(entry)
        for failure in _entries(entry, "failures"):
            words = failure.get("description")
            found[name][str(failure.get("failureCode")).lower()] = f", {excerpt(words)}" if words else ""
    return found


def _named_id(entry: Mapping[str, Any]) -> str:
    identifiers = entry.get("identifiers")
    found = entry.get("contactId") or (identifiers.get("contactId") if isinstance(identifiers, Mapping) else None)
    return str(found or "")


def _entries(source: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """The objects of an array that may be absent. Who is in an entry that cannot be read is not named by it."""
    found = source.get(key)
    yield from (entry for entry in (found if isinstance(found, list) else []) if isinstance(entry, dict))


def _folded(address: str) -> str:
    return normalised(address)


def _status(progress: Mapping[str, Any]) -> str:
    return str(progress["status"]).lower()


def _ends(kind: Kind) -> Mapping[str, Receipt]:
    return REMOVAL_ENDS if kind is Kind.REMOVE else IMPORT_ENDS
