"""Reading a list by places (so many entries after the first so many) while its entries come and go.

When an entry leaves, all behind it move up, and the next page begins too late. So a page begins with the last entry
that was read: where another one stands there that is unknown, the reader goes back until it meets a known one. Entries
that moved to the front meanwhile are found in the end, by looking there again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import chain, takewhile
from typing import TypeVar

from shared.errors import RetryAfter
from shared.wording import say

FRUITLESS_PAGES = 20
"""Pages in a row without anything new, after which reading is given up; going back takes longer steps each time."""
LATER = 60.0
"""Seconds until a list that moved all the time is read again."""

T = TypeVar("T", bound=Hashable)

AskPlaces = Callable[[int], Sequence[T]]
"""Place of the first entry, from 0 -> a page of entries. An entry that moved is another one, so it holds its date."""


def every(label: str, ask: AskPlaces[T], size: int) -> Iterator[T]:
    """Each entry once that is there from the first request to the last, and those that come meanwhile as far as they
    are met. `size` is what a full page has. Raises RetryAfter where the list never holds still."""
    seen: set[T] = set()
    pages = 0
    for found in _walk(label, ask, size, seen):
        pages += 1
        yield from found
    if pages > 1:
        yield from _moved(label, ask, size, seen)


def _moved(label: str, ask: AskPlaces[T], size: int, seen: set[T]) -> Iterator[T]:
    """What came to the front while the rest was read. Others may come while the front is: it is read until its first
    page has nothing new."""
    for _ in range(FRUITLESS_PAGES):
        found = list(takewhile(bool, _walk(label, ask, size, seen)))
        if not found:
            return
        yield from chain.from_iterable(found)
    raise _never_still(label)


def _walk(label: str, ask: AskPlaces[T], size: int, seen: set[T]) -> Iterator[list[T]]:
    """What is new on each page, down to the last; `seen` grows by it. Pages that are read again, since the reader went
    back, count only where they have something new."""
    place = step = fruitless = catching_up = 0
    while fruitless < FRUITLESS_PAGES:
        page = ask(place)
        if place and (not page or page[0] not in seen):
            catching_up = max(catching_up, place)
            place, step, fruitless = max(0, place - step), step * 2, fruitless + 1
            continue
        new = [entry for entry in dict.fromkeys(page) if entry not in seen]
        seen.update(new)
        step, fruitless = size - 1, 0 if new else fruitless + 1
        if new or place >= catching_up:
            yield new
        if len(page) < size:
            return
        place += size - 1
    raise _never_still(label)


def _never_still(label: str) -> RetryAfter:
    return RetryAfter(LATER, say("%(vendor)s's list changed all the time while it was read.", vendor=label))
