"""Which rows of a batch reach the vendor's client where some cannot be built, and what the others are told."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.delivery.send import isolating
from shared.delivery.send.isolating import GONE, NOT_BUILT, Isolating
from shared.delivery.state.plan import FORGOTTEN
from shared.errors import LeaseLost, RetryAfter
from shared.vendors.contract import CONFIRMED, BatchResult, Kind, Outcome, Receipt, Row, TargetFound

TARGET = TargetFound("7", "Loyal")
REFUSED = Receipt(Outcome.REJECTED, "refused", "The vendor says no.")
GOOD = [Row(f"person{number}@example.com") for number in range(4)]
BAD = Row("bad@example.com", '{"name": "broken"}')


@dataclass
class Builds:
    """A vendor whose client builds all rows of a batch at once, and sends nothing if one of them is broken."""

    staged: str | None = None
    error: Exception | None = None
    sent: list[list[str]] = field(default_factory=list)

    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        if "broken" in row.values:
            raise ValueError(f"{row.address} is broken")
        return row.values.encode()

    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        if self.error is not None:
            raise self.error
        for row in rows:
            self.build(target, kind, row)
        return self._answer(rows)

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        if job == "busy":
            return None
        self.staged = {"first": "second"}.get(job)
        return self._answer(rows)

    def has_ended(self, kind: Kind, job: str) -> bool:
        return job == "first"

    def _answer(self, rows: Sequence[Row]) -> BatchResult:
        self.sent.append([row.address for row in rows])
        return BatchResult(CONFIRMED, {len(rows) - 1: REFUSED} if rows else {}, staged=self.staged, requests=1)


def isolated(vendor: Any, *, beforehand: bool = False) -> Isolating:
    return Isolating(vendor, TARGET, beforehand)


def told(result: BatchResult, rows: int) -> list[Receipt]:
    return [result.others.get(place, result.default) for place in range(rows)]


@pytest.mark.parametrize("beforehand", [False, True])
@pytest.mark.parametrize("place", range(5))
def test_everybody_else_is_sent_and_has_their_own_receipt(place: int, beforehand: bool) -> None:
    rows = [*GOOD[:place], BAD, *GOOD[place:]]
    vendor = Builds()
    receipts = told(isolated(vendor, beforehand=beforehand).deliver(Kind.ADD, rows), 5)
    assert vendor.sent == [[row.address for row in GOOD]]
    assert receipts.pop(place) == NOT_BUILT
    assert receipts == [CONFIRMED, CONFIRMED, CONFIRMED, REFUSED]


@pytest.mark.parametrize("beforehand", [False, True])
def test_a_batch_of_which_nothing_can_be_built_is_refused_without_a_request(beforehand: bool) -> None:
    vendor = Builds()
    assert isolated(vendor, beforehand=beforehand).deliver(Kind.ADD, [BAD, BAD]) == BatchResult(NOT_BUILT)
    assert vendor.sent == []


def test_a_good_batch_goes_as_it_is() -> None:
    vendor = Builds()
    assert told(isolated(vendor).deliver(Kind.ADD, GOOD), 4)[3] == REFUSED
    assert isolated(vendor, beforehand=True).deliver(Kind.ADD, []).requests == 1
    assert vendor.sent == [[row.address for row in GOOD], []]


@pytest.mark.parametrize("error", [RetryAfter(1, "busy"), LeaseLost(), ValueError("a mistake that is no row's")])
def test_what_is_no_rows_fault_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        isolated(Builds(error=error)).deliver(Kind.ADD, GOOD)


def test_a_job_remembers_who_is_not_in_it() -> None:
    vendor, rows = Builds(staged="first"), [GOOD[0], BAD, *GOOD[1:], BAD]
    batches = isolated(vendor, beforehand=True)
    first = batches.deliver(Kind.ADD, rows).staged or ""
    assert first != "first" and isolating.has_ended(vendor, Kind.ADD, first)  # type: ignore[arg-type]
    second = batches.settle(Kind.ADD, rows, first)
    assert second is not None and second.staged
    assert not isolating.has_ended(vendor, Kind.ADD, second.staged)  # type: ignore[arg-type]
    last = batches.settle(Kind.ADD, rows, second.staged)
    assert last is not None
    assert told(last, 6) == [CONFIRMED, NOT_BUILT, CONFIRMED, CONFIRMED, REFUSED, NOT_BUILT]
    assert vendor.sent == [[row.address for row in GOOD]] * 3


def test_a_job_of_everybody_is_the_vendors_own_text() -> None:
    vendor = Builds(staged="first")
    batches = isolated(vendor, beforehand=True)
    assert batches.deliver(Kind.ADD, GOOD).staged == "first"
    assert batches.settle(Kind.ADD, GOOD, "busy") is None


def test_the_log_says_where_and_never_who(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        isolated(Builds()).deliver(Kind.ADD, [BAD, *GOOD])
    assert "ValueError in build" in caplog.text
    assert "@" not in caplog.text


@pytest.mark.parametrize("beforehand", [False, True])
@pytest.mark.parametrize("place", range(5))
def test_somebody_who_was_forgotten_since_is_not_sent(place: int, beforehand: bool) -> None:
    rows = [*GOOD[:place], Row(FORGOTTEN, "{}"), *GOOD[place:], BAD]
    vendor = Builds()
    receipts = told(isolated(vendor, beforehand=beforehand).deliver(Kind.ADD, rows), 6)
    assert vendor.sent == [[row.address for row in GOOD]]
    assert (receipts.pop(), receipts.pop(place)) == (NOT_BUILT, GONE)
    assert receipts == [CONFIRMED, CONFIRMED, CONFIRMED, REFUSED]


@pytest.mark.parametrize("beforehand", [False, True])
def test_a_batch_of_somebody_who_was_forgotten_alone_is_no_request(beforehand: bool) -> None:
    vendor = Builds()
    result = isolated(vendor, beforehand=beforehand).deliver(Kind.REMOVE, [Row(FORGOTTEN, "{}"), BAD])
    assert told(result, 2) == [GONE, NOT_BUILT]
    assert vendor.sent == []


def test_somebody_who_was_forgotten_is_told_so_when_the_job_of_the_others_ends() -> None:
    vendor = Builds(staged="first")
    rows = [Row(FORGOTTEN, "{}"), *GOOD]
    staged = isolated(vendor, beforehand=True).deliver(Kind.ADD, rows).staged
    assert staged is not None
    vendor.staged = None
    [again] = [isolated(vendor, beforehand=True).settle(Kind.ADD, rows, staged.replace("first", "second"))]
    assert again is not None
    assert told(again, 5) == [GONE, CONFIRMED, CONFIRMED, CONFIRMED, REFUSED]
