"""Rules of an export: who of its segments is kept back, and why. Pure.

A rule is named by its place in the export: `exclude/0`, `require/1`, `limit`, `holdout`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.catalog.holdout import HOLDOUT, Holdout
from shared.catalog.shapes import Column, Reference, Strict, printable
from shared.wording import Message, say, some

MAX_EXCLUDED = 20
MAX_REQUIRED = 20
MAX_VALUES = 200
_SHOWN = 5

Value = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(printable)
]


class Exclude(Strict):
    """Whoever is in this segment is kept back."""

    segment: Reference = Field(description="Name or id of a segment that is not one of the export's own.")
    address_column: Column | None = Field(
        default=None, description="Column of that segment with the e-mail address; `null`: the export's."
    )


class Require(Strict):
    """Whoever does not have this in every row of theirs is kept back."""

    column: Column
    one_of: tuple[Value, ...] = Field(
        default=(),
        max_length=MAX_VALUES,
        description="The cell is one of these, whatever the case of its letters; none: the cell is not empty.",
    )


class ComesFirst(StrEnum):
    """Who comes first."""

    GREATEST = "greatest"
    LEAST = "least"


class ReadAs(StrEnum):
    """What the cells of a column are, so that they have an order."""

    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


class Limit(Strict):
    """Whoever is not among the first so many is kept back."""

    first: int = Field(ge=1, le=1_000_000_000, description="People on each target.")
    by: Column = Field(description="Column that orders them; whoever has nothing of the kind in it comes last.")
    read_as: ReadAs = ReadAs.NUMBER
    order: ComesFirst = ComesFirst.GREATEST


class Rules(Strict):
    """Who is kept back. A person is judged by `exclude`, then by `require`; whoever is left by `limit`, and then by
    `holdout`."""

    exclude: tuple[Exclude, ...] = Field(default=(), max_length=MAX_EXCLUDED)
    require: tuple[Require, ...] = Field(default=(), max_length=MAX_REQUIRED)
    limit: Limit | None = None
    holdout: Holdout | None = None

    def __bool__(self) -> bool:
        return bool(self.exclude or self.require or self.limit or self.holdout)

    @property
    def columns(self) -> list[str]:
        """Of the export's own segments, those that rules look at."""
        return [*(rule.column for rule in self.require), *([self.limit.by] if self.limit else [])]


NO_RULES = Rules()
LIMIT = "limit"


def excluded(number: int) -> str:
    """The name of a rule."""
    return f"exclude/{number}"


def required(number: int) -> str:
    """The name of a rule."""
    return f"require/{number}"


def reasons(rules: Rules) -> dict[str, Message]:
    """Name of a rule -> why it keeps somebody back."""
    return dict(_reasons(rules))


def _reasons(rules: Rules) -> Iterator[tuple[str, Message]]:
    for number, rule in enumerate(rules.exclude):
        yield excluded(number), say("Is in the segment %(segment)s, which is excluded.", segment=rule.segment)
    for number, requirement in enumerate(rules.require):
        yield required(number), _unmet(requirement)
    if rules.limit:
        yield (
            LIMIT,
            say("Is not among the first %(people)s by %(column)s.", people=rules.limit.first, column=rules.limit.by),
        )
    if rules.holdout:
        yield HOLDOUT, rules.holdout.reason()


def _unmet(rule: Require) -> Message:
    if not rule.one_of:
        return say("%(column)s is empty.", column=rule.column)
    return say("%(column)s is none of: %(values)s.", column=rule.column, values=some(list(rule.one_of), _SHOWN))
