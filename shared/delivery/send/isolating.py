"""A person for whom no request can be built is refused alone.

A vendor's client builds what it sends of a whole batch at once, so an exception for one row would end the batch, then
the slice, and with it everybody's delivery. Here, before the vendors and the same for all of them, such rows are taken
out of the batch: `Vendor.build` says which they are.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.delivery.state.plan import FORGOTTEN
from shared.errors import ExportError
from shared.vendors.contract import BatchResult, Kind, Outcome, Receipt, Retry, Row, TargetFound, Vendor
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
_MARKED = re.compile(r"without (\d+(?:,\d+)*): ")


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
        forgotten = [place for place, row in enumerate(rows) if row.address == FORGOTTEN]
        if self.beforehand or forgotten:
            unbuilt = _not_built(self.vendor, self.target, kind, _others(rows, forgotten))
            return self._without(sorted({*forgotten, *_places(unbuilt, forgotten, len(rows))}), kind, rows)
        try:
            return self.vendor.deliver(self.target, kind, rows)
        except ExportError:
            raise
        except Exception:
            places = _not_built(self.vendor, self.target, kind, rows)
            if not places:
                raise
            return self._without(places, kind, rows)

    def settle(self, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """As `Vendor.settle`, for a job that `deliver` gave."""
        places, job = _parted(job)
        result = self.vendor.settle(self.target, kind, _others(rows, places), job)
        return _with_refused(result, places, rows) if result else None

    def _without(self, places: Sequence[int], kind: Kind, rows: Sequence[Row]) -> BatchResult:
        if len(places) == len(rows) and rows:
            return BatchResult(NOT_BUILT, {place: GONE for place in places if rows[place].address == FORGOTTEN})
        return _with_refused(self.vendor.deliver(self.target, kind, _others(rows, places)), places, rows)


def has_ended(vendor: Vendor, kind: Kind, job: str) -> bool:
    """As `Vendor.has_ended`, for a job that `Isolating.deliver` gave."""
    return vendor.has_ended(kind, _parted(job)[1])


def can_be_built(vendor: Vendor, row: Row) -> bool:
    """Whether a request that adds this person can be built, for a target that is not known yet."""
    return not _not_built(vendor, _ANY_TARGET, Kind.ADD, [row])


def _not_built(vendor: Vendor, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> list[int]:
    """Places of the rows that cannot be built. The log gets where it failed, and never what the exception says: that
    may be the row's values."""
    places = []
    for place, row in enumerate(rows):
        try:
            vendor.build(target, kind, row)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this row's
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.warning("a row cannot be built: %s in %s, line %d", type(error).__name__, at.name, at.lineno or 0)
            places.append(place)
    return places


def _others(rows: Sequence[Row], places: Sequence[int]) -> Sequence[Row]:
    left_out = set(places)
    return [row for place, row in enumerate(rows) if place not in left_out] if places else rows


def _parted(job: str) -> tuple[list[int], str]:
    """The rows that are not in a job, and the job as the vendor's client knows it."""
    found = _MARKED.match(job)
    return ([int(place) for place in found[1].split(",")], job[found.end() :]) if found else ([], job)


def _with_refused(result: BatchResult, places: Sequence[int], rows: Sequence[Row]) -> BatchResult:
    """The result of the other rows as one of all of them."""
    if not places:
        return result
    if result.staged is not None:
        return replace(result, staged=f"without {','.join(map(str, places))}: {result.staged}")
    refused = {place: GONE if rows[place].address == FORGOTTEN else NOT_BUILT for place in places}
    return replace(result, others=_placed(result.others, places, len(rows)) | refused)


def _placed(receipts: Mapping[int, Receipt], places: Sequence[int], rows: int) -> dict[int, Receipt]:
    return dict(zip(_places(receipts, places, rows), receipts.values(), strict=True))


def _places(indexes: Iterable[int], left_out: Sequence[int], rows: int) -> list[int]:
    """Where in a batch the rows stand that have these indexes among the others."""
    others = sorted(set(range(rows)) - set(left_out))
    return [others[index] for index in indexes]
