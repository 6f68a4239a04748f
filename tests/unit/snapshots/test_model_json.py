from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.snapshots.model_json import BadModel, ModelTable, parse
from shared.snapshots.snapshot import CsvFormat, ParquetFormat


def table(partition: dict[str, Any] | None = None, **members: Any) -> ModelTable:
    entity = {
        "name": "Loyal",
        "attributes": [{"name": "Id"}, {"name": "EMail"}],
        "partitions": [{"location": "a.csv"} | (partition or {})],
    } | members
    return parse(json.dumps({"entities": [entity]}).encode()).tables[0]


def csv(partition: dict[str, Any]) -> CsvFormat:
    kind = table(partition).partitions[0].format
    assert isinstance(kind, CsvFormat)
    return kind


def test_columns_are_the_attributes_in_order() -> None:
    assert table().columns == ("Id", "EMail")


def test_what_is_not_declared_is_as_the_common_data_model_says() -> None:
    assert csv({}) == CsvFormat(delimiter=",", quote='"', header=False, encoding="utf-8", compression="none")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"fileFormatSettings": {"columnHeaders": True}}, {"header": True}),
        ({"fileFormatSettings": {"hasHeader": True}}, {"header": True}),
        ({"hasHeader": True}, {"header": True}),
        ({"fileFormatSettings": {"columnHeaders": False}, "hasHeader": True}, {"header": False}),
        ({"fileFormatSettings": {"delimiter": ";"}}, {"delimiter": ";"}),
        ({"fileFormatSettings": {"delimiter": "\t"}}, {"delimiter": "\t"}),
        ({"fileFormatSettings": {"quoteStyle": "QuoteStyle.None"}}, {"quote": ""}),
        ({"fileFormatSettings": {"quoteStyle": "QuoteStyle.Csv", "csvStyle": "CsvStyle.QuoteAlways"}}, {"quote": '"'}),
        ({"fileFormatSettings": {"encoding": "UTF-8"}}, {"encoding": "utf-8"}),
        ({"fileFormatSettings": {"encoding": "ISO-8859-1"}}, {"encoding": "latin-1"}),
        ({"fileFormatSettings": {"$type": "CsvFormatSettings", "pbi:unknown": [1]}}, {}),
        ({"location": "https://x/y/a.CSV.GZ?sig=1"}, {"compression": "gzip"}),
    ],
)
def test_what_is_declared_counts(declared: dict[str, Any], expected: dict[str, Any]) -> None:
    assert csv(declared) == CsvFormat(**{"header": False} | expected)


def test_parquet_is_seen_by_its_name() -> None:
    assert table({"location": "https://x/y/a.parquet?snapshot=1"}).partitions[0].format == ParquetFormat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T14:33:00Z", datetime(2026, 11, 22, 14, 33, tzinfo=UTC)),
        ("2026-11-22T14:33:00.1234567+01:00", datetime(2026, 11, 22, 13, 33, 0, 123456, tzinfo=UTC)),
        ("2026-11-22T14:33:00", datetime(2026, 11, 22, 14, 33, tzinfo=UTC)),
        ("yesterday", None),
    ],
)
def test_times_are_utc(text: str, expected: datetime | None) -> None:
    assert table({"refreshTime": text}).partitions[0].refreshed_at == expected


def test_entities_may_be_called_tables_and_a_byte_order_mark_may_come_first() -> None:
    text = json.dumps({"tables": [{"name": "Loyal"}], "modifiedTime": "2026-11-22T00:00:00Z"})
    model = parse(text.encode("utf-8-sig"))
    assert [found.name for found in model.tables] == ["Loyal"]
    assert model.modified_at == datetime(2026, 11, 22, tzinfo=UTC)


def test_a_model_without_tables_has_none() -> None:
    assert parse(b'{"entities": []}').tables == ()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"entities": 1}', b"[" * 100_000])
def test_what_is_no_model_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(BadModel, match=r"model\.json"):
        parse(data)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"partitions": [{"location": "Loyal/"}]}, "names the folder"),
        ({"incrementalPartitions": [{"location": "a.csv"}]}, "changes"),
        ({"partitions": None}, "names no files"),
        ({"attributes": []}, "no columns"),
        ({"attributes": [{"name": "Id"}, {}]}, "leaves a name out"),
        ({"name": 7}, "leaves a name out"),
        ({"$type": "ReferenceEntity"}, "ReferenceEntity"),
        ({"partitions": [{}]}, "no location"),
        ({"partitions": ["a.csv"]}, "no location"),
        ({"partitions": [{"location": "a", "fileFormatSettings": {"delimiter": "||"}}]}, "one character"),
        ({"partitions": [{"location": "a", "fileFormatSettings": {"encoding": "UTF-7"}}]}, "UTF-7"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(members: dict[str, Any], problem: str) -> None:
    assert problem in "; ".join(table(**members).problems)


def test_a_table_that_is_no_object_is_a_problem_too() -> None:
    assert parse(b'{"entities": [7]}').tables[0].problems


def test_a_table_without_partitions_is_an_empty_one() -> None:
    assert table(partitions=[]).problems == ()


def test_two_tables_of_one_name_are_one_that_cannot_be_read() -> None:
    one = {"name": "Loyal", "attributes": [{"name": "Id"}], "partitions": [{"location": "a.csv"}]}
    found = parse(json.dumps({"entities": [one, one | {"name": "New"}, one]}).encode())
    assert {table.name: bool(table.problems) for table in found.tables} == {"Loyal": True, "New": False}
    assert "2 tables of this name" in found.tables[0].problems[0]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "0001-01-01T00:00Z", "9999-12-31T23:59:59-14:00", "x"])
def test_a_date_that_is_none_is_not_known(text: str) -> None:
    assert table({"refreshTime": text}).partitions[0].refreshed_at is None
    assert parse(json.dumps({"modifiedTime": text, "entities": []}).encode()).modified_at is None


@pytest.mark.parametrize(("said", "header"), [("true", True), ("True", True), ("false", False)])
def test_a_boolean_may_be_written_as_text(said: str, header: bool) -> None:
    assert csv({"fileFormatSettings": {"columnHeaders": said}}).header is header
