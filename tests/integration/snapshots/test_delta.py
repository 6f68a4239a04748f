"""A Delta table is read as its log says: the rows of its newest version and of no other, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ExportError, UserMustAct
from shared.snapshots import reading, walking
from shared.snapshots.delta import log, state, tables
from shared.snapshots.dialect import Dialect, UnreadableDialect
from shared.snapshots.finding import newest_of, newest_snapshot
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import SegmentFound, Snapshot
from shared.wording import say
from tests import databases
from tests.corpus.landed import Landing, later
from tests.delta_tables import COLUMNS, EVERY_ACTION, FIRST_MOMENT, Row, Table, checkpoint_of, commit, parquet, schema
from tests.memory import in_memory
from tests.memory.blobs import MemoryBlob, MemoryContainer

ANNA, BO, CY = [(f"{name.lower()}@example.com", name, "Lund") for name in ("Anna", "Bo", "Cy")]
FOLDERS = {"crm/Loyal": "crm/Loyal", "a dated folder": "crm/Loyal/2026-11-22"}
OTHER_CHECKPOINT = "_delta_log/00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet"


@pytest.fixture
def landing(unique: str) -> Iterator[Landing]:
    with in_memory() as address:
        yield Landing(address, unique)


def land(landing: Landing, table: Table, folder: str = "crm/Loyal") -> None:
    """What is there already stays as it is: nobody writes a table's files twice."""
    for name, content in table.files.items():
        blob = landing.container.get_blob_client(f"{folder}/{name}")
        if not blob.exists() or blob.download_blob().readall() != content:
            landing.put(f"{folder}/{name}", content)


def found(landing: Landing) -> SegmentFound:
    [segment] = landing.found()
    return segment


def read(landing: Landing, columns: Sequence[str] = COLUMNS) -> list[Row]:
    outcome = landing.outcome(found(landing), tuple(columns))
    assert outcome.rows is not None, outcome.said
    assert not outcome.said
    return sorted(outcome.rows, key=str)


def refusal(landing: Landing) -> str:
    segment = found(landing)
    assert segment.snapshot is None
    return "; ".join(segment.problems)


def expected(rows: Sequence[Row]) -> list[Row]:
    return sorted((tuple(cell or None for cell in row) for row in rows), key=str)


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_only_the_rows_of_the_newest_version_are_read(landing: Landing, folder: str) -> None:
    table = Table().create().append([ANNA, BO, CY]).overwrite([ANNA, BO]).delete(lambda row: row == BO)
    land(landing, table, folder)
    assert len([name for name in table.files if name.endswith(".parquet")]) == 3
    assert read(landing) == [ANNA]


def test_a_version_is_a_snapshot(landing: Landing) -> None:
    table = Table().create().append([ANNA])
    land(landing, table)
    segment = found(landing)
    assert segment.snapshot
    assert segment.id == f"{landing.container.container_name}/crm:Loyal"
    assert segment.snapshot.key == f"{segment.id}@t-1/1"
    assert segment.snapshot.taken_at == datetime.fromtimestamp(FIRST_MOMENT / 1000, UTC) + timedelta(minutes=1)
    assert segment.columns == COLUMNS
    assert Snapshot.from_json(json.loads(json.dumps(segment.snapshot.to_json()))) == segment.snapshot
    land(landing, table.append([BO]))
    newer = newest_snapshot(landing.client, segment, later())
    assert newer.key == f"{segment.id}@t-1/2"
    assert newer.taken_at == segment.snapshot.taken_at + timedelta(minutes=1)


def test_in_a_dated_folder_the_folder_says_the_date_and_waits_until_nothing_changes(landing: Landing) -> None:
    land(landing, Table().create().append([ANNA]), "crm/Loyal/2026-11-22")
    assert "is still being written" in "; ".join(landing.found(datetime.now(UTC))[0].problems)
    snapshot = found(landing).snapshot
    assert snapshot
    assert snapshot.taken_at == datetime(2026, 11, 22, tzinfo=UTC)
    assert snapshot.key.endswith("@t-1/1")
    landing.put("crm/Loyal/2026-11-23/_SUCCESS", b"")
    land(landing, Table().create().append([BO]), "crm/Loyal/2026-11-23")
    assert read(landing) == [BO], "a commit is a mark of its own"


