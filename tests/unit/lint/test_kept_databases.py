"""Databases that tests use again are as good as new: whatever the service changes of one is put back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import duckdb

from tests.databases import CHANGED, Kept

SHARED = Path(__file__).parents[3] / "shared"
SAME = {"TimeZone", "memory_limit"}
"""Set to what they are: for cursors, and so that memory is given back."""
OTHERS = {"preserve_insertion_order": "false", "disabled_optimizers": "'join_order'"}
"""Values that are not the usual ones, where 1 is none."""


@contextmanager
def started() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect()) as connection:
        yield connection


def test_every_setting_that_the_service_changes_is_put_back() -> None:
    text = "".join(file.read_text() for file in sorted(SHARED.rglob("*.py")))
    changed = set(re.findall(r"execute\(f?\"SET (?:GLOBAL )?(\w+) =", text))
    assert changed - SAME == set(CHANGED)


def test_the_next_user_meets_nothing_of_the_one_before() -> None:
    with ExitStack() as stack:
        pool = Kept(stack)
        with pool.one("small", started) as first:
            new = [first.execute(f"SELECT current_setting('{name}')").fetchone() for name in CHANGED]
            for name in CHANGED:
                first.execute(f"SET {name} = {OTHERS.get(name, '1')}")
            first.execute("CREATE TEMP TABLE left_behind AS SELECT 1")
        with pool.one("small", started) as second:
            assert [second.execute(f"SELECT current_setting('{name}')").fetchone() for name in CHANGED] == new
            assert second.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]


def test_two_users_at_once_have_one_each_and_a_table_that_stays_ends_its_database() -> None:
    with ExitStack() as stack:
        pool = Kept(stack)
        with pool.one("small", started) as first, pool.one("small", started) as second:
            first.execute("CREATE TABLE stays AS SELECT 1")
            assert second.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
        for _ in range(2):
            with pool.one("small", started) as third:
                assert third.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
