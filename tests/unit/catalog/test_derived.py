"""Values that are made of columns are refused where they cannot work, with the place and what to do."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.catalog.derived import (
    DONE,
    FUNCTIONS,
    KINDS,
    TAKEN,
    DateOrder,
    DatePattern,
    Derived,
    Function,
    Otherwise,
    Take,
    ValueKind,
    folded,
    in_words,
)
from shared.catalog.issues import Issue, issues_of
from shared.catalog.models import Export, Match
from shared.vendors.contract import FieldType
from shared.vendors.registry import DEFINITIONS as VENDORS
from tests.unit.catalog.samples import START, World, export
from tests.unit.catalog.test_validation import issues, verdict
from tests.unit.delivery.making import made

VIP = "blob/ci:VIP"
FIRST = {"field": "FIRSTNAME", "column": "FirstName"}


def of(field: str, derived: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """A data matching with the field that is asked about."""
    match = {"field": field, "derived": derived, **more}
    return [match] if field == "FIRSTNAME" else [FIRST, match]


def steps(*functions: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    listed = [{"function": each} if isinstance(each, str) else each for each in functions]
    return {"columns": ["Birthday"], "steps": listed, **more}


DATE = {"function": "date", "reads": "day_month_year"}
AS_TEXT = {**DATE, "writes": "DD.MM."}
MAP = {"function": "map", "values": {"1": "Gold"}}


@pytest.mark.parametrize(
    "matching",
    [
        of("FIRSTNAME", {"take": "join", "columns": ["FirstName", "EMail"], "separator": ", "}),
        of("FIRSTNAME", {"take": "first", "columns": ["FirstName", "EMail", "FirstName"], "steps": [MAP]}),
        of("FIRSTNAME", {"take": "constant", "text": "Customer"}),
        of("BORN", steps(DATE)),
        of("BORN", {"take": "constant", "text": "1970-01-01"}),
        of("tier", steps({**AS_TEXT, "two_digit_years_from": 1930}, "upper"), type="string"),
        of("tier", steps("decimal_comma"), type="integer"),
        of("tier", steps({"function": "phone", "country": "SE"})),
        of("tier", steps("lower", "title", MAP)),
        of("tier", {"take": "constant", "text": "-4.0"}, type="integer"),
        of("tier", {"take": "constant", "text": "1e3"}, type="number"),
        of("tier", {"take": "constant", "text": "NO"}, type="boolean"),
    ],
)
def test_what_can_work_is_saved(matching: list[dict[str, Any]]) -> None:
    assert verdict(matching=matching).issues == ()
    assert verdict(matching=matching).warnings == ()


REFUSED: list[tuple[list[dict[str, Any]], str, str]] = [
    (of("x", {"columns": ["Gone"]}), "/matching/1/derived/columns/0", f'"{VIP}" has no column "Gone"'),
    (
        of("x", {"take": "join", "columns": ["EMail", "birthday"]}),
        "/matching/1/derived/columns/1",
        'write it "Birthday"',
    ),
    (
        of("x", steps(DATE, "upper")),
        "/matching/1/derived/steps/1",
        '"Capital letters" changes a text, and there is a date by then: move it before that step, or remove it.',
    ),
    (of("x", steps("decimal_comma", DATE)), "/matching/1/derived/steps/1", "there is a number by then"),
    (of("x", steps("phone", MAP), type="string"), "/matching/1/derived/steps/1", "there is a telephone number by then"),
    (
        of("BORN", steps(AS_TEXT, "decimal_comma")),
        "/matching/1/derived",
        '"BORN" takes values of the type date, and this is a number.',
    ),
    (of("FIRSTNAME", steps(DATE), type="integer"), "/matching/0/type", "leave the type out"),
    (of("x", steps(DATE), type="integer"), "/matching/1/derived", "takes values of the type integer"),
    (of("x", steps(DATE), type="phone"), "/matching/1/derived", "takes values of the type phone"),
    (of("x", steps("decimal_comma"), type="boolean"), "/matching/1/derived", "takes values of the type boolean"),
    (of("BORN", {"take": "constant", "text": "soon"}), "/matching/1/derived/text", '"BORN" cannot hold "soon".'),
    (of("x", {"take": "constant", "text": "1.5"}, type="integer"), "/matching/1/derived/text", "cannot hold"),
    (of("x", {"take": "constant", "text": "1,5"}, type="number"), "/matching/1/derived/text", "cannot hold"),
    (of("x", {"take": "constant", "text": "ja"}, type="boolean"), "/matching/1/derived/text", "cannot hold"),
    (
        of("x", steps({**MAP, "values": {"a": "1", "b": "two"}}), type="integer"),
        "/matching/1/derived/steps/0/values",
        '"x" cannot hold "two".',
    ),
    (
        of("x", steps({**MAP, "values": {"a": "1"}, "otherwise": "use", "other": "none"}), type="integer"),
        "/matching/1/derived/steps/0/values",
        '"x" cannot hold "none".',
    ),
    (
        of("x", steps({**MAP, "values": {"New  York": "1", "new york": "2"}})),
        "/matching/1/derived/steps/0/values",
        '"new york" is there twice: remove one.',
    ),
]


@pytest.mark.parametrize(("matching", "place", "words"), REFUSED)
def test_what_cannot_work_is_refused(matching: list[dict[str, Any]], place: str, words: str) -> None:
    [issue] = issues(matching=matching)
    assert issue.pointer == place
    assert words in issue.message


def test_choices_and_lengths_of_the_vendors_fields_hold_for_what_is_written_down() -> None:
    def wrong(vendor: str, field: str, text: str) -> list[str]:
        found = verdict(
            {"definition": VENDORS[vendor]}, matching=[{"field": field, "derived": {"take": "constant", "text": text}}]
        )
        return [issue.message for issue in found.issues if issue.pointer.startswith("/matching")]

    assert wrong("omnisend", "gender", "M") == []
    assert wrong("omnisend", "gender", "x") == ['"gender" cannot hold "x".']
    assert wrong("klaviyo", "first_name", "a" * 255) == []
    assert wrong("klaviyo", "first_name", "a" * 256) != []
    assert wrong("campaign-monitor", "Own", "a" * 999) == [], "the vendor takes the beginning"


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "", "One column: give one column."),
    ({"columns": ["A", "B"]}, "", "One column: give one column."),
    ({"take": "join", "columns": ["A"]}, "", "Several columns, joined: give two columns or more."),
    ({"take": "first", "columns": []}, "", "The first column that is not empty: give two columns or more."),
    ({"take": "constant", "text": "x", "columns": ["A"]}, "", "The same text for everyone: give no column."),
    ({"take": "constant"}, "", 'Give "text" where the same text is sent for everyone, and nowhere else.'),
    (
        {"columns": ["A"], "text": "x"},
        "",
        'Give "text" where the same text is sent for everyone, and nowhere else.',
    ),
    ({"take": "sum", "columns": ["A"]}, "/take", "Choose one of 'column', 'join', 'first' or 'constant'."),
    ({"columns": ["A\x00"]}, "/columns/0", "Remove the control characters (tabs, line breaks)."),
    (
        {"take": "join", "columns": ["A", "B"], "separator": "\n"},
        "/separator",
        "Remove the control characters (tabs, line breaks).",
    ),
    ({"take": "join", "columns": ["A", "B"], "separator": "-" * 21}, "/separator", "Write at most 20 characters."),
    ({"take": "join", "columns": ["A"] * 11}, "/columns", "Give at most 10."),
    ({"take": "constant", "text": " "}, "/text", "Write at least 1 characters."),
    ({"take": "constant", "text": "a\x7f"}, "/text", "Remove the control characters (tabs, line breaks)."),
    ({"take": "constant", "text": "\ud800"}, "/text", "Write a text of valid Unicode characters."),
    ({"columns": ["A"], "steps": [{"function": "upper"}] * 6}, "/steps", "Give at most 5."),
    ({"columns": ["A"], "steps": [{}]}, "/steps/0/function", "This is required."),
    (
        {"columns": ["A"], "steps": [{"function": "eval"}]},
        "/steps/0/function",
        "Choose one of 'upper', 'lower', 'title', 'map', 'date', 'phone', 'decimal_comma'.",
    ),
    (
        {"columns": ["A"], "steps": [{"function": "upper", "code": "x"}]},
        "/steps/0/code",
        "There is no such property: check its spelling or remove it.",
    ),
    ({"columns": ["A"], "steps": [{"function": "map", "values": {}}]}, "/steps/0/values", "Give at least 1."),
    (
        {"columns": ["A"], "steps": [{"function": "map", "values": {"a": ""}}]},
        "/steps/0/values/a",
        "Write at least 1 characters.",
    ),
    (
        {"columns": ["A"], "steps": [{**MAP, "otherwise": "use"}]},
        "/steps/0",
        'Give "other" with "otherwise": "use", and with nothing else.',
    ),
    (
        {"columns": ["A"], "steps": [{**MAP, "other": "x"}]},
        "/steps/0",
        'Give "other" with "otherwise": "use", and with nothing else.',
    ),
    ({"columns": ["A"], "steps": [{"function": "date"}]}, "/steps/0/reads", "This is required."),
    (
        {"columns": ["A"], "steps": [{**DATE, "two_digit_years_from": 30}]},
        "/steps/0/two_digit_years_from",
        "Write a number of at least 1,800.",
    ),
    (
        {"columns": ["A"], "steps": [{"function": "phone", "country": "XX"}]},
        "/steps/0/country",
        "Telephone numbers of this country are not known.",
    ),
]


@pytest.mark.parametrize(("derived", "place", "words"), MALFORMED)
def test_what_is_malformed_is_refused_at_its_place(derived: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        export(matching=[{"field": "x", "derived": derived}])
    assert issues_of(raised.value.errors()) == [Issue(f"/matching/0/derived{place}", words)]


@pytest.mark.parametrize("both", [{}, {"column": "A", "derived": {"columns": ["A"]}}])
def test_a_field_is_filled_by_a_column_or_by_a_value_made_of_columns(both: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        export(matching=[{"field": "x", **both}])
    words = "Give the column that fills the field, or what its value is made of, not both."
    assert issues_of(raised.value.errors()) == [Issue("/matching/0", words)]


def test_telephone_numbers_without_a_country_are_warned_of() -> None:
    matching = of("x", steps("lower", "phone"))
    [warning] = verdict(matching=matching).warnings
    assert warning == Issue(
        "/matching/1/derived/steps/1",
        "Telephone numbers that are written without a country are left out: name the country.",
    )
    assert not verdict(matching=matching, phone_country="SE").warnings
    assert not verdict(matching=of("x", steps({"function": "phone", "country": "SE"}))).warnings


def test_an_export_from_before_there_were_made_values_is_read() -> None:
    stored = export().model_dump(mode="json")
    for match in stored["matching"]:
        del match["derived"]
    stamps = {"created_at": START, "created_by": "ann", "updated_at": START, "updated_by": "ann"}
    read = Export.model_validate({**stored, **stamps, "name": "vips", "account": "acc-1"})
    assert read.matching == (Match(field="FIRSTNAME", column="FirstName"),)
    assert read.matching[0].columns == ("FirstName",)


def test_made_values_are_kept_as_they_were_written() -> None:
    world = World()
    world.connect()
    matching = of("x", steps({**MAP, "values": {"b": "B", "a": "it's"}}, {"function": "title", "turkish": True}))
    saved = world.save(matching=matching).item
    read = world.catalog.export("vips").item
    assert read.matching == saved.matching
    [before, after] = (each.matching[1].model_dump(mode="json") for each in (saved, read))
    assert json.dumps(before) == json.dumps(after), "values of a map keep their order"


def test_every_function_and_all_that_is_taken_has_words() -> None:
    assert set(FUNCTIONS) == set(DONE) == set(Function)
    assert set(TAKEN) == set(Take)
    assert set(KINDS) == set(ValueKind)


DOCUMENT = Path(__file__).parents[3] / "docs" / "derived-values.md"


@pytest.mark.parametrize("words", [Take, Function, Otherwise, DateOrder, DatePattern, ValueKind])
def test_the_document_has_every_word_of_a_definition(words: type[StrEnum]) -> None:
    told = DOCUMENT.read_text(encoding="utf-8")
    marked = set(re.split(r"[`| ]+", told))
    assert {word.value for word in words if word.value not in marked and f"`{word.value}`" not in told} == set()


def test_the_longest_and_the_most_that_a_definition_takes() -> None:
    def fine(**changes: Any) -> bool:
        try:
            Derived.model_validate({"columns": ["A"], **changes})
        except ValidationError:
            return False
        return True

    def mapped(pairs: dict[str, str]) -> bool:
        return fine(steps=[{**MAP, "values": pairs}])

    assert [mapped({str(each): "x" for each in range(most)}) for most in (200, 201)] == [True, False]
    assert [mapped({"a" * most: "x"}) for most in (200, 201)] == [True, False]
    assert [mapped({"a": "x" * most}) for most in (1000, 1001)] == [True, False]
    assert [fine(steps=[{**DATE, "two_digit_years_from": year}]) for year in (1799, 1800, 2100, 2101)] == [
        False,
        True,
        True,
        False,
    ]


def test_what_is_not_said_is_the_usual() -> None:
    read = Derived.model_validate({"columns": ["A"], "steps": [{"function": "title"}, MAP]}).model_dump(mode="json")
    assert (read["take"], read["separator"]) == ("column", " ")
    assert read["steps"][0] == {"function": "title", "turkish": False}
    assert read["steps"][1]["otherwise"] == "leave_out"
    stripped = Derived.model_validate({"columns": ["A"], "steps": [{**MAP, "values": {" a ": " b "}}]})
    assert stripped.model_dump()["steps"][0]["values"] == {"a": "b"}


def test_each_letter_stays_one_where_values_are_compared() -> None:
    assert folded("  İZMİR  ẞ ") == "izmir ß"


def test_many_unfit_values_are_counted_and_not_listed() -> None:
    values = {str(each): f"v{each}" for each in range(7)}
    [issue] = issues(matching=of("x", steps({**MAP, "values": values}), type="integer"))
    assert issue.message == '"x" cannot hold "v0", "v1", "v2", "v3", "v4" and 2 more.'


def test_only_what_is_sent_as_it_is_written_down_is_judged_before_a_run() -> None:
    upper_last = {"take": "constant", "text": "yes", "steps": [{"function": "upper"}]}
    assert issues(matching=of("x", upper_last, type="integer")) == []
    assert issues(matching=of("x", {"take": "constant", "text": "any"}, type="phone")) == []


def test_a_column_that_a_segment_lacks_is_said_at_its_place() -> None:
    [issue] = issues(matching=[FIRST, {"field": "x", "column": "Gone"}])
    assert issue.pointer == "/matching/1/column"


def test_a_value_is_told_in_words() -> None:
    def told(derived: dict[str, Any]) -> list[str]:
        return [str(each) for each in in_words(Derived.model_validate(derived))]

    assert told({"take": "join", "columns": ["A", "B"], "steps": [{"function": "title"}, MAP]}) == [
        "Several columns, joined: A, B",
        "Names as names are written",
        "One value for another",
    ]
    assert told({"take": "constant", "text": "x"}) == ["The same text for everyone: x"]


def test_what_saving_takes_for_a_value_of_a_type_is_what_a_run_takes() -> None:
    truths = ("true", "T", "YES", "y", "false", "f", "NO", "n", "0", "2")
    texts = (
        *truths,
        "1",
        "-1.0",
        "1.5",
        ".5",
        "1e3",
        "yes",
        "F",
        "ja",
        "2026-1-2",
        "2026-01-02T10:00:00Z",
        "soon",
        "x" * 300,
    )
    for kind in (FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN, FieldType.DATE):
        for text in texts:
            constant = {"take": "constant", "text": text}
            refused = bool(issues(matching=of("x", constant, type=kind)))
            assert refused == (made(constant, [], type=kind)[1] is not None), (kind, text)
