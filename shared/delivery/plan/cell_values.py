"""Cells of a snapshot row -> the JSON object of values that the vendor gets: data matching as SQL. Pure.

All cells are text. A cell that is empty after trimming leaves its field out (`keep`) or clears it (`clear`). A cell
that cannot be turned into its field's type, or into what the field takes, is left out too, and counted with the reason;
it never keeps a person off the list. `docs/matching.md` shows the cases that tests hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.catalog.derived import Derived, folded
from shared.catalog.models import Match, WhenEmpty
from shared.delivery.sql import literal
from shared.mailbox import BLANKS
from shared.vendors.contract import ANY, Definition, FieldType, Fit
from shared.wording import say


class LeftOut(StrEnum):
    """Why a value was left out, or is not what the cell says."""

    TYPE = "not_of_type"
    LONG = "too_long"
    CUT = "cut"
    CHOICE = "no_choice"
    RANGE = "out_of_range"
    MAP = "not_in_map"
    DATE = "no_date"
    PHONE = "no_phone"
    NUMBER = "no_number"
    """A step that makes a value of it found none."""
    VENDOR = "refused_by_vendor"
    """It fitted what was known of the field when the plan was made; the vendor did not take it."""


REASONS: Mapping[LeftOut, str] = {
    LeftOut.TYPE: say("The value is not of its field's type, so it was left out."),
    LeftOut.LONG: say("The text is longer than its field takes, so it was left out."),
    LeftOut.CUT: say("The text is longer than its field takes, so it was cut."),
    LeftOut.CHOICE: say("The value is none of the field's options, so it was left out."),
    LeftOut.RANGE: say("The field cannot hold the value exactly, so it was left out."),
    LeftOut.MAP: say("The data matching names no value to send for it, so it was left out."),
    LeftOut.DATE: say("The data matching reads it as a date, and it is none, so it was left out."),
    LeftOut.PHONE: say("The data matching reads it as a telephone number, and it is none, so it was left out."),
    LeftOut.NUMBER: say(
        "The data matching reads it as a number with a decimal comma, and it is none, so it was left out."
    ),
    LeftOut.VENDOR: say("The vendor did not take the value, so the person was sent without it."),
}


@dataclass(frozen=True, slots=True)
class Matched:
    """One vendor field filled from one column, or from a value that is made of columns; `country` is that of telephone
    numbers that name none."""

    field: str
    column: str
    type: FieldType = FieldType.STRING
    clear: bool = False
    fit: Fit = ANY
    country: str = ""
    derived: Derived | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it reads."""
        return self.derived.columns if self.derived else (self.column,)


@dataclass(frozen=True, slots=True)
class Cell:
    """SQL of what fills a field, NULL for nothing; of what it was made of, where it was made; and of why it is
    nothing although that was something."""

    text: str
    source: str = ""
    why: str = "NULL"


def matched(
    matching: Sequence[Match],
    definition: Definition,
    country: str = "",
    types: Mapping[str, FieldType] | None = None,
    fits: Mapping[str, Fit] | None = None,
) -> list[Matched]:
    """The data matching with what every field takes. Its type is the one that was chosen, else what the account
    (`types`) or the list (`fits`) has fixed, else what the definition says, else text."""
    types, fits, defined = types or {}, fits or {}, {each.name: each for each in definition.fields}

    def one(match: Match) -> Matched:
        field = defined.get(match.field)
        fit = fits.get(match.field) or (field.fit if field else definition.custom_fit)
        kind = match.type or types.get(match.field) or fit.type or (field.type if field else FieldType.STRING)
        if field and kind is field.type.sent_as:  # `string`, chosen before the field was one for telephone numbers
            kind = field.type
        clear = match.when_empty is WhenEmpty.CLEAR
        return Matched(match.field, match.column or "", kind, clear, fit, country, match.derived)

    return [one(match) for match in matching]


@dataclass(frozen=True, slots=True)
class _Value:
    """SQL of a value as JSON (NULL where it is left out), and of the reason why it is not as the cell says."""

    json: str
    why: str


def values(matches: Sequence[Matched], cells: Sequence[Cell]) -> str:
    """A JSON object as text, fields in the order of the data matching. `cells` are what fills them, trimmed."""
    if not matches:
        return "'{}'"
    pieces = ", ".join(_piece(match, cell) for match, cell in zip(matches, cells, strict=True))
    one_by_one = f"'{{' || concat_ws(',', {pieces}) || '}}'"
    if not all(map(_is_plain, matches)):
        return one_by_one
    # Where nothing is left out, the same text is made in one go, for half of the processor's time.
    texts = [(match, cell.text) for match, cell in zip(matches, cells, strict=True)]
    all_taken = " AND ".join(f"{text} IS NOT NULL AND {_is_taken(text, match.fit)}" for match, text in texts)
    entries = ", ".join(f"{literal(match.field)}, {text}" for match, text in texts)
    return f"CASE WHEN {all_taken} THEN json_object({entries})::VARCHAR ELSE {one_by_one} END"


