"""No name of a column in a source means anything in a query of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.operations import Source, Wish, staging_query
from shared.snapshots.heads import Head
from shared.snapshots.scanning import identifier, literal, scan
from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat, Snapshot, SnapshotFile

TOGETHER = 15
"""Columns of one query: twice as many take more than twice as long."""


@cache
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


Write = Callable[[Path, Sequence[str], Sequence[str]], tuple[Format, Head]]
"""Writes a file of one row: path, columns and cells."""


def csv(path: Path, columns: Sequence[str], cells: Sequence[str]) -> tuple[Format, Head]:
    path.write_text(",".join(cells) + "\n")
    return CsvFormat(), Head(tuple(columns))


def parquet(path: Path, columns: Sequence[str], cells: Sequence[str]) -> tuple[Format, Head]:
    selected = ", ".join(f"{literal(cell)} AS {identifier(name)}" for name, cell in zip(columns, cells, strict=True))
    database().execute(f"COPY (SELECT {selected}) TO {literal(str(path))} (FORMAT parquet)")
    return ParquetFormat(), Head(tuple(columns), types=("VARCHAR",) * len(columns))


def query(folder: Path, columns: Sequence[str], write: Write = csv) -> str:
    """Of a file with these columns, the first of which holds the address, and value 1, value 2 and so on."""
    path = folder / "part"
    kind, head = write(path, columns, ["ana@example.com", *(f"value {n}" for n in range(1, len(columns)))])
    file = SnapshotFile("land", path.name, '"1"', path.stat().st_size)
    snapshot = Snapshot("s", "s", datetime.now(UTC), "k", (file,), kind, ())
    wish = Wish(columns[0], [Matched(f"field {n}", column) for n, column in enumerate(columns)], "mirror")
    source = scan(snapshot, wish.columns, {file: head}, {file: str(path)})
    return staging_query(wish, [Source(source.sql)], 1)


def arrive(folder: Path, columns: Sequence[str], write: Write = csv) -> None:
    """Each column's cell arrives in the field that it is matched to."""
    rows = database().execute(f'SELECT address, "values" FROM ({query(folder, columns, write)})').fetchall()
    assert [row[0] for row in rows] == ["ana@example.com"]
    values = json.loads(rows[0][1])
    assert values == {"field 0": "ana@example.com"} | {f"field {n}": f"value {n}" for n in range(1, len(columns))}


def ours(folder: Path, write: Write = csv) -> set[str]:
    """Every word of our own queries, in any letter case."""
    words = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", query(folder, ["EMail", "City"], write)))
    return words | {word.upper() for word in words} | {word.lower() for word in words}


def test_columns_may_be_called_like_anything_in_our_queries(tmp_path: Path) -> None:
    words = sorted(ours(tmp_path))
    assert {"n", "segment", "file_index", "cell_0", "address", "N", "SELECT"} <= set(words)
    for start in range(0, len(words), TOGETHER):
        arrive(tmp_path, words[start : start + TOGETHER])


@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_columns_of_parquet_may_be_called_like_anything_in_our_queries(
    tmp_path: Path, case: Callable[[str], str]
) -> None:
    words = sorted({case(word) for word in ours(tmp_path, parquet)})
    assert {case(word) for word in ("n", "segment", "file_index", "cell_0", "address", "read_parquet")} <= set(words)
    for start in range(0, len(words), TOGETHER):
        arrive(tmp_path, words[start : start + TOGETHER], parquet)


def test_columns_may_be_called_like_keywords(tmp_path: Path) -> None:
    words = [
        row[0]
        for row in database().execute("SELECT DISTINCT keyword_name FROM duckdb_keywords() ORDER BY 1").fetchall()
    ]
    assert len(words) > 300
    for start in range(0, len(words), TOGETHER):
        arrive(tmp_path, words[start : start + TOGETHER])


@pytest.mark.parametrize("address", ["n", "Segment", "raw", "values", "address"])
def test_the_address_may_stand_in_any_of_them(tmp_path: Path, address: str) -> None:
    arrive(tmp_path, [address, "n", "City"] if address != "n" else [address, "N", "City"])


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=st.lists(names, min_size=1, max_size=8, unique=True))
def test_columns_may_be_called_anything_at_all(tmp_path: Path, columns: list[str]) -> None:
    arrive(tmp_path, columns)
