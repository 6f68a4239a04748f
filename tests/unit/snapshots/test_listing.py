"""Which folder is a state of which segment, and what is said of everything else that lies there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.snapshots.listing import SegmentSeen
from shared.snapshots.snapshot import CsvFormat, ParquetFormat
from tests.unit.snapshots.listed import RULE, SETTLED, WRITTEN, blob, seen, verdict

S = "s/2026-11-22"


def paths(found: list[SegmentSeen]) -> dict[str, list[str]]:
    return {segment.path: [folder.path for folder in segment.folders] for segment in found}


@pytest.mark.parametrize(
    ("name", "segment", "folder"),
    [
        ("crm/loyal/2026-11-22/part-0.csv", "crm/loyal", "crm/loyal/2026-11-22"),
        ("crm/loyal/part-0.csv", "crm/loyal", "crm/loyal"),
        ("loyal/people.csv/part-0.csv", "loyal", "loyal"),
        ("x/BlobExport/Loyal/2026/11/22/1433/Loyal_1.csv", "x/BlobExport/Loyal", "x/BlobExport/Loyal/2026/11/22/1433"),
    ],
)
def test_a_segment_and_its_state(name: str, segment: str, folder: str) -> None:
    assert paths(seen(name)) == {segment: [folder]}


@pytest.mark.parametrize("name", ["loyal/_part-0.csv", "loyal/.part-0.csv.crc", "loyal/_logs/part-0.csv", "_x/a.csv"])
def test_hidden_files_are_nothing(name: str) -> None:
    assert seen(name) == []


def test_the_newest_folder_comes_first_whatever_way_its_date_is_written() -> None:
    found = paths(seen("s/20261122T1433Z/a.csv", "s/2026-11-21/a.csv", "s/2026-11-22T16:00:00+01:00/a.csv"))
    assert found == {"s": ["s/2026-11-22T16:00:00+01:00", "s/20261122T1433Z", "s/2026-11-21"]}


def test_of_two_folders_of_one_moment_the_one_written_last_counts() -> None:
    assert paths(seen(blob("s/2026-11-22/a.csv", 5), "s/dt=20261122/a.csv"))["s"][0] == "s/2026-11-22"
    assert paths(seen("s/2026-11-22/a.csv", blob("s/dt=20261122/a.csv", 5)))["s"][0] == "s/dt=20261122"


def test_only_the_newest_few_are_remembered_in_whatever_order_they_come() -> None:
    names = [f"s/2026-{month:02}-{day:02}/a.csv" for month in range(1, 13) for day in range(1, 29)]
    for order in (names, names[::-1]):
        assert paths(seen(*order))["s"] == [f"s/2026-12-{day}" for day in range(28, 18, -1)]


def test_what_lies_in_the_folder_of_an_export_is_not_looked_at() -> None:
    assert seen("export/loyal/2026-11-22/a.csv", "export/a.csv", exports=("export",)) == []
    assert paths(seen("exported/2026-11-22/a.csv", exports=("export",))) == {"exported": ["exported/2026-11-22"]}


def test_files_are_read_by_name() -> None:
    [segment] = seen(f"{S}/part-10.csv", f"{S}/part-02.csv", f"{S}/_SUCCESS")
    assert [file.name for file in segment.folders[0].files] == [f"{S}/part-02.csv", f"{S}/part-10.csv"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("part-0.csv", CsvFormat(delimiter="")),
        ("PART.TXT", CsvFormat(delimiter="")),
        ("data_0_0_0.gz", CsvFormat(delimiter="", compression="gzip")),
        ("part-0.tsv.gz", CsvFormat(delimiter="", compression="gzip")),
        ("part-0.csv.zst", CsvFormat(delimiter="", compression="zstd")),
        ("data_0_0_0.zst", CsvFormat(delimiter="", compression="zstd")),
        ("part-0.snappy.parquet", ParquetFormat()),
    ],
)
def test_the_format_is_that_of_the_names(name: str, expected: object) -> None:
    assert seen(f"{S}/{name}")[0].folders[0].format == expected


NOT_USED = {
    "formats": (["part-0.csv", "part-1.parquet"], "mixes"),
    "a subfolder": (["part-0.csv", "old/part-1.csv"], "old/part-1.csv"),
    "only subfolders": (["a/part-0.csv", "b/part-0.csv"], "a/part-0.csv, b/part-0.csv"),
    "a date in a date": (["part-0.csv", "2026-11-21/part-0.csv"], "2026-11-21/part-0.csv"),
    "an ending beside": (["part-0.csv", "readme.md"], "readme.md"),
    "no ending": (["part-0.csv", "part-1"], "part-1"),
    "Excel": (["people.xlsx"], "Excel"),
    "Zstandard": (["part-0.json.zst"], "Zstandard"),
    "Parquet in gzip": (["part-0.parquet.gz"], "Parquet compressed once more"),
    "JSON lines": (["part-0.csv", "part-1.jsonl"], "JSON lines"),
    "a file beside Delta": (["a.csv", "t/_delta_log/00000000000000000000.json"], "a Delta table and, beside it, a.csv"),
    "two of Delta": (["t/_delta_log/0.json", "u/_delta_log/0.json"], "holds several Delta tables"),
    "a log of Delta without a version": (["_delta_log/0.json", "part-0.parquet"], "is a Delta table"),
    "Hudi": (["part-0.parquet", ".hoodie/hoodie.properties"], "is a Hudi table"),
    "Iceberg": (["data/part-0.parquet", "metadata/v1.metadata.json"], "is an Iceberg table"),
}


@pytest.mark.parametrize(("names", "words"), NOT_USED.values(), ids=NOT_USED)
def test_what_is_not_understood_in_a_folder_keeps_it_from_being_used(names: list[str], words: str) -> None:
    assert words in str(verdict(*(f"{S}/{name}" for name in names), f"{S}/_SUCCESS"))


@pytest.mark.parametrize("case", ["formats", "a subfolder", "an ending beside", "Excel", "Zstandard", "JSON lines"])
def test_the_same_without_a_date(case: str) -> None:
    names, words = NOT_USED[case]
    assert words in str(verdict(*(f"crm/{name}" for name in names)))


@pytest.mark.parametrize("case", ["Hudi", "Iceberg"])
def test_a_segments_folder_may_be_such_a_table(case: str) -> None:
    names, words = NOT_USED[case]
    [segment] = seen(*(f"crm/{name}" for name in names))
    assert (segment.path, segment.folders) == ("crm", ())
    assert words in segment.beside[0]


def test_a_table_whose_folders_look_like_dates_is_no_segment_of_dated_folders() -> None:
    [segment] = seen("crm/_delta_log/00000000000000000000.json", "crm/dt=2026-11-22/part-0.parquet")
    assert (segment.path, segment.folders) == ("crm", ())
    assert segment.table
    assert [[each.name for each in blobs] for blobs in (segment.table.log, segment.table.others)] == [
        ["crm/_delta_log/00000000000000000000.json"],
        ["crm/dt=2026-11-22/part-0.parquet"],
    ]


LOG = "_delta_log/00000000000000000000.json"


def test_a_delta_table_may_be_a_segments_folder_or_a_state_of_it() -> None:
    names = ["Year=1/part-0.parquet", LOG, "_delta_log/_last_checkpoint", "part-1.parquet", "metadata/v1.metadata.json"]
    for order in (names, names[::-1]):
        [whole] = seen(*(f"crm/{name}" for name in order))
        assert (whole.path, whole.folders) == ("crm", ())
        assert whole.table
        assert [each.name for each in whole.table.log] == [f"crm/{LOG}"]
        assert {"crm/Year=1/part-0.parquet", "crm/part-1.parquet"} <= {each.name for each in whole.table.others}
        [state] = seen(*(f"{S}/{name}" for name in order))
        assert state.folders[0].table
        assert [each.name for each in state.folders[0].table.log] == [f"{S}/{LOG}"]
        assert state.folders[0].unusable(SETTLED, RULE) is None


def test_a_delta_table_may_lie_in_a_folder_of_a_state() -> None:
    [state] = seen(f"{S}/people/{LOG}", f"{S}/people/part-0.parquet", f"{S}/_SUCCESS", blob(S, size=0, directory=True))
    assert state.folders[0].table
    assert state.folders[0].table.path == f"{S}/people"
    assert state.folders[0].unusable(SETTLED, RULE) is None


def test_a_table_is_not_waited_for_but_a_state_that_is_one_settles() -> None:
    early = WRITTEN + timedelta(minutes=1)
    assert "is still being written" in str(verdict(f"{S}/{LOG}", now=early))
    assert verdict(f"{S}/{LOG}", f"{S}/_SUCCESS", now=early) is None
    assert "still to come" in str(verdict(f"s/2062-11-22/{LOG}"))
    marked = ["s/2026-11-21/a.csv", "s/2026-11-21/_SUCCESS"]
    assert verdict(f"{S}/{LOG}", *marked) is None, "what is in its log is whole without a mark"


def test_a_table_with_many_files_leaves_room_for_the_others() -> None:
    [table, segment] = sorted(
        seen(f"a/{LOG}", *(f"a/p={number}/part-0.parquet" for number in range(6_000)), "b/part-0.csv"),
        key=lambda each: each.path,
    )
    assert table.table
    assert len(table.table.others) == 5_000
    assert (segment.path, segment.beside) == ("b", ())


def test_the_folders_of_a_hierarchical_namespace_are_no_files() -> None:
    directories = [blob(name, size=0, directory=True) for name in ("s", S, f"{S}/people.csv")]
    parts = [f"{S}/people.csv/part-0.csv", f"{S}/people.csv/_SUCCESS"]
    assert verdict(*directories, *parts) is None
    unmarked = blob(f"{S}/people.csv", size=0)
    [segment] = seen(unmarked, *parts)
    assert [file.name for file in segment.folders[0].files] == parts[:1]


def test_an_archived_file_is_said() -> None:
    assert "in the archive tier" in str(verdict(blob(f"{S}/a.csv", archived="is in the archive tier")))


def test_a_date_that_is_still_to_come_would_win_for_ever() -> None:
    assert "still to come" in str(verdict("s/2062-11-22/a.csv"))


BESIDE = {
    "a date that is none": (["loyal/2026-13-45/part-0.csv"], "loyal/2026-13-45 looks like a date"),
    "a date the other way round": (["loyal/22-11-2026/part-0.csv"], "loyal/22-11-2026 looks like a date"),
    "a file straight in the folder": (["loyal/extra.csv"], "loyal/extra.csv lies in loyal, but in no dated folder"),
    "a file that is not understood": (["loyal/notes.xlsx"], "notes.xlsx is an Excel workbook"),
    "a folder without a date": (["loyal/latest/part-0.csv"], "loyal/latest/part-0.csv lies in loyal"),
}


@pytest.mark.parametrize(("names", "words"), BESIDE.values(), ids=BESIDE)
def test_what_lies_beside_the_states_of_a_segment_is_said(names: list[str], words: str) -> None:
    [segment] = seen("loyal/2026-11-22/part-0.csv", *names)
    assert segment.folders[0].unusable(SETTLED, RULE) is None
    assert words in segment.beside[0]


def test_what_lies_in_no_segment_is_said() -> None:
    found = {segment.path: segment for segment in seen("people.csv", "2026-11-22/people.csv", "crm/people.csv")}
    assert found[""].beside == (
        "people.csv lies in no segment's folder, so it is not used; put it into one",
        "2026-11-22 is a date and lies in no segment's folder, so it is not used; put it into one",
    )
    assert [folder.path for folder in found["crm"].folders] == ["crm"]


def test_files_without_a_date_are_one_state_or_none() -> None:
    assert paths(seen("s/part-0.csv", "s/part-1.csv", "s/_SUCCESS")) == {"s": ["s"]}
    for names in (
        ["s/people-2026-11-21.csv", "s/people-2026-11-22.csv"],
        ["s/a.csv", blob("s/b.csv", timedelta(days=2) / timedelta(minutes=1))],
    ):
        assert "of different days" in str(verdict(*names, now=WRITTEN + timedelta(days=9)))


def test_a_location_may_be_a_segments_own_folder() -> None:
    assert paths(seen("crm/loyal/2026-11-22/a.csv", root="crm/loyal")) == {"crm/loyal": ["crm/loyal/2026-11-22"]}
