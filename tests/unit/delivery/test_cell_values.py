"""Cells of a snapshot become the values that the vendor gets: the table that `docs/matching.md` shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import duckdb
import pytest

from shared.catalog.derived import folded
from shared.delivery import sql
from shared.delivery.plan import cell_values, derived
from shared.delivery.plan.cell_values import LeftOut, Matched
from shared.mailbox import BLANKS, INVISIBLE
from shared.vendors.contract import ANY, FieldType, Fit
from tests.unit.delivery.test_matching_document import cases

S, I, N, B, D, P = FieldType  # noqa: E741
GB = "GB"

LEVELS = Fit(choices=("Platinum", "Gold card", "Silver"), synonyms={"plat": "Platinum"})
LIKES = Fit(choices=("Golf", "Tennis", "Green"), several=True)
LETTERS = ("ΑΘΗΝΑΣ", "İzmir", "STRASSE ẞ", "Ǆ Ⅷ", "two\u2003wide blanks")
"""Their small letters are not the same for all programs."""
COMMAS = Fit(choices=("Red, dark", "Blue"), several=True)
EVERY_MARK = Fit(choices=("Red; dark", "Red | light", "Red, pale", "Red\nhot"), several=True)


@dataclass(frozen=True)
class Case:
    """`value` is what arrives, None where nothing does; `why` is the reason that is counted."""

    kind: FieldType
    cell: str
    value: object = None
    why: LeftOut | None = None
    fit: Fit = ANY
    country: str = ""


HUGE = [
    Case(N, "1e305", 1e305),
    Case(N, "-9.9e307", -9.9e307),
    *(Case(N, cell, None, LeftOut.RANGE) for cell in ("1e308", "-1e308", "1.8e308")),
    *(Case(N, cell, None, LeftOut.RANGE) for cell in ("1" * 400, "9" * 250 + "e99", "-" + "9" * 309)),
]

FITTED = [
    *(Case(S, cell, "Platinum", fit=LEVELS) for cell in ("Platinum", " platinum ", "PLAT")),
    *(Case(S, cell, "Gold card", fit=LEVELS) for cell in ("gold  card", "Gold\u00a0Card")),
    *(Case(S, each, each, fit=Fit(choices=LETTERS)) for each in LETTERS),
    *(Case(S, each, [each], fit=Fit(choices=LETTERS, several=True)) for each in LETTERS),
    Case(S, "αθηνασ", "ΑΘΗΝΑΣ", fit=Fit(choices=LETTERS)),
    Case(S, "GOLD", "gold", fit=Fit(choices=("gold", "Gold"))),
    *(Case(S, cell, None, LeftOut.CHOICE, LEVELS) for cell in ("Gold", "Platinum;Silver", "[]")),
    *(Case(S, cell, ["Golf", "Tennis"], fit=LIKES) for cell in ("Golf;Tennis", "tennis, golf", "Tennis|Golf|golf")),
    *(Case(S, cell, ["Golf", "Tennis"], fit=LIKES) for cell in ('["Tennis","Golf"]', "Golf\nTennis", "Golf;;Tennis;")),
    Case(S, '["Blue","Green"]', ["Green"], LeftOut.CHOICE, LIKES),
    Case(S, "Chess", None, LeftOut.CHOICE, LIKES),
    Case(S, "[broken", None, LeftOut.CHOICE, LIKES),
    Case(S, ";", None, LeftOut.CHOICE, LIKES),
    *(
        Case(S, cell, ["Golf", "Tennis"], fit=LIKES)
        for cell in ("Golf\r\nTennis", "Golf ;\u00a0Tennis\t;", "Golf\u2003|Tennis")
    ),
    *(Case(S, cell, None, LeftOut.CHOICE, LIKES) for cell in ("Golf~Tennis", "Golf/Tennis", "Golf Tennis", "[Golf]")),
    Case(S, "Red, dark", ["Red, dark"], fit=COMMAS),
    Case(S, "red;  DARK", ["Red; dark"], fit=EVERY_MARK),
    Case(S, "Red; dark;Red, pale", None, LeftOut.CHOICE, EVERY_MARK),
    Case(S, '["Red, pale","Red; dark"]', ["Red; dark", "Red, pale"], fit=EVERY_MARK),
    Case(S, "blue;red, dark", ["Red, dark", "Blue"], fit=COMMAS),
    Case(S, "ł" * 5, "ł" * 5, fit=Fit(longest=5)),
    Case(S, "ł" * 6, None, LeftOut.LONG, Fit(longest=5)),
    Case(S, "ł" * 6, "ł" * 5, LeftOut.CUT, Fit(longest=5, cut=True)),
    Case(S, "12", "12", fit=Fit(pattern="[0-9]+")),
    Case(S, "12x", None, LeftOut.TYPE, Fit(pattern="[0-9]+")),
    *(
        Case(D, f"1990-05-17{time}", "1990-05-17", fit=Fit(day=True))
        for time in ("", "T00:00:00+02:00", " 23:30:00-05")
    ),
    Case(D, "1899-12-31", None, LeftOut.RANGE, Fit(day=True, first_day="1900-01-01")),
    Case(D, "2076-06-07", None, LeftOut.RANGE, Fit(day=True, last_day="2076-06-06")),
    Case(N, "1.23456789012", 1.23456789, fit=Fit(digits=18, decimals=9)),
    Case(N, "1234567890123456789", None, LeftOut.RANGE, Fit(digits=18, decimals=9)),
    Case(N, "1e18", None, LeftOut.RANGE, Fit(digits=18, decimals=9)),
    Case(I, "9007199254740993", None, LeftOut.RANGE, Fit(digits=15)),
    Case(P, "01632 960000", "+441632960000", country=GB),
    Case(P, "1632960000", "+441632960000", country=GB),
    Case(P, "(201) 555-0123", "+12015550123", country="US"),
    Case(P, "1-201-555-0123", "+12015550123", country="US"),
    Case(P, "011 44 1632 960000", "+441632960000", country="US"),
    Case(P, "030 1234567", "+49301234567", country="DE"),
    Case(P, "12", None, LeftOut.TYPE, country="DE"),
]

DOCUMENTED = [Case(FieldType(kind), cell, value, LeftOut(why) if why else None) for kind, cell, value, why in cases()]
CASES = [*DOCUMENTED, *HUGE, *FITTED]


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One for all cases, since opening it takes longer than most."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def matched(cells: dict[str, str | None], *matches: Matched) -> tuple[str, list[str | None]]:
    columns = ", ".join(f"{sql.trimmed(f'$c{i}::VARCHAR')} AS c{i}" for i in range(len(cells)))
    names = {column: f"c{i}" for i, column in enumerate(cells)}
    filling = derived.cells(matches, names)
    reasons = ", ".join(map(cell_values.left_out, matches, filling)) or "NULL"
    found = (
        database()
        .execute(
            f"SELECT {cell_values.values(matches, filling)}, {reasons} FROM (SELECT {columns})",
            {f"c{i}": value for i, value in enumerate(cells.values())},
        )
        .fetchone()
    )
    assert found is not None
    return found[0], list(found[1:])


@cache
def of_cases(kind: FieldType) -> dict[str, tuple[str, str | None]]:
    """Values and reasons of all cases of a type, asked for at once: a query of each takes longer."""
    every = {f"c{number}": case for number, case in enumerate(CASES) if case.kind is kind}
    matches = [Matched("field", name, kind, fit=case.fit, country=case.country) for name, case in every.items()]
    names = {name: name for name in every}
    filling = derived.cells(matches, names)
    asked = [
        each
        for match, cell in zip(matches, filling, strict=True)
        for each in (cell_values.values([match], [cell]), cell_values.left_out(match, cell))
    ]
    columns = ", ".join(f"{sql.trimmed(f'${name}::VARCHAR')} AS {name}" for name in every)
    cells = {name: case.cell for name, case in every.items()}
    found = database().execute(f"SELECT {', '.join(asked)} FROM (SELECT {columns})", cells).fetchone()
    assert found is not None
    return dict(zip(names, zip(found[::2], found[1::2], strict=True), strict=True))


@pytest.mark.parametrize(
    ("name", "case"),
    [(f"c{number}", case) for number, case in enumerate(CASES)],
    ids=lambda each: f"{each.kind}-{each.cell[:20]}" if isinstance(each, Case) else each,
)
def test_a_cell_becomes_what_its_field_takes_or_is_left_out_and_counted(name: str, case: Case) -> None:
    values, reason = of_cases(case.kind)[name]
    assert json.loads(values) == ({} if case.value is None else {"field": case.value})
    assert reason == case.why


@pytest.mark.parametrize("around", ["{}Ana B", "Ana B{}", "{0}{0}Åna B{0}"])
def test_blanks_and_invisible_characters_around_a_cell_are_nothing(around: str) -> None:
    cells = {f"U+{ord(blank):04X}": around.format(blank) for blank in BLANKS + INVISIBLE}
    values, _ = matched(dict(cells), *(Matched(each, each) for each in cells))
    assert json.loads(values) == dict.fromkeys(cells, around.format(""))


def test_every_space_of_unicode_is_a_blank() -> None:
    spaces = {chr(code) for code in range(0x110000) if chr(code).isspace()}
    assert spaces == set(BLANKS)


@pytest.mark.parametrize("empty", [None, "", "  \t\n", "\u00a0", "\u200b"])
@pytest.mark.parametrize("kind", FieldType)
def test_an_empty_cell_is_kept_or_clears(kind: FieldType, empty: str | None) -> None:
    keep, clear = Matched("a", "c", kind), Matched("b", "c", kind, clear=True)
    values, reasons = matched({"c": empty}, keep, clear)
    assert json.loads(values) == {"b": None}
    assert reasons == [None, None]


def test_queries_and_python_fold_every_letter_alike() -> None:
    """Choices are folded by one, cells by the other."""
    letters = [chr(code) for code in range(1, 0x20000) if not 0xD800 <= code < 0xE000]
    cells = [f"{each}A{each}{each}" for each in letters]
    query = f"SELECT {cell_values.folded_cell('c')} FROM (SELECT unnest($1::VARCHAR[]) AS c)"
    found = database().execute(query, [cells]).fetchall()
    differ = [
        hex(ord(each)) for each, cell, (small,) in zip(letters, cells, found, strict=True) if folded(cell) != small
    ]
    assert not differ


def test_fields_stand_in_the_order_of_the_data_matching() -> None:
    values, _ = matched({"x": "1", "y": "2"}, Matched("b", "y"), Matched("a", "x"))
    assert values == '{"b":"2","a":"1"}'


def test_names_of_fields_stand_in_it_as_they_are_written_so_that_whoever_did_not_change_is_not_sent_again() -> None:
    values, _ = matched({"c": "Zoë"}, Matched("Größe 李", "c"))
    assert values == '{"Größe 李":"Zoë"}'


def test_names_of_fields_and_columns_may_hold_anything() -> None:
    odd = 'o\'clock "x" {0}'
    values, _ = matched({odd: "1"}, Matched(odd, odd), Matched(odd + "2", odd, FieldType.INTEGER))
    assert json.loads(values) == {odd: "1", odd + "2": 1}


ODD = [
    *('say "hi"', "back\\slash", "a/b", "{}", "null", "Åna 李 😀", "e\u0301", "\u2028x", "x" * 21),
    *(f"a{chr(code)}b" for code in (*range(1, 32), 127, 133, 160)),
]


@pytest.mark.parametrize("fit", [ANY, Fit(longest=20), Fit(longest=20, cut=True), Fit(pattern="[^/]*")])
def test_a_person_of_whom_nothing_is_left_out_has_the_same_text_as_made_value_by_value(fit: Fit) -> None:
    """Ledgers have a digest of it: with another text everybody would be sent again."""
    fields = [Matched(name, name, S, fit=fit) for name in ("b", "a", "C d")]
    filling = derived.cells(fields, {"b": "b", "a": "a", "C d": "c"})
    together = cell_values.values(fields, filling)
    each = ", ".join(cell_values._piece(*pair) for pair in zip(fields, filling, strict=True))
    rows = [(one, other, "plain") for one in ODD for other in ("plain", *ODD[:3], None)]
    database().execute("CREATE OR REPLACE TEMP TABLE cells (b VARCHAR, a VARCHAR, c VARCHAR)")
    database().executemany("INSERT INTO cells VALUES (?, ?, ?)", rows)
    query = f"SELECT {together}, '{{' || concat_ws(',', {each}) || '}}' FROM cells"
    found = database().execute(query).fetchall()
    assert len(found) == len(rows)
    assert [made for made, _ in found] == [before for _, before in found]


def test_no_data_matching_is_an_empty_object() -> None:
    assert matched({"c": "x"})[0] == "{}"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (" Ana@Example.COM ", "ana@example.com"),
        (None, ""),
        ("\u00a0\t", ""),
        ("ÅSA@x.se", "åsa@x.se"),
        ("an\u200ba@example.com\u200b", "ana@example.com"),
        ("\ufeffana@exa\u00admple.com", "ana@example.com"),
        ("ana lee@example.com", "ana lee@example.com"),
    ],
)
def test_an_address_is_trimmed_and_lower_case(cell: str | None, expected: str) -> None:
    found = (
        database()
        .execute(f"SELECT {sql.address(sql.trimmed('c'))} FROM (SELECT $c::VARCHAR AS c)", {"c": cell})
        .fetchone()
    )
    assert found == (expected,)
