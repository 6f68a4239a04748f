"""Whatever the cells of a row hold, each vendor's request for that person can be built."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.delivery.plan import cell_values
from shared.delivery.plan.cell_values import Cell, Matched
from shared.vendors.campaign_monitor.people import Forms, Shape
from shared.vendors.contract import FieldType, Kind, Row
from shared.vendors.dotdigital import requests as dotdigital
from shared.vendors.iterable import requests as iterable
from shared.vendors.omnisend import requests as omnisend

NOW = "2026-11-22T10:00:00Z"
ADDRESS = "person@example.com"
FIELDS = ("Name", "firstName", "birthdate", "gender", "country", "countryCode", "consentedAt", "OPTINTYPE", "Any")


def _campaign_monitor(row: Row) -> bytes:
    return Forms(Shape({})).entry(row, {})


def _dotdigital(row: Row) -> bytes:
    return dotdigital.person(Kind.ADD, "1", row, dotdigital.told(row.values, FIELDS))


BUILDERS: dict[str, Callable[[Row], bytes]] = {
    "campaign monitor": _campaign_monitor,
    "dotdigital": _dotdigital,
    "iterable": lambda row: iterable.bulk(Kind.ADD, "1", [iterable.person(Kind.ADD, row)]).body or b"",
    "omnisend": lambda row: omnisend.create_batch([omnisend.person(row, NOW).entry]).body or b"",
}

numbers = st.one_of(
    st.floats().map(str),
    st.integers().map(str),
    st.builds(lambda digit, count, power: digit * count + power, st.sampled_from("19"), st.integers(1, 500),
              st.sampled_from(["", "e99", "E-99", ".5"])),
)  # fmt: skip
moments = st.one_of(
    st.dates().map(str),
    st.datetimes().map(str),
    st.sampled_from(["infinity", "-infinity", "epoch", "now", "290000-01-01", "0000-00-00", "2026-02-30", "24:00"]),
)
cells = st.one_of(st.none(), st.text(), numbers, moments)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@settings(max_examples=60, deadline=None)
@given(found=st.lists(st.tuples(cells, st.sampled_from(FieldType), st.booleans()), min_size=1, max_size=len(FIELDS)))
def test_any_cells_make_a_request_of_every_vendor(
    database: duckdb.DuckDBPyConnection, found: Sequence[tuple[str | None, FieldType, bool]]
) -> None:
    usable = [each for each in found if each[0] is None or "\x00" not in each[0]]  # no file of text has that
    matches = [Matched(FIELDS[n], f"c{n}", kind, clear) for n, (_, kind, clear) in enumerate(usable)]
    columns = ", ".join(f"$c{n}::VARCHAR AS c{n}" for n in range(len(usable))) or "1"
    parameters = {f"c{n}": cell for n, (cell, _, _) in enumerate(usable)}
    fetched = database.execute(
        f"SELECT {cell_values.values(matches, [Cell(name) for name in parameters])} FROM (SELECT {columns})", parameters
    ).fetchone()
    assert fetched is not None
    values = str(fetched[0])
    assert all(_is_finite(value) for value in _strict(values).values())
    row = Row(ADDRESS, values)
    for vendor, build in BUILDERS.items():
        body = orjson.loads(build(row))
        assert ADDRESS in json.dumps(body), vendor


def _strict(values: str) -> dict[str, Any]:
    """JSON alone: Python's reader takes NaN and Infinity as well."""
    parsed: dict[str, Any] = orjson.loads(values)
    return parsed


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