def _is_plain(match: Matched) -> bool:
    """Whether the field takes texts as they are, and JSON its name."""
    return match.type is FieldType.STRING and not match.fit.choices and json.dumps(match.field) == f'"{match.field}"'


def left_out(match: Matched, cell: Cell) -> str:
    """The reason why a value is left out or cut, NULL for a value that arrives."""
    return f"CASE WHEN {cell.text} IS NOT NULL THEN {_value(match, cell.text).why} ELSE {cell.why} END::VARCHAR"


def _piece(match: Matched, cell: Cell) -> str:
    name = literal(json.dumps(match.field, ensure_ascii=False) + ":")
    filled = f"{name} || ({_value(match, cell.text).json})"
    if not match.clear:
        return filled
    return f"CASE WHEN {cell.source or cell.text} IS NULL THEN {name} || 'null' ELSE {filled} END"


def _value(match: Matched, cell: str) -> _Value:
    return _OF_TYPE[match.type](cell, match)


def _text(cell: str, match: Matched) -> _Value:
    if match.fit.choices:
        return (_choices if match.fit.several else _choice)(cell, match.fit)
    longest, fits, too_long = match.fit.longest, _fits(cell, match.fit), _is_too_long(cell, match.fit)
    why = f"CASE WHEN NOT {fits} THEN '{LeftOut.TYPE}'"
    if match.fit.cut:
        shorter = f"CASE WHEN {too_long} THEN {cell}[:{longest}] ELSE {cell} END"
        return _Value(
            f"CASE WHEN {fits} THEN to_json({shorter}) END", f"{why} WHEN {too_long} THEN '{LeftOut.CUT}' END"
        )
    return _Value(
        f"CASE WHEN {_is_taken(cell, match.fit)} THEN to_json({cell}) END",
        f"{why} WHEN {too_long} THEN '{LeftOut.LONG}' END",
    )


def _is_taken(cell: str, fit: Fit) -> str:
    return f"{_fits(cell, fit)} AND NOT {_is_too_long(cell, fit)}"


def _fits(cell: str, fit: Fit) -> str:
    return f"regexp_full_match({cell}, {literal(fit.pattern)})" if fit.pattern else "true"


def _is_too_long(cell: str, fit: Fit) -> str:
    return f"length({cell}) > {fit.longest}" if fit.longest else "false"


def _phone(cell: str, match: Matched) -> _Value:
    from shared.delivery.plan import (
        phones,  # loading the countries' numbers takes longer than starting most of the rest
    )

    return _judged(f"to_json({phones.international(cell, match.country)})", "false")


def _boolean(cell: str, match: Matched) -> _Value:
    word = f"lower({cell})"
    return _judged(f"CASE WHEN {word} IN {TRUE} THEN 'true' WHEN {word} IN {FALSE} THEN 'false' END", "false")


TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")

_INTEGER = r"[+-]?[0-9]{1,40}(\.0{0,20})?"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"


def _integer(cell: str, match: Matched) -> _Value:
    """`42.0` is a whole number, as programs write one where others of the column are missing."""
    is_one = f"regexp_full_match({cell}, '{_INTEGER}')"
    number = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
    fits = f"abs({number}) < {10 ** min(match.fit.digits or MOST_DIGITS, MOST_DIGITS)}"
    return _judged(f"CASE WHEN {is_one} AND {fits} THEN {number}::VARCHAR END", is_one)


def _number(cell: str, match: Matched) -> _Value:
    """A whole number has to be exact: one with more digits than a reader of JSON keeps is left out. Of a fraction, so
    many digits are kept as it takes to tell it from all others."""
    is_one = f"regexp_full_match({cell}, '{_NUMBER}')"
    number = f"TRY_CAST({cell} AS DOUBLE)"
    kept = f"(abs({number}) < 1e15 OR {_digits(cell)} = {_digits(f'{number}::VARCHAR')})"
    fits = f"abs({number}) < 1e{match.fit.digits or 308} AND {kept}"
    if match.fit.decimals is not None:
        number = f"round({number}, {match.fit.decimals})"
    return _judged(f"CASE WHEN {is_one} AND {fits} THEN to_json({number})::VARCHAR END", is_one)


def _judged(json: str, is_one: str) -> _Value:
    """The value, and why it is left out: its field cannot hold it where its text `is_one` of the type."""
    return _Value(
        json,
        f"CASE WHEN ({json}) IS NULL THEN CASE WHEN {is_one} THEN '{LeftOut.RANGE}' ELSE '{LeftOut.TYPE}' END END",
    )


MOST_DIGITS = 18


def _digits(number: str) -> str:
    """Significant digits of a number that is written in any way."""
    plain = f"regexp_replace(split_part(lower({number}), 'e', 1), '[^0-9]', '', 'g')"
    return f"trim({plain}, '0')"


_DAY = r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_APART = r"\s+(Z|[+-][0-9]{2}(?::?[0-9]{2})?)$"
"""A time zone that stands apart from the time, as .NET and Snowflake write it."""
_MOMENTS = "TIMESTAMPTZ '0001-01-01 00:00:00+00' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"


