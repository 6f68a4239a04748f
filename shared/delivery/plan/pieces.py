"""How snapshots are cut for staging: stretches of files that one thread reads, pieces that a slice can stage. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.snapshots.snapshot import CsvFormat, Snapshot

CSV_ROW_BYTES = 150
PACKED_ROW_BYTES = 15
"""Guesses of a row's size, plain and compressed, to cut before anything is read."""
RUNS = 4
"""Of a piece's files, read side by side by DuckDB's two threads."""
AT_ONCE = 2
"""A piece has so many files at least, where there are any more: as many are read at once, and take no longer."""
PIECE_FILES = 4
"""A piece has the rows of so many files of `rows_per_file` rows."""
MOST_PIECES = 256
"""Of all segments together, nearly; then they are larger. Four stretches of each, and there are numbers for 2048."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Files `first` and following of a snapshot, which is the `segment`th of all that are read. `number` counts all
    stretches of a delivery in the order of their rows."""

    number: int
    segment: int
    first: int
    files: int


def rows_guessed(snapshot: Snapshot) -> float:
    """Rows by the size of its files."""
    plain = isinstance(snapshot.format, CsvFormat) and snapshot.format.compression == "none"
    return snapshot.size / (CSV_ROW_BYTES if plain else PACKED_ROW_BYTES)


def whole(snapshots: Sequence[Snapshot]) -> list[Stretch]:
    """All of them, to be read in one go."""
    return [each for piece in cut(snapshots, math.inf) for each in piece]


def cut(snapshots: Sequence[Snapshot], rows_per_piece: float) -> list[list[Stretch]]:
    """Pieces of about so many rows, each of stretches of one snapshot."""
    pieces: list[list[Stretch]] = []
    count = 0
    for segment, snapshot in enumerate(snapshots):
        for firsts in _pieces(snapshot, rows_per_piece):
            pieces.append([Stretch(count + at, segment, first, files) for at, (first, files) in enumerate(firsts)])
            count += len(firsts)
    return pieces


def rows_per_piece(snapshots: Sequence[Snapshot], rows_per_file: int) -> float:
    """As many as a slice stages in some seconds, but no more pieces than can be kept account of."""
    return max(PIECE_FILES * rows_per_file, sum(map(rows_guessed, snapshots)) / MOST_PIECES)


def _pieces(snapshot: Snapshot, rows: float) -> Iterator[list[tuple[int, int]]]:
    """Each piece's stretches, as first file and number of files; one without files where the snapshot has none."""
    files = len(snapshot.files)
    wanted = max(1, math.ceil(rows_guessed(snapshot) / rows))
    in_piece = max(AT_ONCE, math.ceil(files / wanted))
    for start in range(0, max(1, files), in_piece):
        inside = min(in_piece, files - start)
        size = max(1, math.ceil(inside / RUNS))
        yield [(first, min(size, start + inside - first)) for first in range(start, start + max(1, inside), size)]
