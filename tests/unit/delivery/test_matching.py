"""Cells of a snapshot become the values that the vendor gets."""

from __future__ import annotations

import json

import duckdb
import pytest

from shared.delivery import sql
from shared.delivery.plan import matching
from shared.delivery.plan.matching import Matched
from shared.vendors.contract import FieldType

S, I, N, B, D = FieldType.STRING, FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN, FieldType.DATE  # noqa: E741
LEFT_OUT = object()

CASES = [
    (S, "Ana", "Ana"),
    (S, "  Ana \u00a0", "Ana"),
    (S, '"quoted", and\nbroken', '"quoted", and\nbroken'),
    (S, "Zoë 李 🎉", "Zoë 李 🎉"),
    (S, "07030", "07030"),
    (S, "'; DROP TABLE x --", "'; DROP TABLE x --"),
    (I, "42", 42),
    (I, "-7", -7),
    (I, "42.5", LEFT_OUT),
    (I, "0x1F", LEFT_OUT),
    (I, "99999999999999999999", LEFT_OUT),
    (N, "1.50", 1.5),
    (N, "-2e3", -2000.0),
    (N, "nan", LEFT_OUT),
    (N, "1,5", LEFT_OUT),
    (N, "1" * 400, LEFT_OUT),
    (N, "9" * 250 + "e99", LEFT_OUT),
    (N, "-" + "9" * 309, LEFT_OUT),
    (N, "1e99", 1e99),
    (N, "0.0000000000000000001", 1e-19),
    (B, "TRUE", True),
    (B, "0", False),
    (B, "no", False),
    (B, "perhaps", LEFT_OUT),
    (D, "2026-11-22", "2026-11-22"),
    (D, "2026-11-22T10:00:00Z", "2026-11-22 10:00:00"),
    (D, "2026-11-22T10:00:00+02:00", "2026-11-22 08:00:00"),
    (D, "2026-02-30", LEFT_OUT),
    (D, "22/11/2026", LEFT_OUT),
    (D, "2026-1-5", "2026-01-05 00:00:00"),
    (D, "2026/01/05", "2026-01-05"),
    *((D, text, LEFT_OUT) for text in ("infinity", "-infinity", "epoch", "today", "now", "290000-01-01", "0000-01-01")),
    (D, "9999-12-31T23:59:59-14:00", LEFT_OUT),
    (D, "0001-01-01T00:00:00+14:00", LEFT_OUT),
    (D, "2026-01-01 (BC)", LEFT_OUT),
]


def matched(cells: dict[str, str | None], *matches: Matched) -> tuple[str, list[bool]]:
    columns = ", ".join(f"$c{i} AS {sql.identifier(name)}" for i, name in enumerate(cells))
    flags = ", ".join(matching.left_out(match) for match in matches) or "true"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(
            f"SELECT {matching.values(matches)}, {flags} FROM (SELECT {columns})",
            {f"c{i}": value for i, value in enumerate(cells.values())},
        ).fetchone()
    assert found is not None
    return found[0], list(found[1:])


@pytest.mark.parametrize(("kind", "cell", "expected"), CASES)
def test_a_cell_becomes_its_fields_type_or_is_left_out_and_counted(
    kind: FieldType, cell: str, expected: object
) -> None:
    values, left_out = matched({"c": cell}, Matched("field", "c", kind))
    assert json.loads(values) == ({} if expected is LEFT_OUT else {"field": expected})
    assert left_out == [expected is LEFT_OUT]


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r", "\u00a0"])
@pytest.mark.parametrize("around", ["{}Ana B", "Ana B{}", "{0}{0}Ana B{0}"])
def test_blanks_around_a_cell_are_nothing(blank: str, around: str) -> None:
    values, _ = matched({"c": around.format(blank)}, Matched("field", "c"))
    assert json.loads(values) == {"field": "Ana B"}


@pytest.mark.parametrize("empty", [None, "", "  \t\n", "\u00a0"])
@pytest.mark.parametrize("kind", FieldType)
def test_an_empty_cell_is_kept_or_clears(kind: FieldType, empty: str | None) -> None:
    keep, clear = Matched("a", "c", kind), Matched("b", "c", kind, clear=True)
    values, left_out = matched({"c": empty}, keep, clear)
    assert json.loads(values) == {"b": None}
    assert left_out == [False, False]


def test_fields_stand_in_the_order_of_the_data_matching() -> None:
    values, _ = matched({"x": "1", "y": "2"}, Matched("b", "y"), Matched("a", "x"))
    assert values == '{"b":"2","a":"1"}'


def test_names_of_fields_and_columns_may_hold_anything() -> None:
    odd = 'o\'clock "x" {0}'
    values, _ = matched({odd: "1"}, Matched(odd, odd), Matched(odd + "2", odd, FieldType.INTEGER))
    assert json.loads(values) == {odd: "1", odd + "2": 1}


def test_no_data_matching_is_an_empty_object() -> None:
    assert matched({"c": "x"})[0] == "{}"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(" Ana@Example.COM ", "ana@example.com"), (None, ""), ("\u00a0\t", ""), ("ÅSA@x.se", "åsa@x.se")],
)
def test_an_address_is_trimmed_and_lower_case(cell: str | None, expected: str) -> None:
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {sql.address('c')} FROM (SELECT $c AS c)", {"c": cell}).fetchone()
    assert found == (expected,)
