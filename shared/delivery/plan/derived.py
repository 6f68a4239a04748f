"""Values that are made of columns, as SQL: subqueries around the rows of a segment, one for each step. Pure.

A step reads the value before it by name, so that no step is carried out twice. A value that was there before a step
and is gone after it is left out, with the step's reason; one that was not there is empty, as an empty cell is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shared.catalog.derived import (
    DateOrder,
    DatePattern,
    DateStep,
    DecimalCommaStep,
    Derived,
    Function,
    LettersStep,
    MapStep,
    Otherwise,
    PhoneStep,
    Take,
    folded,
)
from shared.delivery.plan import letters
from shared.delivery.plan.cell_values import Cell, LeftOut, Matched, folded_cell
from shared.delivery.sql import literal


def cells(matches: Sequence[Matched], columns: Mapping[str, str]) -> list[Cell]:
    """What fills each field, by name, in the rows that `made` gives.

    `columns` are SQL of the trimmed cells of columns.
    """
    return [_cell(number, match, columns) for number, match in enumerate(matches)]


def made(rows: str, matches: Sequence[Matched], columns: Mapping[str, str]) -> str:
    """The rows of a query with all values that are made of their columns."""
    for level in range(max((_levels(match) for match in matches), default=0)):
        new = ", ".join(
            f"{_sql(number, match, level, columns)} AS {_name(number, level)}"
            for number, match in enumerate(matches)
            if level < _levels(match)
        )
        rows = f"SELECT *, {new} FROM ({rows})"
    return rows


def _cell(number: int, match: Matched, columns: Mapping[str, str]) -> Cell:
    if match.derived is None:
        return Cell(columns[match.column])
    steps = match.derived.steps
    gone = " ".join(
        f"WHEN {_name(number, place)} IS NOT NULL AND {_name(number, place + 1)} IS NULL THEN '{_WHY[step.function]}'"
        for place, step in enumerate(steps)
        if step.function in _WHY
    )
    why = f"CASE {gone} END" if gone else "NULL"
    return Cell(_name(number, len(steps)), _name(number, 0), why)


def _levels(match: Matched) -> int:
    return 1 + len(match.derived.steps) if match.derived else 0


def _name(number: int, level: int) -> str:
    return f"made_{number}_{level}"


def _sql(number: int, match: Matched, level: int, columns: Mapping[str, str]) -> str:
    assert match.derived is not None
    if level == 0:
        return _TAKE[match.derived.take](match.derived, [columns[name] for name in match.derived.columns])
    step = match.derived.steps[level - 1]
    return _STEPS[step.function](_name(number, level - 1), step, match)


def _column(derived: Derived, cells: Sequence[str]) -> str:
    return cells[0]


def _join(derived: Derived, cells: Sequence[str]) -> str:
    """What is empty has no separator either."""
    return f"nullif(concat_ws({literal(derived.separator)}, {', '.join(cells)}), '')"


def _first(derived: Derived, cells: Sequence[str]) -> str:
    return f"coalesce({', '.join(cells)})"


def _constant(derived: Derived, cells: Sequence[str]) -> str:
    return f"{literal(derived.text or '')}::VARCHAR"


_TAKE: Mapping[Take, Callable[[Derived, Sequence[str]], str]] = {
    Take.COLUMN: _column,
    Take.JOIN: _join,
    Take.FIRST: _first,
    Take.CONSTANT: _constant,
}


def _letters(change: Callable[..., str]) -> Callable[[str, LettersStep, Matched], str]:
    return lambda text, step, match: change(text, turkish=step.turkish)


def _map(text: str, step: MapStep, match: Matched) -> str:
    values = {folded(before): after for before, after in reversed(step.values.items())}
    keys, found = (f"[{', '.join(map(literal, each))}]" for each in (values.keys(), values.values()))
    mapped = f"map({keys}, {found})[{folded_cell(text)}]"
    otherwise = {
        Otherwise.KEEP: text,
        Otherwise.USE: f"CASE WHEN {text} IS NOT NULL THEN {literal(step.other or '')} END",
    }
    return f"coalesce({mapped}, {otherwise[step.otherwise]})" if step.otherwise in otherwise else mapped


_BETWEEN = r"(?:\. ?|[/ -])"
_DAY, _YEAR, _SHORT = "([0-9]{1,2})", "([0-9]{4})", "([0-9]{2})"
_TIME = r"(?:(?:T| +)[0-9]{1,2}[:.][0-9]{2}.*)?"
_ISO = rf"{_YEAR}-{_DAY}-{_DAY}{_TIME}"

_ORDERS: Mapping[DateOrder, tuple[tuple[str, str, str], str]] = {
    DateOrder.DAY_MONTH_YEAR: (("day", "day", "year"), r"\3-\2-\1"),
    DateOrder.MONTH_DAY_YEAR: (("day", "day", "year"), r"\3-\1-\2"),
    DateOrder.YEAR_MONTH_DAY: (("year", "day", "day"), r"\1-\2-\3"),
}
"""The parts of a date in each order, and year, month and day of them."""
_PATTERNS: Mapping[DatePattern, str] = {
    DatePattern.ISO: "%Y-%m-%d",
    DatePattern.POINTS: "%d.%m.%Y",
    DatePattern.SLASHES: "%d/%m/%Y",
    DatePattern.AMERICAN: "%m/%d/%Y",
    DatePattern.HYPHENS: "%d-%m-%Y",
    DatePattern.PLAIN: "%Y%m%d",
    DatePattern.DAY_AND_MONTH: "%d.%m.",
    DatePattern.MONTH_AND_DAY: "%m-%d",
    DatePattern.YEAR: "%Y",
}


def _date(text: str, step: DateStep, match: Matched) -> str:
    """A day that exists, in the years 1 to 9999; a time behind it is no part of it."""
    day = f"TRY_CAST(CASE {' '.join(_readings(text, step))} END AS DATE)"
    return (
        f"CASE WHEN {day} >= DATE '0001-01-01' THEN strftime({day}, '{_PATTERNS[step.writes or DatePattern.ISO]}') END"
    )


def _readings(text: str, step: DateStep) -> Iterator[str]:
    parts, iso = _ORDERS[step.reads]
    whole = {"day": _DAY, "year": _YEAR}
    together = {"day": _SHORT, "year": _YEAR}
    for pattern, put in (
        (_BETWEEN.join(whole[part] for part in parts) + _TIME, iso),
        ("".join(together[part] for part in parts) + _TIME, iso),
        (_ISO, r"\1-\2-\3"),
    ):
        yield f"WHEN regexp_full_match({text}, '{pattern}') THEN regexp_replace({text}, '^{pattern}$', '{put}')"
    if step.two_digit_years_from is not None:
        short = _BETWEEN.join({"day": _DAY, "year": _SHORT}[part] for part in parts) + _TIME
        months = f"regexp_replace({text}, '^{short}$', '{iso[2:]}')"
        year = _four_digits(f"regexp_extract({text}, '^{short}$', {iso[1]})", step.two_digit_years_from)
        yield f"WHEN regexp_full_match({text}, '{short}') THEN {year} || {months}"


def _four_digits(year: str, first: int) -> str:
    """The year with these last two digits in the hundred years from `first` on."""
    return f"({first} + (TRY_CAST({year} AS INTEGER) + {100 - first % 100}) % 100)::VARCHAR"


def _phone(text: str, step: PhoneStep, match: Matched) -> str:
    from shared.delivery.plan import phones  # loading the countries' numbers takes longer than most of the rest

    return phones.international(text, step.country or match.country)


_THOUSANDS = (r"\.", r"[ \x{A0}\x{2009}\x{202F}]", r"['\x{2019}]")
"""What stands between groups of three digits."""
_WHOLE = "|".join(["[0-9]+", *(rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+" for mark in _THOUSANDS)])
_WITH_COMMA = rf"[+\x{{2212}}-]?(?:(?:{_WHOLE})(?:,[0-9]+)?|,[0-9]+)"


def _decimal_comma(text: str, step: DecimalCommaStep, match: Matched) -> str:
    """A point groups digits in threes here: 1.234 is 1234, and 1.5 is no number."""
    digits = f"regexp_replace(replace({text}, chr(8722), '-'), '[^0-9,+-]', '', 'g')"
    return f"CASE WHEN regexp_full_match({text}, {literal(_WITH_COMMA)}) THEN replace({digits}, ',', '.') END"


_STEPS: Mapping[str, Callable[[str, Any, Matched], str]] = {
    Function.UPPER: _letters(letters.upper),
    Function.LOWER: _letters(letters.lower),
    Function.TITLE: _letters(letters.title),
    Function.MAP: _map,
    Function.DATE: _date,
    Function.PHONE: _phone,
    Function.DECIMAL_COMMA: _decimal_comma,
}
_WHY: Mapping[str, LeftOut] = {
    Function.MAP: LeftOut.MAP,
    Function.DATE: LeftOut.DATE,
    Function.PHONE: LeftOut.PHONE,
    Function.DECIMAL_COMMA: LeftOut.NUMBER,
}
"""Why a value is gone after a step."""
