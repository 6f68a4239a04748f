"""Files that are worked on together, as many as time and disk allow at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

ItemT = TypeVar("ItemT")


def batches(sized: Iterable[tuple[ItemT, int]], most: int, most_bytes: int) -> Iterator[list[ItemT]]:
    """The items in their order, at most so many in a batch; what goes over so many bytes ends the batch."""
    batch, total = list[ItemT](), 0
    for item, size in sized:
        batch.append(item)
        total += size
        if len(batch) == most or total > most_bytes:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
