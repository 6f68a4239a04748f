"""A person for whom no request can be built is refused alone.

A vendor's client builds what it sends of a whole batch at once, so an exception for one row would end the batch, then
the slice, and with it everybody's delivery. Here, before the vendors and the same for all of them, such rows are taken
out of the batch: `Vendor.build` says which they are.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from shared.delivery.send.apart import Apart
from shared.delivery.state.plan import FORGOTTEN
from shared.errors import ExportError
from shared.vendors.contract import BatchResult, Kind, Outcome, Receipt, Retry, Row, TargetFound, Vendor
from shared.vendors.ready import ReadyBatch
from shared.wording import say

log = logging.getLogger(__name__)

REASON = say(
    "No request to the vendor can be built of what this row holds. Correct the row; if nothing "
    "is wrong with it, tell the engineers, whose log says where building it failed."
)
NOT_BUILT = Receipt(Outcome.REJECTED, "not_built", REASON, Retry.NEXT_RUN)
"""Tried again by every run, since it costs no request, and a new version may be able to build it."""

GONE = Receipt(Outcome.SKIPPED, "forgotten", say("The person was forgotten after this was planned."))
"""Of a row that has no address any more."""

_ANY_TARGET = TargetFound("0", "")
_APART = Apart("without")


@dataclass(frozen=True, slots=True)
class Isolating:
    """A vendor's batches without the rows that cannot be built.

    `beforehand`: each row is tried before its batch goes out. Vendors that work on a batch in several steps need that,
    since a row that is met in a later step cannot be taken out of the job any more. The others are tried only when a
    batch fails. What the failed attempt may have sent is sent again, as after a crash.
    """

    vendor: Vendor
    target: TargetFound
    beforehand: bool

    def deliver(self, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """As `Vendor.deliver`. Raises what that raises."""
        if self.beforehand or _somebody_was_forgotten(rows):
            return self._without(_not_sent(self.vendor, self.target, kind, rows), kind, rows)
        try:
            return self.vendor.deliver(self.target, kind, rows)
        except ExportError:
            raise
        except Exception:
            places = _not_sent(self.vendor, self.target, kind, rows)
            if not places:
                raise
            return self._without(places, kind, rows)

    def settle(self, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """As `Vendor.settle`, for a job that `deliver` gave."""
        places, job = _APART.parted(job)
        result = self.vendor.settle(self.target, kind, _APART.left(rows, places), job)
        return _APART.together(result, _told(rows, places), len(rows)) if result else None

    def _without(self, places: Sequence[int], kind: Kind, rows: Sequence[Row]) -> BatchResult:
        left = _APART.left(rows, places)
        if rows and not left:
            return BatchResult(NOT_BUILT, {place: GONE for place in places if rows[place].address == FORGOTTEN})
        return _APART.together(self.vendor.deliver(self.target, kind, left), _told(rows, places), len(rows))


def has_ended(vendor: Vendor, kind: Kind, job: str) -> bool:
    """As `Vendor.has_ended`, for a job that `Isolating.deliver` gave."""
    return vendor.has_ended(kind, _APART.parted(job)[1])


def can_be_built(vendor: Vendor, row: Row) -> bool:
    """Whether a request that adds this person can be built, for a target that is not known yet."""
    return not _not_sent(vendor, _ANY_TARGET, Kind.ADD, [row])


def _somebody_was_forgotten(rows: Sequence[Row]) -> bool:
    suspects = rows.odd.values() if isinstance(rows, ReadyBatch) else rows
    return FORGOTTEN in [row.address for row in suspects]


def _not_sent(vendor: Vendor, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> list[int]:
    """Places of the rows that have no address any more or cannot be built. The log gets where that failed, and never
    what the exception says: that may be the row's values."""
    places = []
    for place, row in enumerate(rows):
        if row.address == FORGOTTEN:
            places.append(place)
            continue
        try:
            vendor.build(target, kind, row)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this row's
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.warning("a row cannot be built: %s in %s, line %d", type(error).__name__, at.name, at.lineno or 0)
            places.append(place)
    return places


def _told(rows: Sequence[Row], places: Sequence[int]) -> dict[int, Receipt]:
    return {place: GONE if rows[place].address == FORGOTTEN else NOT_BUILT for place in places}
