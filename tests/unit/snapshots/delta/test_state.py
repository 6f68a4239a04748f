"""What the actions of a log come to, and which of them are refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
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
    assert version([{"commitInfo": {"timestamp": 0}}]).written_at == datetime(1970, 1, 1, tzinfo=UTC)
    last = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) * 1000 - 1
    assert str(version([{"commitInfo": {"timestamp": last}}]).written_at) == "9998-12-31 23:59:59.999000+00:00"
    for said in ({}, {"timestamp": "2026"}, {"timestamp": -1}, {"timestamp": last + 1}, {"timestamp": 10**20}):
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
        ("https://[oops/part-0.parquet", "files by their whole address"),
        ("./part-0.parquet", "files outside of its folder"),
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
    with pytest.raises(BadTable, match="partitioned by a column that it does not have"):
        version(metadata={"partitionColumns": ["Town"]})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        *((kind, "-12", "1.5") for kind in ("long", "integer", "short", "byte")),
        *(("boolean", good, "True") for good in ("true", "false")),
        ("date", "2026-11-22", "22.11."),
        ("string", "two\nlines", None),
        ("decimal(10,2)", "0.-1", None),
    ],
)
def test_a_value_of_a_partition_is_of_its_columns_type(kind: str, good: str, bad: str | None) -> None:
    typed = {"schemaString": schema(["EMail", "By"], ["string", kind]), "partitionColumns": ["By"]}
    for value in (good, "", None):
        assert version([add("a", partitionValues={"By": value})], metadata=typed).files[0].values == (value,)
    if bad:
        with pytest.raises(BadTable, match="which value a has for 'By'"):
            version([add("a", partitionValues={"By": bad})], metadata=typed)


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


NAMELESS: tuple[dict[str, Any], ...] = (
    {},
    {"delta.columnMapping.physicalName": ""},
    {"delta.columnMapping.physicalName": 3},
)


@pytest.mark.parametrize("details", NAMELESS)
def test_a_column_without_a_name_in_the_files_is_not_guessed(details: dict[str, Any]) -> None:
    said = mapping("name") | {"schemaString": schema(["EMail"], details=[details])}
    with pytest.raises(BadTable, match="no readable schema"):
        version(protocol={"minReaderVersion": 2}, metadata=said)


@pytest.mark.parametrize("kind", ["string", "float", "void", "timestamp", "decimal(38, 18)"])
def test_a_plain_type_is_known_by_its_name(kind: str) -> None:
    assert [field.kind for field in version(metadata={"schemaString": schema(["A"], [kind])}).fields] == [kind]


def test_a_column_in_a_column_is_one_that_holds_more_than_a_value() -> None:
    kinds = [{"type": "struct", "fields": []}, {"type": "array", "elementType": "variant"}]
    found = version(metadata={"schemaString": schema(["A", "B"], kinds)})
    assert [field.kind for field in found.fields] == ["nested", "nested"]


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
    "mapping by id": ({"minReaderVersion": 2}, mapping("id"), r"columnMapping \(id\), which"),
    "mapping that the version does not have": ({}, mapping("name"), r"columnMapping \(name\)"),
    "widened types": (
        {},
        {"schemaString": schema(["EMail"], details=[{"delta.typeChanges": [{"fromType": "integer"}]}])},
        "typeWidening, which",
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


@pytest.mark.parametrize(
    "feature",
    [
        *("deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "typeWidening", "variantType"),
        *("typeWidening-preview", "variantType-preview", "variantShredding-preview", "catalogManaged"),
        *("catalogOwned-preview", "adaptiveMetadata-preview", "timestampNanos"),
    ],
)
def test_a_feature_of_readers_is_refused_wherever_it_is_listed(feature: str) -> None:
    with pytest.raises(BadTable, match=rf"uses reader version 1 \({feature}\), which"):
        version(protocol={"writerFeatures": ["appendOnly", feature]})
    with pytest.raises(BadTable, match=rf"uses reader version 3 \({feature}, x\), which"):
        version(protocol={"minReaderVersion": 3, "readerFeatures": [feature, "x"]})


def test_a_deletion_vector_is_refused_wherever_it_comes_from() -> None:
    for kind in ("u", "i", "p"):
        with pytest.raises(BadTable, match="uses deletionVectors, which"):
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
    "a schema without columns": ([{"metaData": METADATA | {"schemaString": '{"fields": 3}'}}], "no readable schema"),
    "a column that is a word": ([{"metaData": METADATA | {"schemaString": '{"fields": ["A"]}'}}], "no readable schema"),
    "details that are a word": (
        [{"metaData": METADATA | {"schemaString": schema(["A"], details=["x"])}}],  # type: ignore[list-item]
        "no readable schema",
    ),
    "no id": ([{"metaData": METADATA | {"id": None}}], "has no id"),
}


@pytest.mark.parametrize(("actions", "words"), BROKEN.values(), ids=BROKEN)
def test_a_log_that_contradicts_itself_is_refused(actions: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(BadTable, match=f"is a Delta table, and .*{words}"):
        version(actions)


def test_a_log_that_does_not_say_what_the_table_is_is_refused() -> None:
    replay = Replay()
    for actions in ([add("a")], [{"metaData": METADATA}]):
        replay.commit(actions)
        with pytest.raises(BadTable, match="does not say what it is"):
            replay.table(0)
    replay = Replay()
    replay.commit([{"protocol": PROTOCOL}])
    with pytest.raises(BadTable, match="does not say what it is"):
        replay.table(0)
    with pytest.raises(BadTable, match="something that is no action"):
        replay.commit(json.loads("[3]"))


def test_limits_are_those_of_the_documentation() -> None:
    told = (Path(__file__).parents[4] / "docs" / "segments.md").read_text()
    assert f"or {state.MOST_FILES:,} files" in told
    assert state.MOST_KNOWN == 5 * state.MOST_FILES


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
