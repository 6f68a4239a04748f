"""Listing a segment's own folder: at once where little lies there, else folder by folder, and of its states only those
that can matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from azure.storage.blob import BlobPrefix

from shared.snapshots import dates
from shared.snapshots.blob import Blob, blob_of
from shared.snapshots.snapshot import last

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

FEW = 5_000
"""Blobs that one request lists."""
STATES = 10

_PART_OF_A_DATE = re.compile(r"(?:19|20)\d\d|(?:\d\d)|(?:year|yyyy|y|month|mm|m)=\d{1,4}", re.IGNORECASE)


def everything(container: ContainerClient, prefix: str) -> Iterator[Blob]:
    """All blobs whose names begin so."""
    for properties in container.list_blobs(name_starts_with=prefix, include=["metadata"]):
        yield blob_of(container.container_name, properties)


def if_few(container: ContainerClient, prefix: str) -> list[Blob] | None:
    """The same, in one request; None where there are more."""
    blobs = list(islice(everything(container, prefix), FEW + 1))
    return blobs if len(blobs) <= FEW else None


def newest_states(
    container: ContainerClient, folder: str, start: int, enough: Callable[[Sequence[Blob]], bool]
) -> Iterator[Blob]:
    """What lies in a segment's folder, without states that are older than one that is `enough`.

    Where none is, the newest STATES are listed, and the oldest: it tells whether the segment ever had completion marks.
    Folders without a date are listed whole. `start` counts the levels of `folder`.
    """
    walk = _Walk(container, start)
    for state in islice(walk.states(folder), STATES):
        blobs = list(everything(container, f"{state}/"))
        yield from blobs
        if enough(blobs):
            break
    else:
        for state in islice(_Walk(container, start).states(folder, newest_first=False), 1):
            yield from everything(container, f"{state}/")
    yield from walk.beside


class _Walk:
    """Goes down folder by folder, as far as dates are spread over them."""

    def __init__(self, container: ContainerClient, start: int) -> None:
        self._container = container
        self._start = start
        self.beside: list[Blob] = []
        """What lies in no dated folder."""

    def states(self, folder: str, *, newest_first: bool = True) -> Iterator[str]:
        """Folders that are dates, in their order; what lies beside them is noted on the way."""
        dated, spread = [], []
        for item in self._container.walk_blobs(name_starts_with=f"{folder}/", include=["metadata"]):
            if not isinstance(item, BlobPrefix):
                self.beside.append(blob_of(self._container.container_name, item))
                continue
            path = item.name.rstrip("/")
            if found := dates.dated(path, self._start):
                dated.append((found[2], path))
            elif _PART_OF_A_DATE.fullmatch(last(path)):
                spread.append(path)
            else:
                self.beside += everything(self._container, f"{path}/")
        yield from (path for _, path in sorted(dated, reverse=newest_first))
        for path in sorted(spread, key=_number, reverse=newest_first):
            yield from self.states(path, newest_first=newest_first)


def _number(path: str) -> int:
    return int(last(path).rpartition("=")[2])
