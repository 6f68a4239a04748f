"""Table Storage does what runs and definitions rely on."""

from __future__ import annotations

import pytest

from shared.cloud.settings import StorageAddress
from shared.cloud.tables import Delete, Insert, Replace, Table
from shared.errors import Conflict


@pytest.fixture
def table(storage: StorageAddress, unique: str) -> Table:
    return Table(storage, unique)


def row(key: str, value: int = 1) -> dict[str, object]:
    return {"PartitionKey": "p", "RowKey": key, "value": value}


def test_a_row_is_inserted_once(table: Table) -> None:
    table.insert(row("a"))
    with pytest.raises(Conflict):
        table.insert(row("a"))


def test_a_row_is_replaced_only_as_it_was_read(table: Table) -> None:
    first = table.insert(row("a"))
    second = table.replace(row("a", 2), first)
    with pytest.raises(Conflict):
        table.replace(row("a", 3), first)
    stored = table.get("p", "a")
    assert stored is not None
    assert (stored.entity["value"], stored.etag) == (2, second)


def test_replacing_a_row_that_is_gone_is_a_conflict(table: Table) -> None:
    etag = table.insert(row("a"))
    table.delete("p", "a")
    with pytest.raises(Conflict):
        table.replace(row("a"), etag)


def test_deleting_is_quiet_about_what_is_gone_and_loud_about_what_changed(table: Table) -> None:
    table.delete("p", "never there")
    old = table.insert(row("a"))
    table.replace(row("a", 2), old)
    with pytest.raises(Conflict):
        table.delete("p", "a", old)


def test_a_query_gives_a_range_in_key_order(table: Table) -> None:
    for key in ("c", "a", "b", "d"):
        table.insert(row(key))
    assert [found.entity["RowKey"] for found in table.query("p", first="b", last="d")] == ["b", "c"]


def test_a_transaction_is_all_or_nothing(table: Table) -> None:
    etag = table.insert(row("taken"))
    with pytest.raises(Conflict):
        table.transaction("p", [Insert(row("new")), Insert(row("taken"))])
    assert table.get("p", "new") is None
    table.transaction("p", [Insert(row("new")), Replace(row("taken", 2), etag)])
    found = table.get("p", "taken")
    assert found is not None
    with pytest.raises(Conflict):
        table.transaction("p", [Delete("new", etag), Delete("taken", found.etag)])
    assert table.get("p", "new") is not None