def _date(cell: str, match: Matched) -> _Value:
    """A day is the day that is written. A moment is told in UTC, unless the field takes days alone."""
    is_day, is_moment = (f"regexp_full_match({cell}, '{_DAY}{rest}')" for rest in ("", "[ T].*"))
    moment = f"TRY_CAST(regexp_replace({cell}, '{_APART}', '\\1') AS TIMESTAMPTZ)"
    of_day = _day(f"TRY_CAST({cell} AS DATE)", match.fit)
    in_time = f"{moment} BETWEEN {_MOMENTS}"
    told = f"to_json(strftime({moment}, '%Y-%m-%d %H:%M:%S'))"
    if match.fit.day:
        told = _day(f"TRY_CAST(regexp_extract({cell}, '^{_DAY}') AS DATE)", match.fit)
    json = f"CASE WHEN {is_day} THEN {of_day} WHEN {is_moment} THEN CASE WHEN {in_time} THEN {told} END END"
    return _judged(json, f"({is_day} OR {is_moment}) AND {moment} IS NOT NULL")


def as_number(cell: str) -> str:
    """The cell as a number that others can be compared with, NULL where it is none."""
    number = f"TRY_CAST({cell} AS DOUBLE)"
    return f"CASE WHEN regexp_full_match({cell}, '{_NUMBER}') AND isfinite({number}) THEN {number} + 0.0 END"


def as_moment(cell: str) -> str:
    """The cell's day or moment as microseconds that others can be compared with, NULL where it is none."""
    moment = f"TRY_CAST(regexp_replace({cell}, '{_APART}', '\\1') AS TIMESTAMPTZ)"
    is_one = f"regexp_full_match({cell}, '{_DAY}([ T].*)?')"
    return f"CASE WHEN {is_one} AND {moment} BETWEEN {_MOMENTS} THEN epoch_us({moment}) END"


def _day(day: str, fit: Fit) -> str:
    within = f"{day} BETWEEN DATE '{fit.first_day}' AND DATE '{fit.last_day}'"
    return f"CASE WHEN {within} THEN '\"' || {day}::VARCHAR || '\"' END"


_BLANKS = "".join(rf"\x{{{ord(each):X}}}" for each in BLANKS)


def _choice(cell: str, fit: Fit) -> _Value:
    found = _at(_place(cell, fit), fit)
    return _Value(f"to_json({found})", f"CASE WHEN {found} IS NULL THEN '{LeftOut.CHOICE}' END")


def _choices(cell: str, fit: Fit) -> _Value:
    """The cell is one choice, a list in JSON, or choices with a separator between them that no choice has."""
    separators = "".join(mark for mark in ";|,\n" if not any(mark in choice for choice in fit.choices))
    pieces = f"CASE WHEN {_place(cell, fit)} IS NOT NULL THEN [{cell}] "
    pieces += f"WHEN {_is_list(cell)} THEN ({cell})::JSON::VARCHAR[] "
    pieces += (
        f"ELSE string_split_regex({cell}, {literal(f'[{separators}]')}) END" if separators else f"ELSE [{cell}] END"
    )
    filled = f"list_filter({pieces}, lambda piece: trim(piece) <> '')"
    found = f"list_transform({filled}, lambda piece: {_place('piece', fit)})"
    # In the vendor's order, so that the same choices are the same value.
    fitting = f"list_sort(list_distinct(list_filter({found}, lambda place: place IS NOT NULL)))"
    return _Value(
        f"CASE WHEN len({fitting}) > 0 THEN to_json(list_transform({fitting}, lambda place: {_at('place', fit)})) END",
        f"CASE WHEN len(list_filter({found}, lambda place: place IS NULL)) > 0 OR len({fitting}) = 0 "
        f"THEN '{LeftOut.CHOICE}' END",
    )


def _is_list(cell: str) -> str:
    return f"({cell}[1] = '[' AND json_valid({cell}))"


def folded_cell(text: str) -> str:
    """SQL of what `folded` makes of a text."""
    return rf"trim(regexp_replace(lower({text}), '[{_BLANKS}]+', ' ', 'g'))"


def _place(text: str, fit: Fit) -> str:
    """Which of the choices a text means, counted from 1, NULL for none. Of two that fold alike it is the first."""
    places = {choice: place for place, choice in enumerate(fit.choices, 1)}
    meant = {**{folded(choice): choice for choice in reversed(fit.choices)}, **fit.synonyms}
    keys = ", ".join(map(literal, meant))
    return f"map([{keys}], [{', '.join(str(places[choice]) for choice in meant.values())}])[{folded_cell(text)}]"


def _at(place: str, fit: Fit) -> str:
    return f"[{', '.join(map(literal, fit.choices))}][{place}]"


_OF_TYPE: Mapping[FieldType, Callable[[str, Matched], _Value]] = {
    FieldType.STRING: _text,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.PHONE: _phone,
}
