"""Values that are made of columns: what is taken, and the steps that change it. Pure; each function is in a table.

`docs/derived-values.md` says what each does; `shared/delivery/plan/derived.py` carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.catalog.shapes import Column, PhoneCountry, Strict, printable
from shared.vendors.contract import FieldType
from shared.wording import Message, say

MAX_COLUMNS = 10
MAX_STEPS = 5
MAX_PAIRS = 200

Separator = Annotated[str, StringConstraints(max_length=20), AfterValidator(printable)]
Constant = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(printable)
]
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(printable)
]


class ValueKind(StrEnum):
    """What a value is between two steps. Whatever is read from a file is a text."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    PHONE = "phone"


FIELDS: Mapping[ValueKind, frozenset[FieldType]] = {
    ValueKind.TEXT: frozenset(FieldType),
    ValueKind.NUMBER: frozenset({FieldType.STRING, FieldType.INTEGER, FieldType.NUMBER}),
    ValueKind.DATE: frozenset({FieldType.STRING, FieldType.DATE}),
    ValueKind.PHONE: frozenset({FieldType.STRING, FieldType.PHONE}),
}
"""Types of fields that a value of each kind can fill."""


class Take(StrEnum):
    """What a value is made of."""

    COLUMN = "column"
    JOIN = "join"
    FIRST = "first"
    CONSTANT = "constant"


COLUMNS: Mapping[Take, tuple[int, int]] = {
    Take.COLUMN: (1, 1),
    Take.JOIN: (2, MAX_COLUMNS),
    Take.FIRST: (2, MAX_COLUMNS),
    Take.CONSTANT: (0, 0),
}
"""How many columns each takes, at least and at most."""


class Function(StrEnum):
    """What a step does."""

    UPPER = "upper"
    LOWER = "lower"
    TITLE = "title"
    MAP = "map"
    DATE = "date"
    PHONE = "phone"
    DECIMAL_COMMA = "decimal_comma"


class Signature(NamedTuple):
    """The kind of value that a function takes, and the kind that it gives."""

    takes: ValueKind
    gives: ValueKind


FUNCTIONS: Mapping[str, Signature] = {
    Function.UPPER: Signature(ValueKind.TEXT, ValueKind.TEXT),
    Function.LOWER: Signature(ValueKind.TEXT, ValueKind.TEXT),
    Function.TITLE: Signature(ValueKind.TEXT, ValueKind.TEXT),
    Function.MAP: Signature(ValueKind.TEXT, ValueKind.TEXT),
    Function.DATE: Signature(ValueKind.TEXT, ValueKind.DATE),
    Function.PHONE: Signature(ValueKind.TEXT, ValueKind.PHONE),
    Function.DECIMAL_COMMA: Signature(ValueKind.TEXT, ValueKind.NUMBER),
}


class LettersStep(Strict):
    """Capital letters, small letters, or names as names are written."""

    function: Literal["upper", "lower", "title"]
    turkish: bool = Field(default=False, description="i and İ, ı and I belong together, as in Turkish.")

    @property
    def gives(self) -> ValueKind:
        return FUNCTIONS[self.function].gives


class Otherwise(StrEnum):
    """What a map makes of a value that it does not name."""

    LEAVE_OUT = "leave_out"
    KEEP = "keep"
    USE = "use"


class MapStep(Strict):
    """One value for another."""

    function: Literal["map"]
    values: dict[Short, Constant] = Field(
        min_length=1, max_length=MAX_PAIRS, description="Value of the cell, in any letter case -> value that is sent."
    )
    otherwise: Otherwise = Field(
        default=Otherwise.LEAVE_OUT,
        description="leave_out: the value is left out and counted. keep: it stays as it is. use: `other` is sent.",
    )
    other: Constant | None = None

    @model_validator(mode="after")
    def _knows_what_to_use(self) -> MapStep:
        if (self.otherwise is Otherwise.USE) != (self.other is not None):
            raise ValueError(say('Give "other" with "otherwise": "use", and with nothing else.'))
        return self

    @property
    def gives(self) -> ValueKind:
        return FUNCTIONS[self.function].gives

    @property
    def results(self) -> list[str]:
        """Everything that it may give, as far as that is known."""
        return [*self.values.values(), *([self.other] if self.other else [])]


class DateOrder(StrEnum):
    """In which order a column has its dates."""

    DAY_MONTH_YEAR = "day_month_year"
    MONTH_DAY_YEAR = "month_day_year"
    YEAR_MONTH_DAY = "year_month_day"


