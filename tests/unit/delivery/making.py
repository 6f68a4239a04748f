"""Values made of cells by the very queries of a plan, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import duckdb

from shared.catalog.derived import Derived
from shared.delivery import sql
from shared.delivery.plan import cell_values, derived
from shared.delivery.plan.cell_values import Matched


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One for all, since opening it takes longer than most queries."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def filled(given: Mapping[str, Any], **changes: Any) -> Matched:
    """A field that is filled with what is given."""
    return Matched("field", "", derived=Derived.model_validate(given), **changes)


def rows_made(
    matches: Sequence[Matched], cells: Sequence[Mapping[str, str | None]]
) -> list[tuple[dict[str, Any], list[str | None]]]:
    """Values and reasons of rows with cells by column."""
    columns = list(dict.fromkeys(column for row in cells for column in row)) or ["a"]
    names = {column: f"c{number}" for number, column in enumerate(columns)}
    trimmed = ", ".join(f"{sql.trimmed(name)} AS {name}" for name in names.values())
    lists = ", ".join(f"unnest(${number + 1}::VARCHAR[]) AS {name}" for number, name in enumerate(names.values()))
    rows = derived.made(f"SELECT {trimmed} FROM (SELECT {lists})", matches, names)
    filling = derived.cells(matches, names)
    reasons = ", ".join(map(cell_values.left_out, matches, filling))
    found = database().execute(
        f"SELECT {cell_values.values(matches, filling)}, {reasons} FROM ({rows})",
        [[row.get(column) for row in cells] for column in columns],
    )
    return [(json.loads(row[0]), list(row[1:])) for row in found.fetchall()]


def made(given: Mapping[str, Any], cells: Sequence[str | None], **changes: Any) -> tuple[object, str | None]:
    """The value of one row whose columns are a, b, c …, None where there is none; and why it was left out."""
    row = dict(zip("abcdefghij", cells, strict=False)) or {"a": None}
    [(values, [why])] = rows_made([filled(given, **changes)], [row])
    return values.get("field"), why
