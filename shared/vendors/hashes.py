"""A set of very many addresses in little memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

from shared.mailbox import normalised

_BUCKETS = 1024
"""Sorted runs of hashes; with a million people each is short enough to be inserted into."""


class Hashes:
    """A set of addresses in 8 bytes each. `same` makes one text of the spellings of an address."""

    def __init__(self, same: Callable[[str], str] = normalised) -> None:
        self._same = same
        self._runs = [array("q") for _ in range(_BUCKETS)]
        self._count = 0
        self._unsorted = array("q")

    def __len__(self) -> int:
        self._settle()
        return self._count

    def add(self, address: str) -> None:
        run, value, place = self._find(address)
        if not _is_at(run, place, value):
            run.insert(place, value)
            self._count += 1

    def update(self, addresses: Iterable[str]) -> None:
        """Add very many, in any number of calls: runs are sorted when they are looked into."""
        self._unsorted.extend(map(hash, map(self._same, addresses)))

    def _settle(self) -> None:
        if self._unsorted:
            runs = self._runs
            for value in self._unsorted:
                runs[value % _BUCKETS].append(value)
            self._runs = [array("q", sorted(set(run))) for run in runs]
            self._count, self._unsorted = sum(map(len, self._runs)), array("q")

    def __contains__(self, address: str) -> bool:
        run, value, place = self._find(address)
        return _is_at(run, place, value)

    def _find(self, address: str) -> tuple[array[int], int, int]:
        self._settle()
        value = hash(self._same(address))  # of 64 bits, and of this process alone
        run = self._runs[value % _BUCKETS]
        return run, value, bisect_left(run, value)


def _is_at(run: array[int], place: int, value: int) -> bool:
    return place < len(run) and run[place] == value
