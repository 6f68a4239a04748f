from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.snapshots.folders import Blob, DatedFolder, DatedFolders, run_folder_date, timestamp
from shared.snapshots.snapshot import CsvFormat, ParquetFormat, SnapshotFile

WRITTEN = datetime(2026, 11, 22, 14, 33, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def blob(name: str, modified_at: datetime = WRITTEN) -> Blob:
    return Blob(SnapshotFile("land", name, '"1"', 10), modified_at)


def collect(*names: str) -> dict[str, list[DatedFolder]]:
    folders = DatedFolders()
    for name in names:
        folders.add(blob(name))
    return folders.segments()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("20261122", datetime(2026, 11, 22, tzinfo=UTC)),
        ("20261122T1433Z", datetime(2026, 11, 22, 14, 33, tzinfo=UTC)),
        ("20261122143305", datetime(2026, 11, 22, 14, 33, 5, tzinfo=UTC)),
        ("2026-11-22T14-33-05Z", datetime(2026, 11, 22, 14, 33, 5, tzinfo=UTC)),
        ("2026-11-22T14:33:05", datetime(2026, 11, 22, 14, 33, 5, tzinfo=UTC)),
        ("2026-11-22_14-33", datetime(2026, 11, 22, 14, 33, tzinfo=UTC)),
        ("2026-13-22", None),
        ("2026-02-30", None),
        ("1433", None),
        ("latest", None),
        ("v2026-11-22", None),
    ],
)
def test_which_folder_names_are_dates(text: str, expected: datetime | None) -> None:
    assert timestamp(text) == expected


def test_a_segment_is_the_folder_above_a_dated_one() -> None:
    assert list(collect("crm/loyal/2026-11-22/part-0.csv")) == ["crm/loyal"]


@pytest.mark.parametrize(
    "name",
    [
        "crm/loyal/part-0.csv",
        "crm/loyal/2026-11-22/nested/part-0.csv",
        "crm/loyal/2026-11-22/notes.txt",
        "crm/loyal/2026-11-22/_part-0.csv",
        "crm/loyal/2026-11-22/.part-0.csv.crc",
        "2026-11-22/part-0.csv",
        "CustomerInsights_x/Export/Loyal/2026/11/22/1433/Loyal_1.csv",
    ],
)
def test_nothing_else_is_one(name: str) -> None:
    assert collect(name) == {}


def test_the_newest_folder_comes_first_whatever_way_its_date_is_written() -> None:
    folders = collect("s/20261122T1433Z/a.csv", "s/2026-11-21/a.csv", "s/2026-11-22T15-00-00Z/a.csv")["s"]
    assert [folder.path for folder in folders] == ["s/2026-11-22T15-00-00Z", "s/20261122T1433Z", "s/2026-11-21"]


def test_only_the_newest_few_are_remembered_in_whatever_order_they_come() -> None:
    names = [f"s/2026-{month:02}-{day:02}/a.csv" for month in range(1, 13) for day in range(1, 29)]
    for order in (names, names[::-1]):
        folders = collect(*order)["s"]
        assert [folder.path for folder in folders] == [f"s/2026-12-{day}" for day in range(28, 18, -1)]


def test_files_are_read_by_name() -> None:
    [folder] = collect("s/2026-11-22/part-10.csv", "s/2026-11-22/part-02.csv", "s/2026-11-22/_SUCCESS")["s"]
    assert [file.name for file in folder.files] == ["s/2026-11-22/part-02.csv", "s/2026-11-22/part-10.csv"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("part-0.csv", CsvFormat()),
        ("PART.CSV", CsvFormat()),
        ("part-0.csv.gz", CsvFormat(compression="gzip")),
        ("part-0.snappy.parquet", ParquetFormat()),
    ],
)
def test_the_format_is_that_of_the_names(name: str, expected: object) -> None:
    assert collect(f"s/2026-11-22/{name}")["s"][0].format == expected


def unfinished(now: datetime, *blobs: Blob) -> str | None:
    return DatedFolder("s/2026-11-22", WRITTEN, blobs).unfinished(now, MINUTE)


DATA, DONE = blob("s/2026-11-22/part-0.csv"), blob("s/2026-11-22/_SUCCESS")


def test_a_folder_with_a_success_file_is_complete_at_once() -> None:
    assert unfinished(WRITTEN, DATA, DONE) is None


def test_without_one_it_is_complete_when_nothing_changed_for_a_while() -> None:
    assert "still being written" in str(unfinished(WRITTEN + MINUTE - timedelta(seconds=1), DATA))
    assert unfinished(WRITTEN + MINUTE, DATA) is None


def test_the_file_that_changed_last_counts() -> None:
    late = blob("s/2026-11-22/part-1.csv", WRITTEN + MINUTE)
    assert "still being written" in str(unfinished(WRITTEN + MINUTE, DATA, late))


def test_an_empty_folder_is_never_complete() -> None:
    assert "no data files" in str(unfinished(WRITTEN + 9 * MINUTE, DONE))


def test_formats_must_not_be_mixed() -> None:
    assert "mixes" in str(unfinished(WRITTEN + MINUTE, DATA, blob("s/2026-11-22/part-1.parquet")))


def test_the_date_in_a_run_folder_of_customer_insights() -> None:
    assert run_folder_date("x/Loyal/2026/11/22/1433/Loyal_1.csv") == WRITTEN
    assert run_folder_date("x/Loyal/2026/11/22/Loyal_1.csv") == datetime(2026, 11, 22, tzinfo=UTC)
    assert run_folder_date("x/Loyal/2026/99/22/1433/Loyal_1.csv") is None
    assert run_folder_date("x/Loyal/Loyal_1.csv") is None
