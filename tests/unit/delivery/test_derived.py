"""Values that are made of columns: the table of `docs/derived-values.md`, and what it cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.catalog.derived import DatePattern, Function, Take
from shared.delivery.plan import derived
from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.letters import PARTICLES
from shared.vendors.contract import FieldType, Fit
from tests.unit.delivery.making import filled, made, rows_made

DOCUMENT = Path(__file__).parents[3] / "docs" / "derived-values.md"


def documented() -> Iterator[tuple[dict[str, Any], list[str | None], str | None, str | None]]:
    """What is made, cells, value and reason of each row of the last table."""
    lines = DOCUMENT.read_text(encoding="utf-8").split("| derived | cells |")[1].splitlines()[2:]
    for line in lines:
        given, cells, value, why = (each.strip() for each in line.strip().strip("|").split(" | "))
        yield (
            json.loads(given.strip("`")),
            json.loads(cells.strip("`")),
            json.loads(value.strip("`") or "null"),
            why.strip(" |") or None,
        )


CASES = list(documented())


@pytest.mark.parametrize(("given", "cells", "value", "why"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_the_document_says_what_is_made(
    given: dict[str, Any], cells: list[str | None], value: str | None, why: str | None
) -> None:
    assert made(given, cells) == (value, why)


def test_the_document_has_a_row_for_each_function_and_for_all_that_is_taken() -> None:
    assert {step["function"] for given, *_ in CASES for step in given.get("steps", ())} == set(Function)
    assert {given.get("take", "column") for given, *_ in CASES} == set(Take)


def test_the_document_names_every_word_that_stays_small() -> None:
    told = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert f"`{' '.join(PARTICLES)}`" in told


NO_DATE: dict[str, Any] = {"columns": ["a"], "steps": [{"function": "date", "reads": "day_month_year"}]}


def test_what_a_step_cannot_read_does_not_clear_the_vendors_value() -> None:
    assert rows_made([filled(NO_DATE, clear=True)], [{"a": "soon"}, {"a": " "}, {"a": "1.2.2026"}]) == [
        ({}, ["no_date"]),
        ({"field": None}, [None]),
        ({"field": "2026-02-01"}, [None]),
    ]


def test_the_first_step_that_fails_is_the_reason() -> None:
    steps = [{"function": "map", "values": {"x": "1.2.2026"}}, *NO_DATE["steps"]]
    given = {"columns": ["a"], "steps": steps}
    assert [made(given, [cell])[1] for cell in ("x", "1.2.2026")] == [None, "not_in_map"]


def test_what_comes_out_is_judged_like_any_cell() -> None:
    joined = {"take": "join", "columns": ["a", "b"]}
    assert made(joined, ["abc", "def"], fit=Fit(longest=6)) == (None, "too_long")
    assert made(joined, ["abc", "def"], fit=Fit(longest=6, cut=True)) == ("abc de", "cut")
    comma = {"columns": ["a"], "steps": [{"function": "decimal_comma"}]}
    assert made(comma, ["1.234,5"], type=FieldType.NUMBER) == (1234.5, None)
    assert made(comma, ["1.234,5"], type=FieldType.INTEGER) == (None, "not_of_type")
    assert made(NO_DATE, ["1.2.2026"], type=FieldType.DATE) == ("2026-02-01", None)
    assert made({"take": "constant", "text": "yes"}, [], type=FieldType.BOOLEAN) == (True, None)


def test_a_telephone_number_has_the_exports_country_unless_the_step_names_one() -> None:
    own = {"columns": ["a"], "steps": [{"function": "phone"}]}
    assert made(own, ["070-123 45 67"], country="SE") == ("+46701234567", None)
    other = {"columns": ["a"], "steps": [{"function": "phone", "country": "GB"}]}
    assert made(other, ["01632 960000"], country="SE", type=FieldType.PHONE) == ("+441632960000", None)


HOSTILE = (
    "'",
    "''",
    "'; DROP TABLE x; --",
    '"',
    "\\",
    "\\'",
    "$1",
    "%",
    "{}",
    "{cell}",
    "/* */",
    "chr(0)",
    "' || (SELECT 1) || '",
    "${env}",
    "\\1",
    "李 🎉",
)
"""Texts that mean something to SQL, to regular expressions, or to Python's formats."""


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_write_is_never_a_part_of_the_query(text: str) -> None:
    map_ = {"function": "map", "values": {text: f"{text} found"}, "otherwise": "use", "other": f"{text} else"}
    matches = [
        filled({"take": "constant", "text": text}),
        filled({"take": "join", "columns": [text, "other"], "separator": text}),
        filled({"columns": [text], "steps": [map_]}),
    ]
    matches = [
        type(each)(f"field {number} {text}", "", derived=each.derived, clear=True)
        for number, each in enumerate(matches)
    ]
    rows = rows_made(matches, [{text: text, "other": "B"}, {text: "else", "other": None}])
    assert [list(values.values()) for values, _ in rows] == [
        [text, f"{text}{text}B", f"{text} found"],
        [text, "else", f"{text} else"],
    ]


def test_long_texts_and_large_maps_are_carried_out_whole() -> None:
    long = "ł'" * 500
    values = {f"{number}": f"{long[:900]}{number}" for number in range(200)}
    steps = [{"function": "map", "values": values}]
    assert made({"columns": ["a"], "steps": steps}, ["199"]) == (f"{long[:900]}199", None)
    assert made({"take": "constant", "text": long}, []) == (long, None)
    cell = "LONG " * 20_000
    assert made({"columns": ["a"], "steps": [{"function": "title"}]}, [cell]) == (cell.strip().title(), None)


def test_every_step_reads_the_value_before_it_by_name() -> None:
    """Five steps are five subqueries, not a query of five times as many pieces each time."""

    def length(steps: int) -> int:
        given = {"columns": ["a"], "steps": [{"function": "title"}] * steps}
        return len(derived.made("SELECT c0", [filled(given)], {"a": "c0"}))

    assert length(5) - length(4) == length(4) - length(3)


def test_without_made_values_the_rows_stay_as_they_are() -> None:
    assert derived.made("SELECT c0", [Matched("plain", "a")], {"a": "c0"}) == "SELECT c0"
    assert rows_made([Matched("plain", "a")], [{"a": "A"}]) == [({"plain": "A"}, [None])]


def test_plain_columns_and_made_values_stand_side_by_side() -> None:
    matches = [Matched("plain", "a"), filled({"take": "first", "columns": ["b", "a"]}), Matched("other", "b")]
    assert rows_made(matches, [{"a": "A", "b": None}]) == [({"plain": "A", "field": "A"}, [None, None, None])]


WRITTEN = {
    "YYYY-MM-DD": "2026-03-04",
    "DD.MM.YYYY": "04.03.2026",
    "DD/MM/YYYY": "04/03/2026",
    "MM/DD/YYYY": "03/04/2026",
    "DD-MM-YYYY": "04-03-2026",
    "YYYYMMDD": "20260304",
    "DD.MM.": "04.03.",
    "MM-DD": "03-04",
    "YYYY": "2026",
}


@pytest.mark.parametrize("pattern", DatePattern)
def test_a_date_is_written_as_its_pattern_says(pattern: DatePattern) -> None:
    step = {**NO_DATE["steps"][0], "writes": pattern.value}
    assert made({"columns": ["a"], "steps": [step]}, ["4.3.2026"]) == (WRITTEN[pattern], None)