class DatePattern(StrEnum):
    """How a date is written as text."""

    ISO = "YYYY-MM-DD"
    POINTS = "DD.MM.YYYY"
    SLASHES = "DD/MM/YYYY"
    AMERICAN = "MM/DD/YYYY"
    HYPHENS = "DD-MM-YYYY"
    PLAIN = "YYYYMMDD"
    DAY_AND_MONTH = "DD.MM."
    MONTH_AND_DAY = "MM-DD"
    YEAR = "YYYY"


class DateStep(Strict):
    """A date in whatever order -> the day."""

    function: Literal["date"]
    reads: DateOrder
    two_digit_years_from: int | None = Field(
        default=None,
        ge=1800,
        le=2100,
        description="First of the hundred years that two digits may mean; `null`: they are left out and counted.",
    )
    writes: DatePattern | None = Field(
        default=None, description="`null`: a date, for fields that hold dates; else a text."
    )

    @property
    def gives(self) -> ValueKind:
        return FUNCTIONS[self.function].gives if self.writes in (None, DatePattern.ISO) else ValueKind.TEXT


class PhoneStep(Strict):
    """A telephone number -> its international form (E.164)."""

    function: Literal["phone"]
    country: PhoneCountry = Field(default="", description="Empty: the export's `phone_country`.")

    @property
    def gives(self) -> ValueKind:
        return FUNCTIONS[self.function].gives


class DecimalCommaStep(Strict):
    """A number with a comma before its decimals -> the same with a point."""

    function: Literal["decimal_comma"]

    @property
    def gives(self) -> ValueKind:
        return FUNCTIONS[self.function].gives


AnyStep = Annotated[LettersStep | MapStep | DateStep | PhoneStep | DecimalCommaStep, Field(discriminator="function")]


class Derived(Strict):
    """A value that is made of columns."""

    take: Take = Field(
        default=Take.COLUMN,
        description="column: one column. join: columns with the separator between those that are not empty. "
        "first: the first that is not empty. constant: the same text for everyone.",
    )
    columns: tuple[Column, ...] = Field(default=(), max_length=MAX_COLUMNS)
    separator: Separator = " "
    text: Constant | None = None
    steps: tuple[AnyStep, ...] = Field(default=(), max_length=MAX_STEPS)

    @model_validator(mode="after")
    def _takes_what_there_is(self) -> Derived:
        least, most = COLUMNS[self.take]
        if not least <= len(self.columns) <= most:
            raise ValueError(say("%(take)s: give %(columns)s.", take=Message(TAKEN[self.take]), columns=_many(least)))
        if (self.take is Take.CONSTANT) != (self.text is not None):
            raise ValueError(say('Give "text" where the same text is sent for everyone, and nowhere else.'))
        return self

    @property
    def gives(self) -> ValueKind:
        """The kind of value that it fills a field with."""
        return self.steps[-1].gives if self.steps else ValueKind.TEXT


def _many(least: int) -> Message:
    return {0: say("no column"), 1: say("one column"), 2: say("two columns or more")}[least]


TAKEN: Mapping[Take, Message] = {
    Take.COLUMN: say("One column"),
    Take.JOIN: say("Several columns, joined"),
    Take.FIRST: say("The first column that is not empty"),
    Take.CONSTANT: say("The same text for everyone"),
}
DONE: Mapping[str, Message] = {
    Function.UPPER: say("Capital letters"),
    Function.LOWER: say("Small letters"),
    Function.TITLE: say("Names as names are written"),
    Function.MAP: say("One value for another"),
    Function.DATE: say("A date from another order"),
    Function.PHONE: say("A telephone number in its international form"),
    Function.DECIMAL_COMMA: say("A number with a decimal comma"),
}
KINDS: Mapping[ValueKind, Message] = {
    ValueKind.TEXT: say("a text"),
    ValueKind.NUMBER: say("a number"),
    ValueKind.DATE: say("a date"),
    ValueKind.PHONE: say("a telephone number"),
}
"""What people read of a value and its steps."""


def folded(text: str) -> str:
    """What is compared of a value, the same as the query compares: each letter made small by itself, and each stays
    one; one blank for several."""
    return " ".join("".join(letter.lower()[:1] for letter in text).split())


def in_words(derived: Derived) -> Iterator[Message]:
    """What it is made of, and then each step, for people."""
    what = derived.text or ", ".join(derived.columns)
    yield say("%(take)s: %(what)s", take=TAKEN[derived.take], what=what)
    yield from (DONE[step.function] for step in derived.steps)
