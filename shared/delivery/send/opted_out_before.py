"""Whoever said no under an address that they had before does not join under a new one.

Before people are added whom the list's ledger knows by other addresses, the vendor is asked about those. A preference
cannot be carried over to another address, so whoever has one is held back, and looked at again by the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.delivery.send import isolating
from shared.delivery.send.apart import Apart
from shared.delivery.send.isolating import Isolating
from shared.delivery.state.plan import FORGOTTEN
from shared.vendors.contract import BatchResult, Kind, Outcome, Receipt, Row, TargetFound, Vendor
from shared.vendors.ready import ReadyBatch
from shared.wording import say

HELD = Receipt(
    Outcome.SKIPPED,
    "said_no_before",
    say(
        "The person said no under an earlier address, or that one is not to be mailed any more; so the new one is not "
        "added."
    ),
)
_APART = Apart("held")


@dataclass(frozen=True, slots=True)
class OptedOutBefore:
    """Batches without people who said no before."""

    vendor: Vendor
    target: TargetFound
    batches: Isolating

    def deliver(self, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """As `Isolating.deliver`. Raises what that raises, and what asking the vendor raises: nothing is done then."""
        places = self._places(rows) if kind is Kind.ADD and not isinstance(rows, ReadyBatch) else []
        left = _APART.left(rows, places)
        if rows and not left:
            return BatchResult(HELD)
        return _APART.together(self.batches.deliver(kind, left), _held(places), len(rows))

    def settle(self, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """As `Isolating.settle`, for a job that `deliver` gave."""
        places, job = _APART.parted(job)
        result = self.batches.settle(kind, _APART.left(rows, places), job)
        return _APART.together(result, _held(places), len(rows)) if result else None

    def _places(self, rows: Sequence[Row]) -> list[int]:
        known = [(place, row) for place, row in enumerate(rows) if row.known_before]
        held = {place for place, row in known if any(each.refused for each in row.known_before)}
        asked = [
            (place, Row(each.address, vendor_id=each.vendor_id))
            for place, row in known
            if place not in held
            for each in row.known_before
            if each.address != FORGOTTEN
        ]
        if asked:
            opposed = self.vendor.opposed(self.target, [row for _, row in asked])
            held |= {asked[index][0] for index in opposed}
        return sorted(held)


def _held(places: Sequence[int]) -> dict[int, Receipt]:
    return dict.fromkeys(places, HELD)


def has_ended(vendor: Vendor, kind: Kind, job: str) -> bool:
    """As `Vendor.has_ended`, for a job that `OptedOutBefore.deliver` gave."""
    return isolating.has_ended(vendor, kind, _APART.parted(job)[1])