def test_a_table_in_a_dated_folder_that_is_not_read_leaves_the_state_before_it(landing: Landing) -> None:
    landing.put("crm/Loyal/2026-11-21/a.csv", b"EMail,FirstName,City\nanna@example.com,Anna,Lund\n")
    land(landing, Table(protocol={"minReaderVersion": 3}).create().append([BO]), "crm/Loyal/2026-11-22")
    outcome = landing.outcome(found(landing))
    assert outcome.rows == [ANNA]
    assert "crm/Loyal/2026-11-22 cannot be read: it is a Delta table that uses reader version 3" in outcome.said


CHECKPOINTS = {"in one file": 1, "in three parts": 3}


@pytest.mark.parametrize("parts", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_checkpoint_stands_for_all_before_it(landing: Landing, parts: int) -> None:
    table = Table(partitioned=["City"]).create().append([ANNA, BO]).append([CY]).checkpoint(parts)
    table.append([("dan@example.com", None, None)]).delete(lambda row: row == CY)
    for version in range(2):
        del table.files[commit(version)]
    land(landing, table)
    assert read(landing) == expected(table.rows)
    assert len(table.rows) == 3


def test_a_checkpoint_of_the_newest_version_is_as_old_as_its_commit(landing: Landing) -> None:
    table = Table().create().append([ANNA]).checkpoint()
    land(landing, table)
    snapshot = found(landing).snapshot
    assert snapshot
    assert snapshot.taken_at == datetime.fromtimestamp(FIRST_MOMENT / 1000 + 60, UTC)
    landing.container.delete_blob(f"crm/Loyal/{commit(1)}")
    again = found(landing).snapshot
    assert again
    assert again.key == snapshot.key
    assert datetime.now(UTC) - again.taken_at < timedelta(hours=1), "and else as its checkpoint"


ODD = ["Köln 50% a/b=c", "Málaga", "x:y", "a b", "%41", "", "2026-11-22", "'", "日本", "a+b", "?#&", "\n"]


def test_values_of_partitions_come_from_the_log_whatever_the_folders_are_called(landing: Landing) -> None:
    rows = [(f"p{number}@example.com", "P", city) for number, city in enumerate(ODD)]
    table = Table(partitioned=["City"]).create().append(rows)
    table.append([("q@example.com", None, "Köln 50% a/b=c")])
    land(landing, table)
    assert read(landing) == expected(table.rows)
    assert len({name for name in table.files if "City=" in name}) == len(ODD) + 1


def test_a_partition_named_by_dates_is_no_folder_of_dates(landing: Landing) -> None:
    columns = ("EMail", "dt")
    days = [(f"p{day}@example.com", f"2026-11-{day:02}") for day in range(1, 25)]
    land(landing, Table(columns, partitioned=["dt"]).create().append(days))
    assert read(landing, columns) == sorted(days)
    land(landing, Table(("EMail", "DAY"), partitioned=["DAY"]).create().append(days), "crm/Early")
    by_name = {segment.name: landing.outcome(segment, ("EMail", "DAY")).rows for segment in landing.found()}
    assert sorted(by_name["Early"] or []) == sorted(days), "though storage lists these folders before the log"


def test_a_column_that_was_added_is_empty_in_older_files(landing: Landing) -> None:
    table = Table().create().append([ANNA]).add_column("Tier").append([(*BO, "vip")])
    land(landing, table)
    columns = (*COLUMNS, "Tier")
    assert found(landing).columns == columns
    assert read(landing, columns) == [(*ANNA, None), (*BO, "vip")]


def test_columns_that_are_mapped_by_name_are_read_under_their_names(landing: Landing) -> None:
    physical = [{"delta.columnMapping.physicalName": f"col-{number}"} for number in range(3)]
    metadata = {
        "schemaString": schema(("EMail", "FirstName", "Town"), details=physical),
        "configuration": {"delta.columnMapping.mode": "name"},
    }
    table = Table([f"col-{number}" for number in range(3)], protocol={"minReaderVersion": 2}, metadata=metadata)
    land(landing, table.create().append([ANNA]))
    assert read(landing, ("Town", "EMail")) == [("Lund", "anna@example.com")]


def test_moments_and_numbers_are_the_same_text_in_every_file(landing: Landing) -> None:
    kinds = ["string", "timestamp", "long", "date"]
    columns = ("EMail", "At", "Count", "Day")
    table = Table(columns, metadata={"schemaString": schema(columns, kinds)}).create()
    for number, kind in enumerate(("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS")):
        row = [f"p{number}@example.com", "2026-11-22 14:33:00", 7, "2026-11-22"]
        data = parquet(columns, [row], ["VARCHAR", kind, "BIGINT", "DATE"])
        table.files[f"{number}.parquet"] = data
        table.commit({"add": {"path": f"{number}.parquet", "size": len(data), "partitionValues": {}}})
    land(landing, table)
    assert {row[1:] for row in read(landing, columns)} == {("2026-11-22T14:33:00+00", "7", "2026-11-22")}


def test_a_column_of_the_files_that_the_schema_does_not_have_is_none(landing: Landing) -> None:
    table = Table().create()
    data = parquet((*COLUMNS, "file_index", "_change_type"), [[*ANNA, "x", "delete"]])
    table.files["a.parquet"] = data
    table.commit({"add": {"path": "a.parquet", "size": len(data), "partitionValues": {}}})
    land(landing, table.append([BO]))
    assert read(landing) == [ANNA, BO]
    segment = found(landing)
    assert segment.columns == COLUMNS
    assert "has no column 'file_index'" in landing.outcome(segment, ("file_index",)).said


def test_a_column_that_holds_more_than_a_value_is_refused_where_it_is_wanted(landing: Landing) -> None:
    columns = ("EMail", "At")
    table = Table(columns, ["At"], metadata={"schemaString": schema(columns, ["string", "timestamp"])}).create()
    land(landing, table.append([("anna@example.com", "2026-11-22 14:33:00")]))
    assert read(landing, ("EMail",)) == [("anna@example.com",)]
    assert "is not a plain value" in landing.outcome(found(landing), ("At",)).said


def test_an_empty_table_is_a_segment_without_anybody(landing: Landing) -> None:
    land(landing, Table().create())
    assert read(landing) == []
    assert found(landing).columns == COLUMNS


def test_files_of_changes_and_what_was_not_committed_are_nobody(landing: Landing) -> None:
    table = Table().create().append([ANNA])
    table.files["part-left-over.parquet"] = parquet(COLUMNS, [BO])
    table.files["_change_data/cdc-0.parquet"] = parquet(COLUMNS, [CY])
    table.files["_delta_log/00000000000000000002.json.tmp"] = b"{"
    land(landing, table)
    assert read(landing) == [ANNA]


def test_what_else_lies_in_its_folder_is_said(landing: Landing) -> None:
    land(landing, Table().create().append([ANNA]))
    landing.put("crm/Loyal/people.csv", b"EMail\nbo@example.com\n")
    landing.put("crm/Loyal/deletion_vector_1.bin", b"x")
    outcome = landing.outcome(found(landing))
    assert outcome.rows == [ANNA]
    assert outcome.said == (
        "crm/Loyal/people.csv lies in the folder of a Delta table and is no file of it, so it is not used"
    )


def test_a_table_that_iceberg_reads_too_is_deltas(landing: Landing) -> None:
    land(landing, Table().create().append([ANNA]))
    landing.put("crm/Loyal/metadata/v1.metadata.json", b"{}")
    assert landing.outcome(found(landing)).rows == [ANNA]


def test_a_table_of_changes_is_not_everyone(landing: Landing) -> None:
    columns = (*COLUMNS, "IsDelete")
    land(landing, Table(columns).create().append([(*ANNA, "True")]))
    assert "a column 'IsDelete', as files of changes have" in refusal(landing)


def test_a_date_that_is_still_to_come_would_win_for_ever(landing: Landing) -> None:
    table = Table().create().append([ANNA])
    table.commit({"commitInfo": None})
    told = {"commitInfo": {"timestamp": FIRST_MOMENT * 2}}
    table.files[commit(2)] = json.dumps(told).encode()
    land(landing, table)
    assert "crm/Loyal has a date that is still to come" in refusal(landing)


def gone(table: Table) -> None:
    del table.files[next(iter(table.live))]


def shortened(table: Table) -> None:
    name = next(iter(table.live))
    table.files[name] = table.files[name][:-1]


def not_json(table: Table) -> None:
    table.files[commit(1)] = b'{"add":'


def damaged_checkpoint(table: Table) -> None:
    table.checkpoint()
    table.files[f"_delta_log/{1:020}.checkpoint.parquet"] = b"PAR1PAR1"


def other_checkpoint(table: Table) -> None:
    table.checkpoint(sidecar=({"path": "VARCHAR"}, {"path": "x"}))


def unknown_in_checkpoint(table: Table) -> None:
    table.checkpoint(future=({"path": "VARCHAR"}, {"path": "x"}))


def vector_in_checkpoint(table: Table) -> None:
    wider = EVERY_ACTION | {"add": EVERY_ACTION["add"] | {"deletionVector": {"storageType": "VARCHAR"}}}
    adds = [{"add": add | {"deletionVector": {"storageType": "u"}}} for add, _ in table.live.values()]
    actions = [{"protocol": table.protocol}, {"metaData": table.metadata}, *adds]
    table.files[f"_delta_log/{1:020}.checkpoint.parquet"] = checkpoint_of(actions, wider)


def only_the_other_checkpoint(table: Table) -> None:
    table.files[OTHER_CHECKPOINT] = b"PAR1"
    del table.files[commit(0)]


def gap(table: Table) -> None:
    table.append([CY])
    del table.files[commit(1)]


REFUSED = {
    gone: "its version 1 names part-00000.parquet, which is not there: it is still being copied, or was taken away",
    shortened: "bytes where its log says",
    not_json: "00000000000000000001.json in its log is not JSON",
    damaged_checkpoint: "is not readable as Parquet",
    other_checkpoint: "uses the action sidecar in its log",
    unknown_in_checkpoint: "uses the action future in its log",
    vector_in_checkpoint: "uses deletionVectors",
    only_the_other_checkpoint: "uses v2Checkpoint",
    gap: "its log lacks version 1",
}


@pytest.mark.parametrize(("spoil", "words"), REFUSED.items(), ids=[each.__name__ for each in REFUSED])
def test_a_table_that_is_not_whole_or_not_understood_is_refused(landing: Landing, spoil: Any, words: str) -> None:
    table = Table().create().append([ANNA, BO])
    spoil(table)
    land(landing, table)
    said = refusal(landing)
    assert said.startswith("crm/Loyal cannot be read: ")
    assert words in said


def test_the_folders_of_a_hierarchical_namespace_are_no_files(landing: Landing) -> None:
    table = Table(partitioned=["City"]).create().append([ANNA])
    table.files["_SUCCESS"] = b""
    for folder in FOLDERS.values():
        land(landing, table, folder)
        for name in ("", "/_delta_log", "/City=Lund", "/empty"):
            landing.container.upload_blob(f"{folder}{name}", b"", metadata={"hdi_isfolder": "true"}, overwrite=True)
        assert read(landing) == [ANNA]
        for blob in list(landing.container.list_blobs()):
            landing.container.delete_blob(blob.name)


def test_a_dialect_of_texts_is_nothing_to_a_table_but_one_that_nobody_can_read_is(landing: Landing) -> None:
    land(landing, Table().create().append([ANNA]))
    name = f"{landing.container.container_name}/crm:Loyal"
    landing.dialects[name] = Dialect(delimiter=";", nulls=("Lund",))
    assert read(landing) == [ANNA]
    landing.dialects[name] = UnreadableDialect(why=say("a comma"))
    assert refusal(landing) == "a comma"


def test_a_table_at_the_top_of_a_container_has_no_name(landing: Landing) -> None:
    for name, content in Table().create().append([ANNA]).files.items():
        landing.put(name, content)
    assert "lies at the top of the container; put it into a folder, which gives it its name" in refusal(landing)


def test_a_file_of_a_version_may_be_called_whatever_its_writer_likes(landing: Landing) -> None:
    table = Table().create()
    table.files["odd"] = data = parquet(COLUMNS, [ANNA])
    table.commit({"add": {"path": "odd", "size": len(data), "partitionValues": {}}})
    land(landing, table)
    assert read(landing) == [ANNA]


def test_an_archived_file_is_said(landing: Landing) -> None:
    table = Table().create().append([ANNA])
    land(landing, table)
    landing.container.get_blob_client(f"crm/Loyal/{next(iter(table.live))}").set_standard_blob_tier("Archive")
    assert "part-00000.parquet is in the archive tier; rehydrate it" in refusal(landing)


def test_a_run_stays_at_the_version_that_it_found(landing: Landing) -> None:
    table = Table().create().append([ANNA, BO])
    land(landing, table)
    snapshot = newest_snapshot(landing.client, found(landing), later())
    land(landing, table.overwrite([CY]))
    with reader(landing.client, landing.settings) as opened:
        rows = opened.connection.execute(opened.scan(snapshot, COLUMNS).sql).fetchall()
    assert sorted(row[:-1] for row in rows) == [ANNA, BO]
    assert read(landing) == [CY]


def test_a_file_that_is_taken_away_while_it_is_read_ends_the_reading(landing: Landing) -> None:
    table = Table().create().append([ANNA, BO])
    land(landing, table)
    snapshot = newest_snapshot(landing.client, found(landing), later())
    landing.container.delete_blob(f"crm/Loyal/{next(iter(table.live))}")
    with (
        pytest.raises(ExportError, match="were replaced while they were read"),
        reader(landing.client, landing.settings) as opened,
    ):
        opened.scan(snapshot, COLUMNS)
    assert "was taken away (VACUUM); restore the file, or write the table anew" in refusal(landing)


def test_another_table_of_the_same_name_is_another_state(landing: Landing) -> None:
    land(landing, Table().create().append([ANNA]))
    first = found(landing).snapshot
    land(landing, Table(metadata={"id": "t-2"}).create().append([BO]))
    second = found(landing).snapshot
    assert first
    assert second
    assert first.key != second.key
    assert read(landing) == [BO], "and what was remembered of the other is not used"


# What looking costs


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was listed, fetched and asked for, in order."""
    noted: list[str] = []
    listing, fetching, asking = MemoryContainer.list_blobs, MemoryBlob.download_blob, MemoryBlob.get_blob_properties

    def listed(container: MemoryContainer, name_starts_with: str | None = None, **options: Any) -> Any:
        noted.append(f"list {name_starts_with}")
        return listing(container, name_starts_with)

    def fetched(blob: MemoryBlob, *given: Any, **options: Any) -> Any:
        noted.append(f"get {blob.blob_name}")
        return fetching(blob, *given, **options)

    def looked(blob: MemoryBlob) -> Any:
        noted.append(f"head {blob.blob_name}")
        return asking(blob)

    monkeypatch.setattr(MemoryContainer, "list_blobs", listed)
    monkeypatch.setattr(MemoryBlob, "download_blob", fetched)
    monkeypatch.setattr(MemoryBlob, "get_blob_properties", looked)
    return noted


def test_a_look_costs_a_listing_and_what_is_new_in_the_log(landing: Landing, asked: list[str]) -> None:
    table = Table().create().append([ANNA]).append([BO]).checkpoint().append([CY])
    land(landing, table)
    asked.clear()
    found(landing)
    checkpoint = f"get crm/Loyal/_delta_log/{2:020}.checkpoint.parquet"
    assert asked == ["list ", checkpoint, *(f"get crm/Loyal/{commit(version)}" for version in (2, 3))]
    asked.clear()
    found(landing)
    assert asked == ["list "]
    land(landing, table.delete(lambda row: row == ANNA))
    asked.clear()
    assert read(landing) == [BO, CY]


LOYAL = "crm/Loyal/"


def test_of_a_table_with_a_long_history_the_log_is_listed_from_its_hint_on(
    landing: Landing, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "FEW", 3)
    monkeypatch.setattr(log, "_BLOCK", 1)
    monkeypatch.setattr(log, "_VERSIONS", 10)
    table = Table().create()
    for number in range(18):
        table.append([(f"p{number}@example.com", "P", "Lund")])
    table.checkpoint()
    for _ in range(3):
        table.append([ANNA])
    land(landing, table)
    wanted = f"{landing.container.container_name}/crm:Loyal"
    snapshot = newest_of(landing.client, landing.locations, wanted, later())
    assert snapshot.key.endswith("/21")
    assert len(snapshot.files) == 21
    logs = [each for each in asked if "_delta_log" in each and "checkpoint.parquet" not in each]
    assert logs == [
        f"list {LOYAL}_delta_log/",
        f"get {LOYAL}_delta_log/_last_checkpoint",
        f"list {LOYAL}_delta_log/{'0' * 18}1",
        f"list {LOYAL}_delta_log/{'0' * 18}2",
        *(f"get {LOYAL}{commit(version)}" for version in (18, 19, 20, 21)),
    ]
    assert len([each for each in asked if each.startswith("head") and "/part-" in each]) == 21
    asked.clear()
    again = newest_of(landing.client, landing.locations, wanted, later())
    assert again == snapshot
    assert not [each for each in asked if each.startswith("get") and "_last_checkpoint" not in each]


HINTS = {
    "none": None,
    "no JSON": b"{",
    "no version": b"{}",
    "of a checkpoint that is gone": b'{"version": 5}',
    "of the future": b'{"version": 500}',
    "of an older checkpoint": b'{"version": 10}',
}


@pytest.mark.parametrize("hint", HINTS.values(), ids=HINTS)
def test_a_hint_is_only_a_hint(landing: Landing, monkeypatch: pytest.MonkeyPatch, hint: bytes | None) -> None:
    monkeypatch.setattr(walking, "FEW", 3)
    monkeypatch.setattr(log, "_BLOCK", 1)
    monkeypatch.setattr(log, "_VERSIONS", 10)
    table = Table().create()
    for number in range(30):
        table.append([(f"p{number}@example.com", "P", "Lund")])
        if number in (9, 24):
            table.checkpoint()
    if hint is None:
        del table.files["_delta_log/_last_checkpoint"]
    else:
        table.files["_delta_log/_last_checkpoint"] = hint
    land(landing, table)
    wanted = f"{landing.container.container_name}/crm:Loyal"
    snapshot = newest_of(landing.client, landing.locations, wanted, later())
    assert snapshot.key.endswith("/30")
    assert len(snapshot.files) == 30


def test_a_hint_at_a_checkpoint_behind_which_the_log_was_cleared_leads_to_no_old_version(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "FEW", 3)
    monkeypatch.setattr(log, "_BLOCK", 1)
    monkeypatch.setattr(log, "_VERSIONS", 10)
    table = Table().create()
    for _ in range(9):
        table.append([ANNA])
    table.append([BO]).checkpoint().overwrite([CY])
    for _ in range(14):
        table.append([CY])
    table.checkpoint()
    for version in range(25):
        del table.files[commit(version)]
    table.files["_delta_log/_last_checkpoint"] = b'{"version": 10}'
    land(landing, table)
    snapshot = newest_of(landing.client, landing.locations, f"{landing.container.container_name}/crm:Loyal", later())
    assert snapshot.key.endswith("@t-1/25")
    assert len(snapshot.files) == 15


def test_many_files_are_listed_and_not_asked_for_one_by_one(
    landing: Landing, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "FEW", 3)
    monkeypatch.setattr(tables, "MOST_ASKED_FOR", 4)
    table = Table().create()
    for number in range(5):
        table.append([(f"p{number}@example.com", "P", "Lund")])
    land(landing, table)
    snapshot = newest_of(landing.client, landing.locations, f"{landing.container.container_name}/crm:Loyal", later())
    assert len(snapshot.files) == 5
    assert not [each for each in asked if each.startswith("head") and "/part-" in each]
    monkeypatch.setattr(tables, "LISTED_FOR_EACH", 2)  # six of the log, and four of the files
    asked.clear()
    again = newest_of(landing.client, landing.locations, f"{landing.container.container_name}/crm:Loyal", later())
    assert again == snapshot
    assert len([each for each in asked if each.startswith("head") and "/part-" in each]) == 1


def test_a_table_of_more_files_than_are_read_is_refused(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_FILES", 2)
    land(landing, Table().create().append([ANNA]).append([BO]).append([CY]))
    assert "has 3 files, of which 2 are read; let its writer make a checkpoint and compact it" in refusal(landing)


def large_checkpoint(tmp_path: Path, files: int) -> bytes:
    """Each file has statistics of 1,500 bytes, as tables of many columns have them."""
    with duckdb.connect() as duck:
        add = "{path: 'p' || i, size: 3, partitionValues: MAP {}::MAP(VARCHAR, VARCHAR), stats: repeat('x', 1500) || i}"
        path = tmp_path / "checkpoint.parquet"
        duck.execute(f"COPY (SELECT {add} AS add FROM range({files}) t(i)) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def test_the_statistics_of_a_large_checkpoint_are_not_fetched(landing: Landing, tmp_path: Path) -> None:
    table = Table().create().checkpoint()
    table.files[f"_delta_log/{0:020}.checkpoint.parquet"] = large_checkpoint(tmp_path, 90_000)
    land(landing, table)
    assert "does not say what it is" in refusal(landing), "and is read to its end"


def test_a_checkpoint_that_takes_too_much_memory_is_not_called_damaged(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(landing, Table().create().checkpoint())
    monkeypatch.setattr(reading, "LOOKING_MB", 1)
    monkeypatch.setattr(reading, "_connection", databases.ANEW)
    assert "looking into it takes more memory than there is for that" in refusal(landing)


def test_an_unreadable_table_says_so_where_it_is_asked_for_by_its_id(landing: Landing) -> None:
    land(landing, Table(protocol={"minReaderVersion": 3, "readerFeatures": ["deletionVectors"]}).create())
    with pytest.raises(UserMustAct, match=r"reader version 3 \(deletionVectors\), which is not read"):
        newest_of(landing.client, landing.locations, f"{landing.container.container_name}/crm:Loyal", later())


# Whatever happens to a table


CELLS = st.sampled_from(["", "Lund", "Köln 50% a/b=c", "x:y", "%41", "日本", "a b", "NULL", "\\N", "2026-11-22"])
ADDRESSES = st.integers(0, 20).map(lambda number: f"p{number}@example.com")
ROWS = st.lists(st.tuples(ADDRESSES, CELLS, CELLS), max_size=4)
STEPS = st.one_of(
    st.tuples(st.just("append"), ROWS),
    st.tuples(st.just("overwrite"), ROWS),
    st.tuples(st.just("delete"), st.sets(ADDRESSES)),
    st.tuples(st.just("checkpoint"), st.integers(1, 3)),
    st.tuples(st.just("vacuum"), st.none()),
    st.tuples(st.just("clear"), st.none()),
)
_numbers = count()


class Mirror:
    """A table, and beside it the rows that plain Python says are in it."""

    def __init__(self, partitioned: Sequence[str]) -> None:
        self.table = Table(partitioned=partitioned).create()
        self.rows: list[Row] = []
        self.checkpointed = -1

    def step(self, kind: str, told: Any) -> None:
        if kind == "append":
            self.rows = [*self.rows, *told]
            self.table.append(told)
        elif kind == "overwrite":
            self.rows = list(told)
            self.table.overwrite(told)
        elif kind == "delete":
            self.rows = [row for row in self.rows if row[0] not in told]
            self.table.delete(lambda row: row[0] in told)
        elif kind == "checkpoint":
            self.checkpointed = self.table.version
            self.table.checkpoint(told)
        elif kind == "vacuum":
            alive = {name for name in self.table.files if name.startswith("_delta_log/")} | self.table.names
            self.table.files = {name: data for name, data in self.table.files.items() if name in alive}
        else:
            for version in range(self.checkpointed):
                self.table.files.pop(commit(version), None)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(STEPS, min_size=1, max_size=8),
    partitioned=st.sampled_from([(), ("City",), ("FirstName", "City")]),
    folder=st.sampled_from(list(FOLDERS.values())),
)
def test_after_whatever_happened_the_rows_are_those_of_plain_python(
    steps: list[tuple[str, Any]], partitioned: tuple[str, ...], folder: str
) -> None:
    mirror = Mirror(partitioned)
    for step in steps:
        mirror.step(*step)
    with in_memory() as address:
        landing = Landing(address, f"delta-{next(_numbers)}")
        land(landing, mirror.table, folder)
        assert read(landing) == expected(mirror.rows)
