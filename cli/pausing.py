"""Pauses between two looks at something that goes on in the app."""

from __future__ import annotations

from collections.abc import Iterator

_FIRST = 0.2
_GROWTH = 1.5


def pauses(longest: float) -> Iterator[float]:
    """Seconds, without end: short ones at first, `longest` once it turns out to take its time."""
    pause = min(_FIRST, longest)
    while True:
        yield pause
        pause = min(pause * _GROWTH, longest)
