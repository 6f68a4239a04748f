"""A form that DuckDB fills in says what the vendor's Python says of the same person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from shared.delivery.send.reading import sent_rows
from shared.vendors.batches import Reading
from shared.vendors.campaign_monitor import people
from shared.vendors.campaign_monitor.people import Forms, Shape
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.contract import CONFIRMED, Kind, Outcome, Receipt, Row
from shared.vendors.forms import Form
from shared.vendors.iterable import requests as iterable
from shared.vendors.iterable.misfits import Misfits

PLAIN = "ana@example.com"
ADDRESSES = [
    *(PLAIN, "o'neil+x@example.com", "åsa@example.com", "サン@example.com", "a/b@example.com", "%s@example.com"),
    *('"odd name"@example.com', "back\\slash@example.com", "tab\t@example.com", "nul\x01@example.com", "del\x7f@x.com"),
]
TEXTS = [
    *("Ana", "", "O'Neil", 'said "hello"', "back\\slash", '\\"', '","Second":"', '"},{"', "{}", "%b %s", "[]", "null"),
    *(
        "line\nend",
        "tab\t",
        "\x01\x1f",
        "\x7f",
        "\u2028",
        "\ufeff",
        "\ufffd",
        "\U0001f600",
        "👩\u200d👩",
        "Zoë",
        "サン",
    ),
    *("2026-11-30", "1.50", "007", "x" * 250, "x" * 251, "ë" * 125, "ë" * 126, "x" * 70_000),
]
ODD: Sequence[Any] = [None, True, 0, -12, 1.5, 1e300, 123456789012345678, ["a", "b"]]
VALUES: Sequence[Mapping[str, Any]] = [
    {},
    *({"First": text} for text in TEXTS),
    *({"First": text, "Second": "x", "Third field": text} for text in TEXTS),
    *({"First": odd} for odd in ODD),
    *({"First": "x", "Second": odd} for odd in ODD),
    {"First": "a", "Third field": "c"},
    {"Unknown": "x"},
    {"First": "x", "Unknown": "y"},
    {"first": "another field"},
]
PEOPLE = [Row(address, orjson.dumps({"First": "x"}).decode()) for address in ADDRESSES]
PEOPLE += [Row(PLAIN, orjson.dumps(values).decode()) for values in VALUES]
PEOPLE += [Row(address) for address in ADDRESSES]

FIELDS = ("First", "Second", "Third field")
TEXT_FIELDS = {name: ListField(name, f"[{name.replace(' ', '')}]", "Text") for name in FIELDS}


def entries(form: Form, people: Sequence[Row], where: Path) -> list[bytes | None]:
    """As the engine reads them of a plan file."""
    path = where / "operations.parquet"
    columns = "NULL::VARCHAR AS vendor_id, false AS came_back, NULL::DOUBLE AS unsure_since"
    with duckdb.connect() as database:
        database.execute('CREATE TABLE plan (address VARCHAR, "values" VARCHAR)')
        database.executemany("INSERT INTO plan VALUES ($1, $2)", [(each.address, each.values) for each in people])
        database.execute(f"COPY (SELECT *, {columns} FROM plan) TO '{path}' (FORMAT parquet)")
        found = [Row(*row) for row in database.execute(sent_rows(path, form)).fetchall()]
    assert [(each.address, each.values) for each in found] == [(each.address, each.values) for each in people]
    return [each.entry for each in found]


def shape(*fields: str, **others: str) -> Shape:
    return Shape({name: TEXT_FIELDS[name] for name in fields} | {n: ListField(n, n, t) for n, t in others.items()})


def campaign_monitor(made: Shape, fields: Sequence[str]) -> tuple[Form, Callable[[Row], bytes]]:
    form = made.form(fields)
    assert form
    return form, lambda row: people.entry(row, made, {})


@pytest.mark.parametrize("kind", Kind)
def test_iterables_entries_are_those_that_python_writes(kind: Kind, tmp_path: Path) -> None:
    wanted = [iterable.person(kind, row) for row in PEOPLE]
    removals = [row._replace(values="{}") for row in PEOPLE] if kind is Kind.REMOVE else PEOPLE
    found = entries(iterable.FORMS[kind], removals, tmp_path)
    assert [entry for entry in found if entry] == [each for each, entry in zip(wanted, found, strict=True) if entry]
    assert [row.address for row, entry in zip(PEOPLE, found, strict=True) if entry is None] == [
        row.address for row in PEOPLE if orjson.dumps(row.address) != f'"{row.address}"'.encode()
    ]


@pytest.mark.parametrize("fields", [FIELDS, ("First",), ("Name", *FIELDS), ("Name",)], ids="+".join)
def test_campaign_monitors_entries_are_those_that_python_writes(fields: Sequence[str], tmp_path: Path) -> None:
    rows = [*PEOPLE, *(row._replace(values=row.values.replace('"First"', '"Name"')) for row in PEOPLE)]
    made = shape(*FIELDS)
    form, python = campaign_monitor(made, fields)
    found = entries(form, rows, tmp_path)
    # DuckDB writes `\\u001F` where Python writes `\\u001f`.
    assert [orjson.dumps(orjson.loads(entry)) for entry in found if entry] == [
        python(row) for row, entry in zip(rows, found, strict=True) if entry
    ]


def test_whoever_has_short_texts_and_a_plain_address_is_written_by_the_database(tmp_path: Path) -> None:
    form, _ = campaign_monitor(shape(*FIELDS), FIELDS)
    short = [Row(PLAIN, orjson.dumps({"First": text, "Second": "x"}).decode()) for text in TEXTS if len(text) < 126]
    assert all(entries(form, short, tmp_path))


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_whoever_has_anything_but_texts_is_left_to_python(value: Any, tmp_path: Path) -> None:
    form, _ = campaign_monitor(shape(*FIELDS), FIELDS)
    row = Row(PLAIN, orjson.dumps({"First": "x", "Second": value}).decode())
    assert entries(form, [row], tmp_path) == [None]


@pytest.mark.parametrize("values", [{"Unknown": "x"}, {"First": "x", "Unknown": "y"}], ids=str)
@pytest.mark.parametrize("fields", [FIELDS, ()], ids=["plan", "plan of a version that named no fields"])
def test_a_value_that_the_form_knows_nothing_of_is_never_passed_over(
    values: Mapping[str, str], fields: Sequence[str], tmp_path: Path
) -> None:
    form, _ = campaign_monitor(shape(*FIELDS), fields)
    assert entries(form, [Row(PLAIN, orjson.dumps(values).decode())], tmp_path) == [None]


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        (shape("First", Day="Date"), ("First", "Day")),
        (shape("First", Points="Number"), ("First", "Points")),
        (shape("First"), ("First", "MobileNumber")),
        (shape("First"), ("First", "ConsentToTrack")),
        (shape("First"), ("First", "Unknown")),
        (shape("First", **{'odd"': "Text"}), ("First", 'odd"')),
    ],
)
def test_fields_that_take_more_than_texts_have_no_form(made: Shape, fields: Sequence[str]) -> None:
    assert made.form(fields) is None


def test_an_entry_that_is_there_is_sent_as_it_is() -> None:
    row = Row(PLAIN, '{"First":"x"}', entry=b"{}")
    assert iterable.person(Kind.ADD, row) == b"{}"
    assert Forms(shape("First")).entry(row, {}) == b"{}"


def test_whoever_is_sent_again_without_a_value_is_written_anew() -> None:
    misfits = Misfits([Row(PLAIN, '{"First":1}', entry=b'{"email":"ana@example.com"}')], lambda: {"First": "string"})
    misfits.read([0], Reading({0: Receipt(Outcome.REJECTED, "invalid_data")}))
    assert misfits.rows_of([0]) == [Row(PLAIN, "{}")]


def test_of_whoever_was_sent_again_it_is_said_what_was_left_out_once_they_are_accepted() -> None:
    rows = [Row(PLAIN, '{"First":1}'), Row(PLAIN, '{"First":"x"}')]
    misfits = Misfits(rows, lambda: {"First": "string"})
    refused = misfits.read([0, 1], Reading({0: Receipt(Outcome.REJECTED, "invalid_data")}, rest=CONFIRMED))
    accepted = misfits.read([0], Reading({}, rest=CONFIRMED))
    assert (dict(refused.receipts), refused.again, refused.rest) == ({}, [[0]], CONFIRMED)
    assert accepted.receipts[0].left_out == ("First",)
