"""Whether a list is read whole, or people are asked for one by one: whichever takes less time. Pure.

A list tells one thing of whoever is on it: the vendor has them. Whoever is not on it is asked for in any case, so what
is decided here is how much is asked, and never about whom.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

FEW = 20
"""People who are always asked for one by one."""
ANSWER_SECONDS = 0.1
"""Until an answer is there, where no rate binds. Assumed."""
LONGEST = 200.0
"""Seconds of a slice that a list may be read."""
TRY_SHARE = 0.25
"""An answer with everyone gets so much of the time that asking would take: nobody tells how long it takes."""
LEAST_TRY = 2.0
FASTEST = 50_000.0
"""People a second that such an answer brings at the best: a megabyte or so. Slower ones are given up on the way."""

SecondsFor = Callable[[str, int], float]
"""Endpoint, requests -> seconds that the rates make them take, from a quiet start (`Limiter.seconds_for`)."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How a vendor tells whom it has: endpoints of its rates."""

    person: str
    """Of the question about one person."""
    page: str
    """Of an answer with people of a list."""
    page_people: int
    """Of one such answer. 0: everyone is in one answer, without pages."""
    lanes: int = 1
    """Questions under way at once."""


class Prospect(NamedTuple):
    """What a slice may ask about at the most, and how many people the target has by its ledger."""

    changes: int = 0
    removals: int = 0
    members: int = 0


class ListReading(NamedTuple):
    """How much of a list may be read: none where people are asked for one by one."""

    pages: int = 0
    seconds: float = 0.0


def asking(looks: Looks, seconds_for: SecondsFor, wanted: int) -> float:
    """Seconds that asking for so many people one by one takes."""
    return max(seconds_for(looks.person, wanted), wanted * ANSWER_SECONDS / looks.lanes)


def reading(
    looks: Looks, seconds_for: SecondsFor, wanted: int, people: int | None, request_seconds: float = LONGEST
) -> ListReading:
    """How much of a list of so many people may be read for so many of them.

    Of a list whose length nobody knows, as much as takes as long as asking: then both together take twice as long as
    the cheaper one at the most.
    """
    if wanted <= FEW:
        return ListReading()
    alone = asking(looks, seconds_for, wanted)
    if not looks.page_people:
        most = min(max(alone * TRY_SHARE, LEAST_TRY), request_seconds, LONGEST)
        return ListReading(1, most) if people is not None and people <= most * FASTEST else ListReading()
    most = min(alone, LONGEST)
    if people is not None and _pages_take(looks, seconds_for, math.ceil(people / looks.page_people)) > most:
        return ListReading()
    pages = range(int(most / ANSWER_SECONDS) + 1)
    return ListReading(bisect_right(pages, most, key=lambda number: _pages_take(looks, seconds_for, number)) - 1, most)


def _pages_take(looks: Looks, seconds_for: SecondsFor, pages: int) -> float:
    return max(seconds_for(looks.page, pages), pages * ANSWER_SECONDS)
