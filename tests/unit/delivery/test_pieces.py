"""Snapshots are cut in pieces of so many rows, and in stretches of files that are read side by side."""

from __future__ import annotations

import math

import pytest

from shared.delivery.plan.operations import MOST_ROWS
from shared.delivery.plan.pieces import MOST_PIECES, cut, rows_guessed, rows_per_piece, whole
from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat, Snapshot, SnapshotFile
from tests.unit.delivery.planning import AT

PLAIN, PACKED, PARQUET = CsvFormat(), CsvFormat(compression="gzip"), ParquetFormat()


def snapshot(rows: int, files: int, kind: Format = PLAIN) -> Snapshot:
    """So many rows, by their size, in files of one size."""
    size = rows * (150 if kind is PLAIN else 15) // max(files, 1)
    return Snapshot("s", "s", AT, "k", tuple(SnapshotFile("c", str(n), "e", size) for n in range(files)), kind, ())


def shape(*snapshots: Snapshot, rows: float) -> list[list[tuple[int, int, int]]]:
    """Pieces as (segment, first file, files)."""
    return [[(each.segment, each.first, each.files) for each in piece] for piece in cut(snapshots, rows)]


@pytest.mark.parametrize("kind", [PLAIN, PACKED, PARQUET])
def test_rows_are_guessed_by_size(kind: Format) -> None:
    assert rows_guessed(snapshot(1200, 4, kind)) == 1200


@pytest.mark.parametrize(
    ("files", "stretches"),
    [
        (0, [(0, 0, 0)]),
        (1, [(0, 0, 1)]),
        (3, [(0, 0, 1), (0, 1, 1), (0, 2, 1)]),
        (8, [(0, 0, 2), (0, 2, 2), (0, 4, 2), (0, 6, 2)]),
        (9, [(0, 0, 3), (0, 3, 3), (0, 6, 3)]),
    ],
)
def test_a_small_snapshot_is_one_piece_of_four_stretches_at_the_most(
    files: int, stretches: list[tuple[int, int, int]]
) -> None:
    assert shape(snapshot(900, files), rows=1000) == [stretches]


def test_a_large_snapshot_is_cut_in_pieces_of_about_so_many_rows() -> None:
    assert shape(snapshot(3000, 12), rows=1000) == [
        [(0, 0, 1), (0, 1, 1), (0, 2, 1), (0, 3, 1)],
        [(0, 4, 1), (0, 5, 1), (0, 6, 1), (0, 7, 1)],
        [(0, 8, 1), (0, 9, 1), (0, 10, 1), (0, 11, 1)],
    ]


def test_two_files_are_read_at_once_however_large_they_are() -> None:
    assert shape(snapshot(9000, 3), rows=1000) == [[(0, 0, 1), (0, 1, 1)], [(0, 2, 1)]]


def test_no_piece_has_files_of_two_snapshots() -> None:
    assert shape(snapshot(900, 1), snapshot(900, 1), rows=1000) == [[(0, 0, 1)], [(1, 0, 1)]]
    assert [each.segment for each in whole([snapshot(900, 1), snapshot(900, 1)])] == [0, 1]


@pytest.mark.parametrize(("rows", "files"), [(3000, 12), (9000, 3), (50_000, 999), (10, 0)])
def test_stretches_are_counted_through_and_hold_every_file_once(rows: int, files: int) -> None:
    stretches = [each for piece in cut([snapshot(rows, files)] * 2, 1000) for each in piece]
    assert [each.number for each in stretches] == list(range(len(stretches)))
    for segment in (0, 1):
        own = [each for each in stretches if each.segment == segment]
        assert [at for each in own for at in range(each.first, each.first + each.files)] == list(range(files))


def test_a_piece_has_the_rows_of_four_files_and_more_where_there_would_be_too_many_pieces() -> None:
    assert rows_per_piece([snapshot(10**6, 10)], 1000) == 4000
    huge = snapshot(MOST_PIECES * 8000, 5000)
    assert rows_per_piece([huge], 1000) == 8000
    assert len(cut([huge], 8000)) <= MOST_PIECES
    assert rows_per_piece([], 1000) == 4000 < math.inf


def test_the_rows_of_several_huge_segments_have_numbers() -> None:
    huge = [snapshot(MOST_PIECES * 8000, 5000)] * 3
    stretches = [each for piece in cut(huge, rows_per_piece(huge, 1000)) for each in piece]
    assert (stretches[-1].number + 1) * MOST_ROWS < 1 << 63
