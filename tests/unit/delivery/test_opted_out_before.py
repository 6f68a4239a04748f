"""Who of a batch does not join since they said no under another address, also where the vendor works in steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from shared.delivery.send.isolating import NOT_BUILT, Isolating
from shared.delivery.send.opted_out_before import HELD, OptedOutBefore, has_ended
from shared.errors import RetryAfter
from shared.vendors.contract import CONFIRMED, BatchResult, Kind, KnownBefore, Row, TargetFound
from tests.unit.delivery.test_isolating import BAD, REFUSED, TARGET, Builds

NO, YES = KnownBefore("no@example.com", "v-no"), KnownBefore("yes@example.com", None)
FORGOTTEN = KnownBefore("forgotten@example.com", None, refused=True)
ROWS = [
    Row("a@example.com"),
    Row("b@example.com", known_before=[YES, NO]),
    Row("c@example.com", known_before=[YES]),
    Row("d@example.com", known_before=[FORGOTTEN]),
    Row("e@example.com"),
]


class Told(Builds):
    """A vendor that tells who said no."""

    asked: list[Row]

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        self.asked = [*rows]
        return [index for index, row in enumerate(rows) if row.address == NO.address]


def batches(vendor: Told, *, beforehand: bool = False) -> OptedOutBefore:
    return OptedOutBefore(vendor, TARGET, Isolating(vendor, TARGET, beforehand))  # type: ignore[arg-type]


def test_whoever_said_no_before_is_held_and_everybody_else_is_sent() -> None:
    vendor = Told()
    result = batches(vendor).deliver(Kind.ADD, ROWS)
    assert vendor.asked == [Row(YES.address), Row(NO.address, vendor_id="v-no"), Row(YES.address)]
    assert vendor.sent == [["a@example.com", "c@example.com", "e@example.com"]]
    assert (result.default, result.others) == (CONFIRMED, {1: HELD, 3: HELD, 4: REFUSED})


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.REMOVE])
def test_only_additions_are_asked_about(kind: Kind) -> None:
    vendor = Told()
    batches(vendor).deliver(kind, ROWS)
    assert not hasattr(vendor, "asked")
    assert [len(each) for each in vendor.sent] == [len(ROWS)]


def test_nobody_is_asked_about_whom_nobody_knew() -> None:
    vendor = Told()
    batches(vendor).deliver(Kind.ADD, [ROWS[0], ROWS[3]])
    assert not hasattr(vendor, "asked")
    assert vendor.sent == [["a@example.com"]]


def test_a_batch_of_nobody_else_makes_no_request() -> None:
    vendor = Told()
    assert batches(vendor).deliver(Kind.ADD, [ROWS[1], ROWS[3]]) == BatchResult(HELD)
    assert batches(vendor).deliver(Kind.ADD, []).others == {}
    assert vendor.sent == [[]]


def test_a_job_of_the_others_is_settled_without_who_is_held_and_without_who_cannot_be_built() -> None:
    vendor, rows = Told(staged="first"), [*ROWS[:2], BAD, *ROWS[2:]]
    made = batches(vendor, beforehand=True)
    started = made.deliver(Kind.ADD, rows)
    assert started.staged is not None
    assert has_ended(vendor, Kind.ADD, started.staged)  # type: ignore[arg-type]
    assert made.settle(Kind.ADD, rows, started.staged.replace("first", "busy")) is None
    followed = made.settle(Kind.ADD, rows, started.staged)
    assert followed is not None
    assert followed.staged is not None
    assert not has_ended(vendor, Kind.ADD, followed.staged)  # type: ignore[arg-type]
    ended = made.settle(Kind.ADD, rows, followed.staged)
    assert ended is not None
    assert ended.others == {1: HELD, 2: NOT_BUILT, 4: HELD, 5: REFUSED}
    assert {*map(tuple, vendor.sent)} == {("a@example.com", "c@example.com", "e@example.com")}


def test_where_the_vendor_cannot_be_asked_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = Told()

    def busy(target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        raise RetryAfter(5, "Busy.")

    monkeypatch.setattr(vendor, "opposed", busy)
    with pytest.raises(RetryAfter):
        batches(vendor).deliver(Kind.ADD, ROWS)
    assert vendor.sent == []
