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


def test_without_parts_nobody_is_in_it() -> None:
    [table] = parse(model.document("shop", (), str, AT)).tables
    assert (table.partitions, table.problems) == ((), ())


def test_it_says_whose_it_is() -> None:
    assert model.owner(model.document("shop", PARTS, str, AT)) == "shop"


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"no", b'{"annotations": 1}', json.dumps({"annotations": [{"name": "x"}, 7]}).encode()]
)
def test_anybody_elses_is_nobodys_of_ours(data: bytes) -> None:
    assert model.owner(data) is None


def test_counts_are_added_by_kind() -> None:
    assert added({"bounced": 1}, {"bounced": 2, "deleted": 1}) == {"bounced": 3, "deleted": 1}


def test_another_folder_is_empty_and_the_former_one_is_known() -> None:
    kept = OptOutRecord(account="a", location="lake/x", parts=PARTS, since={"roll": "2026"}, whole_at=1.0)
    moved = kept.at("lake/y")
    assert (moved.parts, moved.since, moved.whole_at) == ((), {}, 0.0)
    assert moved.former == (FormerFolder("lake/x", PARTS),)
    back = moved.at("lake/x")
    assert (back.parts, back.former) == (PARTS, ())
    assert kept.at("lake/x") is kept
