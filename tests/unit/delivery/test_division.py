"""Into how many parts a segment is divided: by its rows, by its ledger, by the files that it lies in."""

from __future__ import annotations

import pytest

from shared.delivery.plan.division import division, parts_for
from shared.delivery.state.files import DataFile
from shared.delivery.state.ledger import Ledger, LedgerFile
from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat, Snapshot, SnapshotFile
from tests.unit.delivery.planning import AT

PLAIN, PACKED, PARQUET = CsvFormat(), CsvFormat(compression="gzip"), ParquetFormat()
THOUSAND = 150_000
"""Bytes of a thousand rows, as they are guessed."""


def snapshot(size: int, kind: Format = PLAIN) -> Snapshot:
    return Snapshot("s", "s", AT, "k", (SnapshotFile("c", "n", "e", size),), kind, ())


def in_parts(number: int, thousands: int = 0) -> Snapshot:
    """A segment that a Spark job divided."""
    size = thousands * 15_000 // number
    names = [f"s/parted_v1_{number}={part}/f.parquet" for part in range(number)]
    files = tuple(SnapshotFile("c", name, "e", size) for name in names)
    return Snapshot("s", "s", AT, "s", files, PARQUET, (), partitioned=(f"parted_v1_{number}",))


def ledger(parts: int, rows: int = 0) -> Ledger:
    """So many rows in so many files."""
    width = 256 // parts
    files = (DataFile(f"{part}.parquet", "", 0, rows // parts) for part in range(parts))
    return Ledger(files=tuple(LedgerFile(n * width, (n + 1) * width - 1, 0, file, 0) for n, file in enumerate(files)))


NONE = Ledger()


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (0, 1),
        (1_000_000, 1),
        (1_250_000, 1),
        (1_250_001, 4),
        (2_000_000, 4),
        (2_000_001, 8),
        (10_000_000, 32),
        (128_000_000, 256),
        (10**12, 256),
    ],
)
def test_a_segment_of_about_a_million_is_one_part_and_larger_ones_have_parts_of_half_a_million(
    rows: int, parts: int
) -> None:
    assert parts_for(rows, 1_000_000) == parts


@pytest.mark.parametrize(
    ("sizes", "kind", "parts"),
    [
        ([], PLAIN, 1),
        ([0], PLAIN, 1),
        ([THOUSAND], PLAIN, 1),
        ([2 * THOUSAND], PLAIN, 4),
        ([THOUSAND, THOUSAND], PLAIN, 4),
        ([THOUSAND // 10], PACKED, 1),
        ([THOUSAND // 5], PACKED, 4),
        ([THOUSAND // 5], PARQUET, 4),
    ],
)
def test_rows_are_guessed_by_the_bytes_of_all_segments(sizes: list[int], kind: Format, parts: int) -> None:
    assert division([snapshot(size, kind) for size in sizes], NONE, 1000) == parts


@pytest.mark.parametrize(
    ("before", "thousands", "parts"),
    [
        (ledger(1, 1000), 10, 32),
        (ledger(16, 10_000), 10, 32),
        (ledger(32, 3000), 3, 32),
        (ledger(2, 1000), 1, 1),
        (ledger(16, 1000), 1, 1),
        (ledger(16, 10_000), 1, 32),
        (ledger(1, 10_000), 0, 32),
    ],
    ids=[
        "it grows out of one part",
        "it was divided in larger parts",
        "it stays as finely divided as it is",
        "a million in two parts becomes one",
        "few people in many parts become one",
        "its ledger is much larger than the segment",
        "everybody leaves",
    ],
)
def test_a_ledgers_rows_count_as_a_segments_do(before: Ledger, thousands: int, parts: int) -> None:
    assert division([snapshot(thousands * THOUSAND)], before, 1000) == parts


@pytest.mark.parametrize(
    ("own", "thousands", "before", "parts"),
    [
        (16, 10, NONE, 16),
        (16, 10, ledger(32, 10_000), 16),
        (4, 10, NONE, 4),
        (2, 10, NONE, 32),
        (16, 1, NONE, 1),
    ],
    ids=[
        "as it lies",
        "whatever its ledger's parts",
        "as long as parts are not far too large",
        "it is divided far too coarsely",
        "a small one is read in one go",
    ],
)
def test_a_segment_that_is_divided_already_stays_so_where_that_serves(
    own: int, thousands: int, before: Ledger, parts: int
) -> None:
    assert division([in_parts(own, thousands)], before, 1000) == parts
