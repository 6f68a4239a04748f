"""The part of an export's form that says what a value is made of: definition -> what the form shows -> definition.
Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.catalog.derived import (
    DateOrder,
    DateStep,
    Derived,
    Function,
    LettersStep,
    MapStep,
    Otherwise,
    PhoneStep,
    Take,
)
from shared.pages.forms import Values, dicts, text

OTHER_SEPARATOR = "other"
SEPARATORS: Mapping[str, str] = {"blank": " ", "comma": ", ", "hyphen": "-", "nothing": ""}
"""What a list of choices calls each, since blanks are not seen there."""


@dataclass(frozen=True, slots=True)
class PairDraft:
    """A row of a map."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class StepDraft:
    """A step with the arguments of all functions; those of others stay as they are here."""

    function: str = Function.TITLE
    turkish: bool = False
    pairs: tuple[PairDraft, ...] = (PairDraft(),)
    otherwise: str = Otherwise.LEAVE_OUT
    other: str = ""
    reads: str = DateOrder.DAY_MONTH_YEAR
    two_digit_years_from: str = ""
    writes: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class DerivedDraft:
    """`columns` may have empty ones, which are not chosen yet."""

    take: str = Take.COLUMN
    columns: tuple[str, ...] = ()
    separator: str = " "
    text: str = ""
    steps: tuple[StepDraft, ...] = ()

    @property
    def separator_choice(self) -> str:
        """What the list of choices calls the separator."""
        return next((word for word, mark in SEPARATORS.items() if mark == self.separator), OTHER_SEPARATOR)

    @property
    def places(self) -> tuple[str, ...]:
        """The columns that the form asks for, chosen or not."""
        fewest = {Take.COLUMN: 1, Take.CONSTANT: 0}.get(Take(self.take), 2)
        chosen = self.columns[:fewest] if fewest < 2 else self.columns
        return (*chosen, *[""] * (fewest - len(chosen)))


def derived_shown(derived: Derived | None) -> DerivedDraft | None:
    """What the form shows of a value that is made of columns."""
    if derived is None:
        return None
    steps = tuple(_step_shown(step) for step in derived.steps)
    return DerivedDraft(derived.take, derived.columns, derived.separator, derived.text or "", steps)


def derived_sent(values: Values) -> DerivedDraft | None:
    """What the form sent of one row of the data matching; None for a column as it is."""
    sent = values.get("derived")
    if not isinstance(sent, dict):
        return None
    take = text(sent, "take")
    columns = sent.get("columns")
    return DerivedDraft(
        take if take in set(Take) else Take.COLUMN,
        tuple(str(each) for each in columns) if isinstance(columns, list) else (),
        _separator_sent(sent),
        text(sent, "text"),
        tuple(_step_sent(each) for each in dicts(sent, "steps")),
    )


def derived_of(draft: DerivedDraft | None) -> dict[str, Any] | None:
    """What is to be saved, for Derived to validate."""
    if draft is None:
        return None
    take = Take(draft.take)
    return {
        "take": take,
        "columns": [column for column in draft.places if column],
        "separator": draft.separator if take is Take.JOIN else " ",
        "text": draft.text if take is Take.CONSTANT else None,
        "steps": [_step_of(step) for step in draft.steps],
    }


def twice(draft: DerivedDraft) -> Iterator[tuple[int, str]]:
    """Number of the step, and a value that it has in several rows: only one of them could be saved."""
    for number, step in enumerate(draft.steps):
        found = Counter(pair.before for pair in step.pairs if pair.before)
        yield from ((number, value) for value, times in found.items() if times > 1)


