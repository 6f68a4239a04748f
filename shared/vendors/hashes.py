"""A set of very many addresses in little memory."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left

from shared.mailbox import normalised

_BUCKETS = 1024
"""Sorted runs of hashes; with a million people each is short enough to be inserted into."""


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
        digest = hashlib.blake2b(normalised(address).encode(), digest_size=8).digest()
        value = int.from_bytes(digest, "big")
        run = self._runs[value % _BUCKETS]
        return run, value, bisect_left(run, value)


def _is_at(run: array[int], place: int, value: int) -> bool:
    return place < len(run) and run[place] == value
