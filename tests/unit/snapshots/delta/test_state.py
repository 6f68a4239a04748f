"""What the actions of a log come to, and which of them are refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.snapshots.delta import state
from shared.snapshots.delta.errors import BadTable
from shared.snapshots.delta.state import DeltaTable, Replay
from tests.delta_tables import FIRST_MOMENT, Table, schema

PROTOCOL = {"minReaderVersion": 1, "minWriterVersion": 2}
METADATA = {"id": "t-1", "format": {"provider": "parquet"}, "schemaString": schema(["EMail", "City"])}


def add(path: str, size: int = 3, **more: Any) -> dict[str, Any]:
    return {"add": {"path": path, "size": size, "partitionValues": {}} | more}


def remove(path: str, **more: Any) -> dict[str, Any]:
    return {"remove": {"path": path} | more}


def version(
    *commits: list[dict[str, Any]], protocol: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
) -> DeltaTable:
    """The table after a first commit that says what it is, and these."""
    replay = Replay()
    replay.commit([{"protocol": PROTOCOL | (protocol or {})}, {"metaData": METADATA | (metadata or {})}])
    for each in commits:
        replay.commit(each)
    return replay.table(len(commits))


def paths(*commits: list[dict[str, Any]]) -> list[str]:
    return [file.path for file in version(*commits).files]


def test_files_are_added_and_removed_in_order() -> None:
    assert paths([add("b"), add("a")]) == ["a", "b"]
    assert paths([add("a"), add("b")], [remove("a"), add("c")]) == ["b", "c"]
    assert paths([add("a")], [remove("a")], [add("a")]) == ["a"]
    assert paths([add("a")], [remove("b")]) == ["a"]
    assert paths([add("a")], [add("b"), remove("a")]) == ["b"], "in whatever order a commit has them"


def test_what_an_action_says_last_counts() -> None:
    found = version([add("a", size=3)], [add("a", size=4)], [{"metaData": METADATA | {"id": "t-2"}}])
    assert (found.id, found.version, found.files[0].size) == ("t-2", 3, 4)


def test_actions_of_writers_mean_nothing_and_an_empty_one_is_none() -> None:
    writers = [{"txn": {"appId": "x"}}, {"cdc": {"path": "_change_data/a"}}, {"domainMetadata": {"domain": "x"}}]
    assert paths([add("a") | {"remove": None, "sidecar": None}, *writers]) == ["a"]


def test_a_version_is_as_old_as_its_commit_says() -> None:
    assert version([{"commitInfo": {"timestamp": FIRST_MOMENT}}]).written_at == datetime(
        2026, 11, 18, 11, 6, 40, tzinfo=UTC
    )
    in_commit = {"timestamp": FIRST_MOMENT, "inCommitTimestamp": 1000}
    assert version([{"commitInfo": in_commit}]).written_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    for said in ({}, {"timestamp": "2026"}, {"timestamp": -1}, {"timestamp": 10**20}):
        assert version([{"commitInfo": said}]).written_at is None


def test_a_version_is_never_older_than_the_one_before() -> None:
    moments = [[{"commitInfo": {"timestamp": FIRST_MOMENT + shift}}] for shift in (0, 5_000, -3_000)]
    assert version(*moments[:2]).written_at == version(*moments).written_at
    assert version(moments[0], [add("a")]).written_at == version(moments[0]).written_at


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("part-0.parquet", "part-0.parquet"),
        ("Land%20%C3%BC=K%25C3%25B6ln%252050%2525/p.parquet", "Land ü=K%C3%B6ln%2050%25/p.parquet"),
        ("a+b%2Bc", "a+b+c"),
        ("a%3Ab", "a:b"),
    ],
)
def test_a_path_is_decoded_once(path: str, name: str) -> None:
    assert paths([add(path)]) == [name]


def test_a_file_is_removed_however_its_path_is_written() -> None:
    assert paths([add("K%C3%B6ln"), add("b")], [remove("Köln")]) == ["b"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("abfss://land@account.dfs.core.windows.net/crm/part-0.parquet", "files by their whole address"),
        ("https://account.blob.core.windows.net/land/part-0.parquet", "files by their whole address"),
        ("file:/tmp/part-0.parquet", "files by their whole address"),
        ("/mnt/crm/part-0.parquet", "files by their whole address"),
        ("../other/part-0.parquet", "files outside of its folder"),
        ("a/%2E%2E/%2E%2E/part-0.parquet", "files outside of its folder"),
        ("a//part-0.parquet", "files outside of its folder"),
        ("%FF.parquet", "a file that nobody can be called"),
        ("", "something in its log has no path"),
        (None, "something in its log has no path"),
    ],
)
def test_a_file_that_is_not_in_the_tables_folder_is_refused(path: str | None, words: str) -> None:
    with pytest.raises(BadTable, match=words):
        paths([{"add": {"path": path, "size": 3, "partitionValues": {}}}])


def test_values_of_partitions_are_those_of_the_log() -> None:
    partitioned = {"partitionColumns": ["City"]}
    said = [add(f"City=Malm%C3%B6/{value}.parquet", partitionValues={"City": value}) for value in ("Lund", "", None)]
    assert {file.values for file in version(said, metadata=partitioned).files} == {("Lund",), ("",), (None,)}
    for values in ({}, {"city": "Lund"}, {"City": 3}):
        with pytest.raises(BadTable, match="does not say which value a has for 'City'"):
            version([add("a", partitionValues=values)], metadata=partitioned)
    typed = {"schemaString": schema(["EMail", "At"], ["string", "date"]), "partitionColumns": ["At"]}
    assert version([add("a", partitionValues={"At": "2026-11-22"})], metadata=typed).files[0].values == ("2026-11-22",)
    with pytest.raises(BadTable, match="which value a has for 'At'"):
        version([add("a", partitionValues={"At": "22.11."})], metadata=typed)
    with pytest.raises(BadTable, match="partitioned by a column that it does not have"):
        version(metadata={"partitionColumns": ["Town"]})


MAPPED = schema(["EMail", "City"], details=[{"delta.columnMapping.physicalName": name} for name in ("col-1", "col-2")])


def mapping(mode: str) -> dict[str, Any]:
    return {"schemaString": MAPPED, "configuration": {"delta.columnMapping.mode": mode}}


def test_columns_that_are_mapped_by_name_have_another_in_the_files() -> None:
    found = version(protocol={"minReaderVersion": 2}, metadata=mapping("name"))
    assert [(field.name, field.stored_as) for field in found.fields] == [("EMail", "col-1"), ("City", "col-2")]
    assert [field.stored_as for field in version(metadata={"schemaString": MAPPED}).fields] == ["EMail", "City"]
    by_log = version(
        [add("a", partitionValues={"col-2": "Lund"})],
        protocol={"minReaderVersion": 2},
        metadata=mapping("name") | {"partitionColumns": ["City"]},
    )
    assert [file.values for file in by_log.files] == [("Lund",)]


UNKNOWN: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "reader version 3": (
        {"minReaderVersion": 3, "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]},
        {},
        r"reader version 3 \(deletionVectors\)",
    ),
    "reader version 3 without features": ({"minReaderVersion": 3}, {}, "reader version 3"),
    "a version that nobody knows": ({"minReaderVersion": "two"}, {}, "reader version two"),
    "a feature though the version is low": ({"readerFeatures": ["future"]}, {}, r"reader version 1 \(future\)"),
    "a reader's feature in the writers' list": ({"writerFeatures": ["v2Checkpoint"]}, {}, r"\(v2Checkpoint\)"),
    "mapping by id": ({"minReaderVersion": 2}, mapping("id"), r"columnMapping \(id\)"),
    "mapping that the version does not have": ({}, mapping("name"), r"columnMapping \(name\)"),
    "widened types": (
        {},
        {"schemaString": schema(["EMail"], details=[{"delta.typeChanges": [{"fromType": "integer"}]}])},
        "typeWidening",
    ),
    "a type that nobody knows": ({}, {"schemaString": schema(["EMail"], ["variant"])}, "type variant of a column"),
    "a timestamp without a zone": ({}, {"schemaString": schema(["At"], ["timestamp_ntz"])}, "type timestamp_ntz"),
    "another format": ({}, {"format": {"provider": "orc"}}, "another format than Parquet"),
}


@pytest.mark.parametrize(("protocol", "metadata", "words"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_feature_that_is_not_known_is_refused_by_name_with_a_way_out(
    protocol: dict[str, Any], metadata: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadTable, match=f"is a Delta table that uses .*{words}") as refused:
        version(protocol=protocol, metadata=metadata)
    assert "lower the table as Customer Insights asks for it, too" in str(refused.value)
    assert "or write the rows as CSV or Parquet into a dated folder" in str(refused.value)


@pytest.mark.parametrize("action", ["sidecar", "checkpointMetadata", "future"])
def test_an_action_that_is_not_known_is_refused(action: str) -> None:
    with pytest.raises(BadTable, match=f"uses the action {action} in its log"):
        version([{action: {"path": "x"}}])


def test_a_deletion_vector_is_refused_wherever_it_comes_from() -> None:
    for kind in ("u", "i", "p"):
        with pytest.raises(BadTable, match="deletionVectors"):
            version([add("a", deletionVector={"storageType": kind, "cardinality": 1})])
    assert version([add("a", deletionVector=None)]).files


def test_features_of_writers_are_no_readers_matter() -> None:
    features = {"minWriterVersion": 7, "writerFeatures": ["appendOnly", "rowTracking", "columnMapping", "future"]}
    assert version([add("a")], protocol=features).files


BROKEN: dict[str, tuple[list[dict[str, Any]], str]] = {
    "adds and removes one file": ([add("a"), remove("%61")], r"adds and removes the same file \(a\)"),
    "no size": ([add("a") | {"add": {"path": "a", "partitionValues": {}}}], "how large a is"),
    "no schema": ([{"metaData": {"id": "t"}}], "no readable schema"),
    "a schema that is no JSON": ([{"metaData": METADATA | {"schemaString": "{"}}], "no readable schema"),
    "a column without a name": ([{"metaData": METADATA | {"schemaString": schema([""])}}], "no readable schema"),
    "a column twice": ([{"metaData": METADATA | {"schemaString": schema(["A", "a"])}}], "has the column 'a' twice"),
    "no id": ([{"metaData": METADATA | {"id": None}}], "has no id"),
}


@pytest.mark.parametrize(("actions", "words"), BROKEN.values(), ids=BROKEN)
def test_a_log_that_contradicts_itself_is_refused(actions: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(BadTable, match=f"is a Delta table, and .*{words}"):
        version(actions)


def test_a_log_that_does_not_say_what_the_table_is_is_refused() -> None:
    replay = Replay()
    replay.commit([add("a")])
    with pytest.raises(BadTable, match="does not say what it is"):
        replay.table(0)
    with pytest.raises(BadTable, match="something that is no action"):
        replay.commit(json.loads("[3]"))


def test_more_files_than_may_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_FILES", 2)
    monkeypatch.setattr(state, "MOST_KNOWN", 4)
    assert len(paths([add(name) for name in "abcd"], [remove(name) for name in "ab"])) == 2
    with pytest.raises(
        BadTable, match="has 3 files, of which 2 are read; let its writer make a checkpoint and compact"
    ):
        paths([add(name) for name in "abc"])
    with pytest.raises(BadTable, match="has 5 files, of which 4 are read"):
        paths([add(name) for name in "abcde"], [remove(name) for name in "abcd"])


def test_a_checkpoint_is_what_its_version_was() -> None:
    table = Table().create().append([("a@example.com", "A", "Lund")]).append([("b@example.com", "B", "Cluj")])
    replay = Replay()
    replay.checkpoint([{"protocol": table.protocol}, {"metaData": table.metadata}])
    replay.checkpoint([{"add": each} for each, _ in table.live.values()])
    replay.told([{"commitInfo": {"timestamp": FIRST_MOMENT}}, {"add": {"path": "not looked at"}}])
    found = replay.table(2)
    assert [file.path for file in found.files] == sorted(table.live)
    assert found.written_at