def derived_changed(draft: DerivedDraft, verb: str, places: Sequence[int], function: str) -> DerivedDraft:
    """The draft after a button that changes its rows; `places` are those of the step and of its pair."""
    changes: Mapping[str, Callable[[], DerivedDraft]] = {
        "add-part": lambda: replace(draft, columns=(*draft.places, "")),
        "add-step": lambda: replace(draft, steps=(*draft.steps, StepDraft(function))),
        "remove-step": lambda: replace(draft, steps=without(draft.steps, places[0])),
        "add-pair": lambda: _with_pairs(draft, places[0], lambda pairs: (*pairs, PairDraft())),
        "remove-pair": lambda: _with_pairs(draft, places[0], lambda pairs: without(pairs, places[1])),
    }
    return changes[verb]()


VERBS: Mapping[str, int] = {
    "make": 1,
    "unmake": 1,
    "add-part": 1,
    "add-step": 1,
    "remove-step": 2,
    "add-pair": 2,
    "remove-pair": 3,
}
"""Buttons, and how many numbers each names: of the row, of the step, of the pair."""


def _with_pairs(
    draft: DerivedDraft, place: int, change: Callable[[tuple[PairDraft, ...]], tuple[PairDraft, ...]]
) -> DerivedDraft:
    steps = (
        replace(step, pairs=change(step.pairs)) if number == place else step for number, step in enumerate(draft.steps)
    )
    return replace(draft, steps=tuple(steps))


def without(rows: Sequence[Any], place: int) -> tuple[Any, ...]:
    """The rows but one."""
    return tuple(row for number, row in enumerate(rows) if number != place)


def _separator_sent(sent: Values) -> str:
    """As it is: blanks are most of what separates."""
    own = sent.get("separator", " ")
    return SEPARATORS.get(text(sent, "separator_choice"), own if isinstance(own, str) else " ")


def _step_shown(step: LettersStep | MapStep | DateStep | PhoneStep | Any) -> StepDraft:
    shown = StepDraft(step.function)
    match step:
        case LettersStep():
            return replace(shown, turkish=step.turkish)
        case MapStep():
            pairs = tuple(PairDraft(*pair) for pair in step.values.items())
            return replace(shown, pairs=pairs, otherwise=step.otherwise, other=step.other or "")
        case DateStep():
            years = str(step.two_digit_years_from or "")
            return replace(shown, reads=step.reads, two_digit_years_from=years, writes=step.writes or "")
        case PhoneStep():
            return replace(shown, country=step.country)
    return shown


def _step_sent(sent: Values) -> StepDraft:
    pairs = [PairDraft(text(each, "before"), text(each, "after")) for each in dicts(sent, "pairs")]
    return StepDraft(
        function=text(sent, "function"),
        turkish=text(sent, "turkish") == "on",
        pairs=tuple(pairs) or (PairDraft(),),
        otherwise=text(sent, "otherwise") or Otherwise.LEAVE_OUT,
        other=text(sent, "other"),
        reads=text(sent, "reads") or DateOrder.DAY_MONTH_YEAR,
        two_digit_years_from=text(sent, "two_digit_years_from"),
        writes=text(sent, "writes"),
        country=text(sent, "country").upper(),
    )


def _step_of(step: StepDraft) -> dict[str, Any]:
    arguments: Mapping[str, Callable[[], dict[str, Any]]] = {
        **dict.fromkeys((Function.UPPER, Function.LOWER, Function.TITLE), lambda: {"turkish": step.turkish}),
        Function.MAP: lambda: _map_of(step),
        Function.DATE: lambda: {
            "reads": step.reads,
            "two_digit_years_from": step.two_digit_years_from or None,
            "writes": step.writes or None,
        },
        Function.PHONE: lambda: {"country": step.country},
    }
    return {"function": step.function, **arguments.get(step.function, dict)()}


def _map_of(step: StepDraft) -> dict[str, Any]:
    """Rows that are empty are left out."""
    used = {"other": step.other} if step.otherwise == Otherwise.USE else {}
    pairs = {pair.before: pair.after for pair in step.pairs if pair != PairDraft()}
    return {"values": pairs, "otherwise": step.otherwise, **used}
