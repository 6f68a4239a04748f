"""People whom no removal and no re-entry may touch: they unsubscribed, bounced or are suppressed. Contract, section 6.

Campaign Monitor keeps them in rolls, which are long: each is read page by page and kept as hashes.
"""

from __future__ import annotations

import hashlib
import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from shared.vendors.campaign_monitor import receipts
from shared.vendors.campaign_monitor.definition import MOST_ROWS
from shared.vendors.campaign_monitor.responses import Page
from shared.vendors.contract import Receipt, Row

_BUCKETS = 1024
"""Sorted runs of hashes; with a million people each is short enough to be inserted into."""

AskPage = Callable[[int], Page]
"""Page number, from 1 -> page."""


def pages(ask: AskPage) -> Iterator[Page]:
    """All pages of a roll, some of them twice: when the roll shrinks, people move to pages that were read before, so
    the reader goes back."""
    number, total = 1, 0
    while True:
        page = ask(number)
        yield page
        moved, total = total - page.total, page.total
        if moved > 0 and number > 1:
            number = max(1, number - -(-moved // MOST_ROWS))
        elif number < page.pages:
            number += 1
        else:
            return


class Hashes:
    """A set of addresses in 8 bytes each."""

    def __init__(self) -> None:
        self._runs = [array("Q") for _ in range(_BUCKETS)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, address: str) -> None:
        run, value, place = self._find(address)
        if not _is_at(run, place, value):
            run.insert(place, value)
            self._count += 1

    def __contains__(self, address: str) -> bool:
        run, value, place = self._find(address)
        return _is_at(run, place, value)

    def _find(self, address: str) -> tuple[array[int], int, int]:
        digest = hashlib.blake2b(address.strip().lower().encode(), digest_size=8).digest()
        value = int.from_bytes(digest, "big")
        run = self._runs[value % _BUCKETS]
        return run, value, bisect_left(run, value)


class Roll:
    """One roll, read in full at first and later down to the day before the last entry seen. Thread safe.

    Nobody is ever struck off: a person who leaves the roll meanwhile is left alone until the slice ends.
    """

    def __init__(self, ask: AskPage) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._people = Hashes()
        self._newest = ""
        self._missing = 0
        """So many more the roll counted than it named when it was read to its end."""

    def __contains__(self, address: str) -> bool:
        with self._lock:
            return address in self._people

    def refresh(self) -> None:
        """Read what is new. Raises what a call raises; then what was read so far counts, but not as complete."""
        with self._lock:
            since = _day_before(self._newest)
            total, newest = self._read(since)
            if since and total - len(self._people) > self._missing:
                # The new ones did not come first after all.
                since, (total, newest) = "", self._read("")
            if not since:
                self._missing = max(0, total - len(self._people))
            self._newest = newest

    def _read(self, since: str) -> tuple[int, str]:
        """Read down to the day `since`, or to the end; the roll's length and its newest date."""
        total, newest = 0, self._newest
        for page in pages(self._ask):
            total = page.total
            for address, moment in page.people:
                self._people.add(address)
                newest = max(newest, moment)
            if since and page.newest_first and page.people and page.people[-1][1] < since:
                break
        return total, newest


class LeftAlone:
    """The rolls of people who are left alone, by the reason; lists may share a roll."""

    def __init__(self, rolls: Mapping[str, Roll]) -> None:
        self._rolls = rolls

    def refresh(self) -> None:
        for roll in self._rolls.values():
            roll.refresh()

    def among(self, rows: Sequence[Row]) -> dict[int, Receipt]:
        """Receipts of those rows that are left alone, by index."""
        return {
            index: receipts.LEFT_ALONE[code]
            for index, row in enumerate(rows)
            if (code := next((code for code, roll in self._rolls.items() if row.address in roll), None))
        }


def _is_at(run: array[int], place: int, value: int) -> bool:
    return place < len(run) and run[place] == value


def _day_before(moment: str) -> str:
    """`2026-11-20 10:28:00` -> `2026-11-19`: watermarks are days in an unknown time zone. "" where there is none."""
    try:
        return (date.fromisoformat(moment[:10]) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return ""
