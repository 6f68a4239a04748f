"""A small chart of an export's history: people on its lists as a line, durations as bars. Geometry only, no colours:
the page has a strict content policy, and the stylesheet knows light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.control.runs import RunPoint
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind

WIDTH, HEIGHT = 720, 150
_LEFT, _RIGHT, _TOP, _MIDDLE, _BOTTOM = 8, 712, 18, 92, 134
_BAD = frozenset({State.FAILED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Mark:
    """A run: where its dot is (None without members), its bar, and what it says."""

    run: str
    state: State
    at: datetime
    members: int | None
    seconds: float
    x: float
    dot: float | None
    bar: float
    width: float
    bad: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template draws. Coordinates within WIDTH x HEIGHT."""

    marks: tuple[Mark, ...]
    line: str
    area: str
    most_members: int
    most_seconds: float
    width: int = WIDTH
    height: int = HEIGHT
    top: int = _TOP
    middle: int = _MIDDLE
    bottom: int = _BOTTOM
    left: int = _LEFT
    right: int = _RIGHT


def chart(points: Sequence[RunPoint]) -> Chart | None:
    """The chart of these runs, the oldest first, without dry runs; None where there are too few to see anything."""
    points = [each for each in points if each.kind is not RunKind.DRY_RUN]
    if len(points) < 2:
        return None
    most_members = max((each.members or 0 for each in points), default=0)
    most_seconds = max(each.seconds for each in points)
    step = (_RIGHT - _LEFT) / len(points)
    marks = tuple(
        _mark(each, _LEFT + step * (place + 0.5), step, most_members, most_seconds) for place, each in enumerate(points)
    )
    dots = [(mark.x, mark.dot) for mark in marks if mark.dot is not None]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    area = f"{dots[0][0]:.1f},{_MIDDLE} {line} {dots[-1][0]:.1f},{_MIDDLE}" if dots else ""
    return Chart(marks, line, area, most_members, most_seconds)


def _mark(point: RunPoint, x: float, step: float, most_members: int, most_seconds: float) -> Mark:
    dot = None if point.members is None else _MIDDLE - (_MIDDLE - _TOP) * point.members / (most_members or 1)
    bar = (_BOTTOM - _MIDDLE - 8) * point.seconds / (most_seconds or 1)
    return Mark(
        run=point.run,
        state=point.state,
        at=point.started_at,
        members=point.members,
        seconds=point.seconds,
        x=round(x, 1),
        dot=None if dot is None else round(dot, 1),
        bar=round(max(bar, 1), 1),
        width=round(min(step * 0.6, 22), 1),
        bad=point.state in _BAD,
    )
