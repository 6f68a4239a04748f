"""`rejected.csv`, row by row; a cell may be as long as a snapshot has them, and hold line ends."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

csv.field_size_limit(sys.maxsize)
HEADER = ("address", "segment", "file", "row", "operation", "outcome", "code", "reason", "tried_again")
_PUT = re.compile(r"(;\s*)'")
"""A quote before what looks like a formula behind a semicolon."""
EMPTY = len(("\ufeff" + ",".join(HEADER) + "\n").encode())
"""Bytes of a file without rows."""


def parse(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Complete rows by column; the last one may be cut off."""
    rows = csv.reader(lines)
    next(rows, None)
    yield from (dict(zip(HEADER, row, strict=True)) for row in rows if len(row) == len(HEADER))


def without(is_it: Callable[[str], bool], before: Path, after: Path) -> bool:
    """Copy a file but for the rows of the address that `is_it` knows; whether there were any."""
    found = False
    with (
        before.open(encoding="utf-8-sig", newline="") as lines,
        after.open("w", encoding="utf-8-sig", newline="") as kept,
    ):
        writer = csv.writer(kept, lineterminator="\n")
        for row in csv.reader(lines):
            if row and any(map(is_it, _meant(row[0]))):
                found = True
            else:
                writer.writerow(row)
    return found


def hold(is_it: Callable[[str], bool], path: Path) -> bool:
    """Whether a file has a row of the address that `is_it` knows."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return any(any(map(is_it, _meant(row[0]))) for row in csv.reader(lines) if row)


def _meant(cell: str) -> set[str]:
    """Addresses that a cell may stand for: a quote may have been put before what looks like a formula."""
    without = _PUT.sub(r"\1", cell)
    return {cell, cell.removeprefix("'"), without, without.removeprefix("'")}
