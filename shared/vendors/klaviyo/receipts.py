"""Answers to receipts: what became of the people of an import. Pure. Facts: Klaviyo contract, sections 3 and 5."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.cloud.scrubbing import excerpt
from shared.vendors import presence
from shared.vendors.contract import CONFIRMED, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.klaviyo.definition import DEFINITION
from shared.vendors.klaviyo.responses import JobState, RowError
from shared.wording import Message, say

LEFT_ALONE = Receipt(
    Outcome.SKIPPED, "unsubscribed", say("The person unsubscribed from this list in Klaviyo, and is left alone.")
)
GONE = Receipt(Outcome.UNKNOWN, "job_gone", say("Klaviyo no longer knows what became of the import."))
LATE = Receipt(Outcome.UNKNOWN, "job_late", say("Klaviyo did not finish the import in time."))
CANCELLED = Receipt(
    Outcome.UNKNOWN, "job_cancelled", say("The import was cancelled in Klaviyo; part of it may have been done.")
)
NOT_NAMED = Receipt(Outcome.UNKNOWN, "not_named", say("Klaviyo did not say what became of this person."))
INVALID_EMAIL = Receipt(
    Outcome.REJECTED, "invalid_email", say("Klaviyo does not accept the e-mail address."), Retry.WHEN_CHANGED
)
INVALID_DATA = Receipt(
    Outcome.REJECTED,
    "invalid_data",
    say("Klaviyo does not accept what is sent of this person: check the values."),
    Retry.WHEN_CHANGED,
)
TOO_LARGE = Receipt(
    Outcome.REJECTED,
    "too_large",
    say("What is sent of this person is too large for Klaviyo, which takes 100 kB at most."),
    Retry.WHEN_CHANGED,
)
SAME_PERSON = Receipt(
    Outcome.REJECTED,
    "same_person",
    say("In Klaviyo this person has the address of another person of the same import."),
    Retry.NEXT_RUN,
)

BY_CODE: Mapping[str, Receipt] = {
    each.code: each
    for each in (
        LEFT_ALONE,
        INVALID_EMAIL,
        INVALID_DATA,
        TOO_LARGE,
        SAME_PERSON,
        presence.not_looked_at(DEFINITION.label),
    )
}
"""Receipts of people who were not sent, by the code that a job keeps of them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Receipts by place in the job. `doubtful`: Klaviyo counts people that it does not name, so whoever is not in
    `receipts` may be one of them."""

    receipts: Mapping[int, Receipt]
    doubtful: bool = False


def refused(why: str) -> Receipt:
    """A request that was refused as a whole."""
    reason = say("Klaviyo refused the request that this person was in: %(why)s", why=Message(why))
    return Receipt(Outcome.REJECTED, "refused", reason, Retry.NEXT_RUN)


def read(addresses: Sequence[str], state: JobState, found: Iterable[RowError]) -> Ended:
    """What an import's errors say of its people. `addresses` are those that were sent, in order and in small letters.
    An error that names nobody leaves in doubt whom it means."""
    places = {address: place for place, address in enumerate(addresses)}
    receipts: dict[int, Receipt] = {}
    for error in found:
        place = places.get(error.address)
        if place is None and not error.address and error.row is not None and error.row < len(addresses):
            place = error.row
        if place is not None:
            receipts[place] = _rejected(error)
    # Whoever was dropped without a word is missing in the total (contract, section 3).
    unnamed = max(state.failed - len(receipts), 0) + max(len(addresses) - state.total, 0)
    return Ended(receipts, doubtful=unnamed > 0)


def confirmed(vendor_id: str | None, known: str | None) -> Receipt:
    """Of somebody who was imported. The id is kept where it is news."""
    return CONFIRMED if vendor_id in (None, known) else replace(CONFIRMED, vendor_id=vendor_id)


def missing(kind: Kind, row: Row) -> Receipt:
    """Of somebody whom Klaviyo does not have, so that no request was made."""
    if row.unsure_since is None:
        return presence.missing(DEFINITION.label)[kind]
    if time.time() - row.unsure_since < DEFINITION.fresh_seconds:
        return presence.not_there_yet(DEFINITION.label)
    return presence.never_there(DEFINITION.label)


def _rejected(error: RowError) -> Receipt:
    """The vocabulary of these errors is not published: whatever it is, the values have to change first."""
    reason = say("Klaviyo did not import this person: %(why)s.", why=Message(error.title or error.code))
    return Receipt(Outcome.REJECTED, f"import_{excerpt(error.code, 40)}", reason, Retry.WHEN_CHANGED)
