"""Table Storage does what runs and definitions rely on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from http.client import BadStatusLine
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from shared.cloud.settings import StorageAddress
from shared.cloud.tables import Delete, Insert, Replace, Table
from shared.errors import Conflict


@pytest.fixture
def table(account: StorageAddress, unique: str) -> Table:
    return Table(account, unique)


def row(key: str, value: Any = 1, partition: str = "p") -> dict[str, Any]:
    return {"PartitionKey": partition, "RowKey": key, "value": value}


def value(table: Table, key: str) -> Any:
    found = table.get("p", key)
    assert found is not None
    return found.entity["value"]


def test_a_row_is_inserted_once(table: Table) -> None:
    table.insert(row("a"))
    with pytest.raises(Conflict):
        table.insert(row("a", 2))
    assert value(table, "a") == 1
    assert table.get("p", "b") is None
    assert table.get("q", "a") is None


def test_a_row_is_replaced_only_as_it_was_read(table: Table) -> None:
    first = table.insert(row("a"))
    second = table.replace(row("a", 2), first)
    with pytest.raises(Conflict):
        table.replace(row("a", 3), first)
    stored = table.get("p", "a")
    assert stored is not None
    assert (stored.entity["value"], stored.etag) == (2, second)


def test_a_row_is_put_whatever_was_there(table: Table) -> None:
    table.put(row("a") | {"more": "old"})
    table.put(row("a", 2))
    found = table.get("p", "a")
    assert found is not None and found.entity == row("a", 2)


def test_a_row_that_is_replaced_keeps_nothing_of_what_it_was(table: Table) -> None:
    etag = table.insert(row("a") | {"more": "old"})
    table.replace(row("a", 2) | {"other": None}, etag)
    found = table.get("p", "a")
    assert found is not None and found.entity == row("a", 2)


def test_replacing_a_row_that_is_gone_is_a_conflict(table: Table) -> None:
    etag = table.insert(row("a"))
    table.delete("p", "a")
    with pytest.raises(Conflict):
        table.replace(row("a"), etag)
    assert table.get("p", "a") is None


def test_deleting_is_quiet_about_what_is_gone_and_loud_about_what_changed(table: Table) -> None:
    table.delete("p", "never there")
    old = table.insert(row("a"))
    new = table.replace(row("a", 2), old)
    with pytest.raises(Conflict):
        table.delete("p", "a", old)
    assert value(table, "a") == 2
    table.delete("p", "a", new)
    assert table.get("p", "a") is None
    table.delete("p", "a", new)


def test_one_of_many_who_replace_at_once_wins(table: Table) -> None:
    read, won = table.insert(row("a", 0)), list[int]()

    def swap(number: int) -> None:
        try:
            table.replace(row("a", number), read)
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [value(table, "a")]


# Values

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789_012, UTC)


@pytest.mark.parametrize(
    "sent", ["", "text", "李雷 'quoted' \"too\"\n", True, False, 0, -5, 2**31 - 1, -(2**31), 1.5, -0.25, MOMENT]
)
def test_values_come_back_as_they_were(table: Table, sent: Any) -> None:
    table.insert(row("a", sent))
    back = value(table, "a")
    assert (back, isinstance(back, bool)) == (sent, isinstance(sent, bool))
    assert isinstance(back, type(sent))


def test_a_moment_comes_back_in_utc(table: Table) -> None:
    table.insert(row("a", MOMENT.astimezone(timezone(timedelta(hours=-7)))))
    assert value(table, "a") == MOMENT
    assert value(table, "a").utcoffset() == timedelta(0)


def test_a_property_without_a_value_is_none_at_all(table: Table) -> None:
    table.insert(row("a", None))
    found = table.get("p", "a")
    assert found is not None and found.entity == {"PartitionKey": "p", "RowKey": "a"}


def test_what_was_read_is_a_copy(table: Table) -> None:
    sent = row("a")
    table.insert(sent)
    sent["value"] = 2
    found = table.get("p", "a")
    assert found is not None
    found.entity["value"] = 3
    assert value(table, "a") == 1


@pytest.mark.parametrize("odd", [2**31, [1], {"a": 1}], ids=repr)
def test_values_of_no_known_type_are_refused(table: Table, odd: Any) -> None:
    with pytest.raises(TypeError):
        table.insert(row("a", odd))


@pytest.mark.parametrize("length", [32_768, 32_769])
def test_a_text_has_at_most_64_kilobytes(table: Table, length: int) -> None:
    if length > 32_768:
        with pytest.raises(HttpResponseError):
            table.insert(row("a", "x" * length))
    else:
        table.insert(row("a", "x" * length))
        assert value(table, "a") == "x" * length


@pytest.mark.parametrize("key", ["a b", "späť", "quote'd", "a:b~c", "a+b%20c", "a@b.example", "\x7e"])
def test_keys_are_taken_as_they_are(table: Table, key: str) -> None:
    etag = table.insert(row(key))
    table.replace(row(key, 2), etag)
    assert value(table, key) == 2
    assert [found.entity["RowKey"] for found in table.query("p", first=key)] == [key]
    table.delete("p", key)
    assert table.get("p", key) is None


# Ranges and conditions


def keys(table: Table, partition: str = "p", **bounds: Any) -> list[str]:
    return [str(found.entity["RowKey"]) for found in table.query(partition, **bounds)]


def test_a_query_gives_a_range_in_key_order(table: Table) -> None:
    for key in ("c", "a", "b", "d"):
        table.insert(row(key))
    table.insert(row("b", partition="q"))
    assert keys(table, first="b", last="d") == ["b", "c"]
    assert keys(table) == ["a", "b", "c", "d"]
    assert keys(table, first="c") == ["c", "d"]
    assert keys(table, last="c") == ["a", "b"]
    assert keys(table, "q") == ["b"]
    assert keys(table, "nobody") == []


def test_keys_are_in_the_order_of_their_characters(table: Table) -> None:
    odd = ["A", "B", "a", "b", "run:1", "run:10", "run:2", "run:~", "Z", "_", "-", "1"]
    for key in odd:
        table.insert(row(key))
    assert keys(table) == sorted(odd)
    assert keys(table, first="run:", last="run:~") == ["run:1", "run:10", "run:2"]


def test_what_a_query_gives_can_be_replaced(table: Table) -> None:
    table.insert(row("a"))
    [found] = table.query("p")
    table.replace(row("a", 2), found.etag)
    assert value(table, "a") == 2


def test_a_range_may_be_longer_than_a_page(table: Table) -> None:
    for start in range(0, 1100, 100):
        table.transaction("p", [Insert(row(f"{number:06d}")) for number in range(start, start + 100)])
    assert keys(table) == [f"{number:06d}" for number in range(1100)]


@pytest.mark.parametrize(
    ("condition", "parameters", "expected"),
    [
        ("RowKey ne ''", {}, ["p:active", "p:run:1", "p:run:2", "q:active", "q:run:3"]),
        ("RowKey eq @row", {"row": "active"}, ["p:active", "q:active"]),
        ("RowKey ge @first and RowKey lt @last", {"first": "run:", "last": "run:2"}, ["p:run:1"]),
        (
            "RowKey ge 'run:' and RowKey lt 'run:~' and finished_at lt @limit",
            {"limit": MOMENT + timedelta(days=1)},
            ["p:run:1"],
        ),
        ("value eq @value", {"value": "it's"}, ["q:active"]),
    ],
)
def test_a_scan_finds_what_meets_a_condition_wherever_it_is(
    table: Table, condition: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    table.insert(row("active"))
    table.insert(row("active", "it's", "q"))
    table.insert(row("run:1") | {"finished_at": MOMENT})
    table.insert(row("run:2") | {"finished_at": MOMENT + timedelta(days=2)})
    table.insert(row("run:3", partition="q"))
    found = [f"{each.entity['PartitionKey']}:{each.entity['RowKey']}" for each in table.scan(condition, parameters)]
    assert found == expected


# Transactions


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


@pytest.mark.parametrize("what", ["replaced", "deleted"])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_transaction_on_what_is_not_as_it_was_read_is_a_conflict(table: Table, what: str, how: str) -> None:
    read = table.insert(row("a"))
    if how == "gone":
        table.delete("p", "a")
    else:
        table.replace(row("a", 2), read)
    step = Replace(row("a", 3), read) if what == "replaced" else Delete("a", read)
    with pytest.raises(Conflict):
        table.transaction("p", [Insert(row("b")), step])
    assert keys(table) == ([] if how == "gone" else ["a"])


def test_a_transaction_tells_the_new_versions_in_order(table: Table) -> None:
    old, gone = table.insert(row("old")), table.insert(row("gone"))
    answers = table.transaction("p", [Insert(row("new")), Delete("gone", gone), Replace(row("old", 2), old)])
    assert answers[1] == ""
    for key, etag in (("new", answers[0]), ("old", answers[2])):
        table.replace(row(key, 3), etag)
    assert keys(table) == ["new", "old"]


@pytest.mark.parametrize("rows", [100, 101])
def test_a_transaction_has_at_most_100_rows(table: Table, rows: int) -> None:
    steps = [Insert(row(f"{number:03d}")) for number in range(rows)]
    if rows > 100:
        with pytest.raises((HttpResponseError, BadStatusLine)):  # the client cannot read what Azurite answers
            table.transaction("p", steps)
        assert keys(table) == []
    else:
        assert all(table.transaction("p", steps))
        assert len(keys(table)) == rows


def test_a_transaction_has_each_row_once(table: Table) -> None:
    with pytest.raises(HttpResponseError):
        table.transaction("p", [Insert(row("a")), Insert(row("a", 2))])
    assert keys(table) == []
