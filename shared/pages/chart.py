"""The chart of an export's runs: people on its lists as a line, and below it whom each run added, removed and did not
take as bars. Geometry only, no colours: the page has a strict content policy, and the stylesheet knows light and dark.

Lengths across are percentages, so that the chart is as wide as the page while its texts keep their size; lengths down
are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.control.runs import RunRow
from shared.delivery.state.records import State

HEIGHT = 330
LEFT, RIGHT = 9.0, 100.0
TOP, MIDDLE = 24.0, 150.0
"""Of the line."""
BARS_TOP, BARS_BOTTOM = 186.0, 300.0
MOST_DATES = 6
APART = 14.0
"""Numbers beside lines need so much from one to the next."""
_STEPS = (1, 2, 5, 10)
_BAD = frozenset({State.FAILED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across with its number."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """So many people of one kind, at a place."""

    kind: str
    value: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A run: where it stands, its dot (None where its people are not known), its bars, and what it says."""

    run: RunRow
    x: float
    dot: float | None
    bars: tuple[Bar, ...]
    dated: bool

    @property
    def bad(self) -> bool:
        return self.run.state in _BAD

    @property
    def refused(self) -> int:
        return not_taken(self.run)


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template draws."""

    marks: tuple[Mark, ...]
    line: str
    area: str
    people: tuple[Tick, ...]
    changes: tuple[Tick, ...]
    zero: float
    height: int = HEIGHT
    left: float = LEFT
    middle: float = MIDDLE

    @property
    def least(self) -> int | None:
        return min(self._members, default=None)

    @property
    def most(self) -> int | None:
        return max(self._members, default=None)

    @property
    def _members(self) -> list[int]:
        return [mark.run.members for mark in self.marks if mark.run.members is not None]


def not_taken(run: RunRow) -> int:
    """People whom the vendor or we refused."""
    return run.counts.rejected + run.counts.refused_here


def chart(runs: Sequence[RunRow]) -> Chart | None:
    """The chart of these runs, the oldest first, without dry runs; None where there are too few to see anything."""
    shown = [each for each in runs if not each.kind.only_looks and each.finished_at is not None]
    if len(shown) < 2:
        return None
    people = ticks(max((each.members or 0) for each in shown))
    up = ticks(max(max(each.added, not_taken(each)) for each in shown))
    down = ticks(max(each.removed for each in shown))
    scale = (BARS_BOTTOM - BARS_TOP) / (up[-1] + down[-1])
    zero = BARS_TOP + up[-1] * scale
    slot = (RIGHT - LEFT) / len(shown)
    every = -(-len(shown) // MOST_DATES)
    marks = tuple(
        Mark(
            run=each,
            x=round(LEFT + slot * (place + 0.5), 2),
            dot=None if each.members is None else _height(each.members, people[-1]),
            bars=_bars(each, LEFT + slot * place, slot, zero, scale),
            dated=place % every == 0,
        )
        for place, each in enumerate(shown)
    )
    dots = [(mark.x, mark.dot) for mark in marks if mark.dot is not None]
    line = " ".join(f"{x},{y}" for x, y in dots)
    return Chart(
        marks,
        line,
        f"{dots[0][0]},{MIDDLE} {line} {dots[-1][0]},{MIDDLE}" if dots else "",
        tuple(Tick(value, _height(value, people[-1])) for value in people),
        tuple(
            [Tick(value, round(zero - value * scale, 1)) for value in up]
            + [
                Tick(value, round(zero + value * scale, 1))
                for value in (down[1:] if down[1] * scale >= APART else down[-1:])
            ]
        ),
        round(zero, 1),
    )


def ticks(most: int) -> list[int]:
    """Round numbers from 0 up to one that is not less than the most: two to four lines."""
    power = 1
    while power * 10 <= most / 2:
        power *= 10
    step = next(each * power for each in _STEPS if each * power * 3 >= most)
    return list(range(0, step * max(-(-most // step), 1) + 1, step))


def _height(members: int, most: int) -> float:
    return round(MIDDLE - (MIDDLE - TOP) * members / most, 1)


def _bars(run: RunRow, left: float, slot: float, zero: float, scale: float) -> tuple[Bar, ...]:
    """Whom it added upwards and whom it removed downwards, and beside them whom it did not take."""
    width = min(slot * 0.35, 1.6)
    middle = left + slot / 2
    placed = (
        ("added", run.added, middle - width, -1),
        ("removed", run.removed, middle - width, 1),
        ("refused", not_taken(run), middle, -1),
    )
    return tuple(
        Bar(
            kind,
            value,
            x=round(x, 2),
            y=round(zero - value * scale if way < 0 else zero, 1),
            width=round(width, 2),
            height=round(max(value * scale, 1), 1),
        )
        for kind, value, x, way in placed
        if value
    )
