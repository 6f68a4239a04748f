"""What changed in a segment since the last run, besides its people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.drift import Drift, Look, drift, plain, to_remember
from shared.delivery.plan.operations import Source, Wish, staging_query
from shared.snapshots.dialect import in_words
from shared.snapshots.snapshot import CsvFormat, ParquetFormat
from tests.unit.delivery.parts import database

BEFORE = Look(
    segment="s/x:Loyal",
    name="Loyal",
    rows=1000,
    dialect=in_words(ParquetFormat()),
    filled={"City": 0.96, "Age": 0.5},
    types={"City": "VARCHAR", "Age": "INTEGER"},
    columns=("EMail", "City", "Age"),
)


def after(**changes: Any) -> Look:
    return replace(BEFORE, **changes)


CASES: dict[str, tuple[Look, Drift]] = {
    "nothing": (after(), Drift()),
    "a column is bare that was full": (
        after(filled={"City": 0.03, "Age": 0.5}),
        Drift(stops=["City is empty in 97% of the rows of Loyal, 4% before"]),
    ),
    "at the limit": (
        after(filled={"City": 0.1}),
        Drift(stops=["City is empty in 90% of the rows of Loyal, 4% before"]),
    ),
    "above the limit": (after(filled={"City": 0.101}), Drift()),
    "a column that never was full": (after(filled={"City": 0.96, "Age": 0.0}), Drift()),
    "a column that was not matched before": (after(filled={"Land": 0.0}), Drift()),
    "too few rows to say": (after(rows=19, filled={"City": 0.0}), Drift()),
    "an excluded segment names nobody": (
        after(bars=True, rows=0, filled={}),
        Drift(stops=["the excluded segment Loyal is empty, and had 1,000 rows before"]),
    ),
    "an excluded segment names few": (after(bars=True, rows=1, filled={"City": 0.0}), Drift()),
    "a segment of the export is empty": (after(rows=0, filled={}), Drift()),
    "other types": (
        after(types={"City": "VARCHAR", "Age": "DOUBLE"}),
        Drift(warnings=["The column Age of Loyal is a floating-point number now, and was a whole number before."]),
    ),
    "wider types of the same kind": (after(types={"City": "VARCHAR", "Age": "BIGINT"}), Drift()),
    "more digits": (after(types={"Price": "DECIMAL(12,2)"}), Drift()),
    "no type, because there is no value": (after(types={"City": "VARCHAR"}), Drift()),
    "written in another way": (
        after(dialect=in_words(CsvFormat()), types={}),
        Drift(
            warnings=[
                "The files of Loyal are written in another way: CSV with a header, separated by commas, UTF-8; "
                "before: Parquet."
            ]
        ),
    ),
    "new columns": (
        after(columns=("EMail", "City", "Age", "Land", "Tier")),
        Drift(mentions=["New in Loyal: Land, Tier."]),
    ),
    "a column less that is not matched": (after(columns=("EMail", "City")), Drift()),
    "texts for nothing": (
        after(texts={"City": 0.4, "Age": 0.01}),
        Drift(
            warnings=[
                "40% of the cells of City in Loyal are the text NULL, None or NaN, and are delivered as that: let the "
                "writer leave them empty."
            ]
        ),
    ),
}


@pytest.mark.parametrize(("look", "expected"), CASES.values(), ids=CASES)
def test_what_differs_is_said(look: Look, expected: Drift) -> None:
    assert drift([look], to_remember(plain([BEFORE]))) == Drift(
        stops=list(expected.stops), warnings=list(expected.warnings), mentions=list(expected.mentions)
    )


def test_where_nothing_is_remembered_nothing_differs() -> None:
    assert drift([BEFORE], {}) == Drift([], [], [])
    assert drift([BEFORE], to_remember(plain([after(segment="s/x:Other", filled={"City": 0.0})]))) == Drift([], [], [])


@pytest.mark.parametrize(
    ("columns", "matched", "kept"),
    [(range(900), range(100), True), (range(3000), range(100), False)],
    ids=["many columns", "more than a row of a table holds"],
)
def test_what_is_remembered_fits_in_a_row_of_a_table(
    columns: Sequence[int], matched: Sequence[int], kept: bool
) -> None:
    wide = after(columns=[f"column {n}" for n in columns], filled={f"column {n}": 1.0 for n in matched})
    remembered = to_remember(json.loads(json.dumps(plain([wide]))))
    assert len(json.dumps(remembered)) < 16_001
    assert ("columns" in remembered[BEFORE.segment]) is kept
    emptied = replace(wide, columns=[*wide.columns, "new"], filled=dict.fromkeys(wide.filled, 0.0))
    found = drift([emptied], remembered)
    assert len(found.stops) == len(matched)
    assert list(found.mentions) == (["New in Loyal: new."] if kept else [])


def test_what_fits_in_no_row_is_not_remembered() -> None:
    names = [f"{'a long name of a column ' * 5}{n}" for n in range(200)]
    assert to_remember(plain([after(filled=dict.fromkeys(names, 1.0))])) == {}


@pytest.mark.parametrize(
    ("rows_before", "filled_before", "rows", "filled", "stops"),
    [
        (20, 0.9, 20, 0.1, True),
        (20, 0.9, 20, 0.101, False),
        (20, 0.899, 20, 0.1, False),
        (19, 0.9, 1000, 0.0, False),
        (1000, 0.9, 19, 0.0, False),
    ],
)
def test_a_column_was_emptied_that_was_nearly_full_and_is_nearly_bare(
    rows_before: int, filled_before: float, rows: int, filled: float, stops: bool
) -> None:
    before = to_remember(plain([after(rows=rows_before, filled={"City": filled_before})]))
    assert bool(drift([after(rows=rows, filled={"City": filled})], before).stops) is stops


KINDS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "a whole number"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "a whole number"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "a floating-point number"),
    **dict.fromkeys(("VARCHAR", "ENUM('a', 'b')", "UUID"), "text"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "a date with a time"),
    "TIMESTAMP WITH TIME ZONE": "a date with a time and a zone",
    "BOOLEAN": "yes or no",
    "DATE": "a date",
    "TIME": "a time of day",
    "DECIMAL(12,2)": "a decimal number",
    "VARCHAR[]": "VARCHAR[]",
}


@pytest.mark.parametrize(("kind", "words"), KINDS.items())
def test_types_are_said_as_people_call_them(kind: str, words: str) -> None:
    before = to_remember(plain([after(types={"City": "BLOB"})]))
    said = f"The column City of Loyal is {words} now, and was BLOB before."
    assert drift([after(types={"City": kind})], before).warnings == [said]


def test_of_many_new_columns_five_are_named() -> None:
    columns = (*BEFORE.columns, *(f"New {number}" for number in range(7)))
    [said] = drift([after(columns=columns)], to_remember(plain([BEFORE]))).mentions
    assert said == "New in Loyal: New 0, New 1, New 2, New 3, New 4 and 2 more."


def test_what_is_remembered_has_sixteen_thousand_characters_at_the_most() -> None:
    def remembered(more: int) -> dict[str, Any]:
        return to_remember(plain([after(segment="s" * more)]))

    size = len(json.dumps(remembered(1))) - 1
    assert len(json.dumps(remembered(16_000 - size))) == 16_000
    assert "columns" in remembered(16_000 - size)["s" * (16_000 - size)]
    assert "columns" not in remembered(16_001 - size)["s" * (16_001 - size)]


TEXTS = {**dict.fromkeys(("NULL", "null", "None", "NaN", "nan"), 2), "Null": 1, "none": 1, "0": 1, "": 0, " ": 0}


def test_texts_that_writers_put_for_nothing_are_known() -> None:
    """Null is a surname too, in another spelling."""
    values = ", ".join(f"('a@b.de', '{text}', 0)" for text in TEXTS)
    source = Source(f"SELECT * FROM (VALUES {values}) AS t(cell_0, cell_1, file_index)")
    query = staging_query(Wish("EMail", [Matched("city", "City")], "mirror"), [source], 1)
    found = database().execute(f"SELECT look_1 FROM ({query}) ORDER BY n").fetchall()
    assert [look for (look,) in found] == list(TEXTS.values())
