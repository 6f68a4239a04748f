"""The model.json of a folder of opt-outs: our own reader takes it, and it says whose it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from shared.delivery.opt_outs import model
from shared.delivery.opt_outs.model import COLUMNS, Part
from shared.delivery.opt_outs.record import FormerFolder, OptOutRecord, added
from shared.snapshots.model_json import parse
from shared.snapshots.snapshot import CsvFormat

PARTS = (Part(1, 3, "2026-11-28T06:00:00+00:00"), Part(2, 1, "2026-11-29T06:00:00+00:00"))
AT = "2026-11-29T06:00:00+00:00"


def test_our_reader_takes_it() -> None:
    found = parse(model.document("my-shop", PARTS, lambda file: f"https://lake.test/x/{file}", AT))
    [table] = found.tables
    assert (table.name, table.columns, table.problems) == ("OptOuts_my_shop", COLUMNS, ())
    assert [each.location for each in table.partitions] == [
        "https://lake.test/x/csv/part-000001.csv",
        "https://lake.test/x/csv/part-000002.csv",
    ]
    assert {each.format for each in table.partitions} == {CsvFormat(header=True)}
    assert [each.refreshed_at for each in table.partitions] == [
        datetime(2026, 11, 28, 6, tzinfo=UTC),
        datetime(2026, 11, 29, 6, tzinfo=UTC),
    ]
    assert found.modified_at == datetime(2026, 11, 29, 6, tzinfo=UTC)


def test_it_says_all_that_the_common_data_model_asks_for() -> None:
    text = model.document("my-shop", PARTS[:1], lambda file: f"https://lake.test/{file}", AT).decode()
    assert text.startswith('{\n "name"'), "people read it too"
    names = (
        *("address", "kind", "opted_out_at", "reason", "list_id", "list_name"),
        *("vendor", "connection", "found_at"),
    )
    assert json.loads(text) == {
        "name": "OptOuts",
        "version": "1.0",
        "culture": "en-US",
        "modifiedTime": AT,
        "annotations": [{"name": "segment-exports:connection", "value": "my-shop"}],
        "entities": [
            {
                "$type": "LocalEntity",
                "name": "OptOuts_my_shop",
                "description": "People who opted out at the vendor, among those whom exports sent there.",
                "attributes": [{"name": each, "dataType": "string"} for each in names],
                "partitions": [
                    {
                        "name": "part-000001",
                        "refreshTime": "2026-11-28T06:00:00+00:00",
                        "location": "https://lake.test/csv/part-000001.csv",
                        "fileFormatSettings": {
                            "$type": "CsvFormatSettings",
                            "columnHeaders": True,
                            "delimiter": ",",
                            "quoteStyle": "QuoteStyle.Csv",
                            "csvStyle": "CsvStyle.QuoteAlways",
                            "encoding": "UTF-8",
                        },
                    }
                ],
            }
        ],
    }
    assert (PARTS[1].parquet, model.FILE) == ("parquet/part-000002.parquet", "model.json")


def test_without_parts_nobody_is_in_it() -> None:
    [table] = parse(model.document("shop", (), str, AT)).tables
    assert (table.partitions, table.problems) == ((), ())


def test_it_says_whose_it_is() -> None:
    made = model.document("shop", PARTS, str, AT)
    assert model.owner(made) == model.owner(b"\xef\xbb\xbf" + made) == "shop"


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"no", b'{"annotations": 1}', json.dumps({"annotations": [{"name": "x"}, 7]}).encode()]
)
def test_anybody_elses_is_nobodys_of_ours(data: bytes) -> None:
    assert model.owner(data) is None


def test_counts_are_added_by_kind() -> None:
    found = {"bounced": 1, "complained": 4}
    assert added(found, {"bounced": 2, "deleted": 1}) == {"bounced": 3, "complained": 4, "deleted": 1}


def test_another_folder_is_empty_and_the_former_one_is_known() -> None:
    kept = OptOutRecord(account="a", location="lake/x", parts=PARTS, since={"roll": "2026"}, whole_at=1.0)
    moved = kept.at("lake/y")
    assert (moved.parts, moved.since, moved.whole_at) == ((), {}, 0.0)
    assert moved.former == (FormerFolder("lake/x", PARTS),)
    back = moved.at("lake/x")
    assert (back.parts, back.former) == (PARTS, ())
    assert kept.at("lake/x") is kept
