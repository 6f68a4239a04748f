"""What is wrong with values that are made of columns, judged when an export is saved. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from shared.catalog.derived import DONE, FIELDS, FUNCTIONS, KINDS, Derived, MapStep, PhoneStep, ValueKind, folded
from shared.catalog.issues import Issue
from shared.catalog.models import ExportInput, Match
from shared.vendors.contract import ANY, Definition, FieldType, Fit
from shared.wording import Message, say, some

_SHOWN = 5
_WRITTEN: Mapping[FieldType, re.Pattern[str]] = {
    FieldType.INTEGER: re.compile(r"[+-]?[0-9]{1,18}(\.0*)?"),
    FieldType.NUMBER: re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"),
    FieldType.BOOLEAN: re.compile("true|t|yes|y|1|false|f|no|n|0", re.IGNORECASE),
    FieldType.DATE: re.compile(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([ T].*)?"),
}
"""How values of a type are written, where it shows before a run."""


def columns_of_matching(export: ExportInput) -> Iterator[tuple[str, str]]:
    """Pointer and name of every column that fields are filled from."""
    for index, match in enumerate(export.matching):
        for place, column in enumerate(match.columns):
            within = f"derived/columns/{place}" if match.derived else "column"
            yield f"/matching/{index}/{within}", column


def derived_issues(export: ExportInput, definition: Definition) -> Iterator[Issue]:
    """Steps that cannot follow each other, and values that their field can never take."""
    for index, match in enumerate(export.matching):
        if match.derived:
            place = f"/matching/{index}/derived"
            yield from _steps(place, match.derived)
            yield from _field(place, match, match.derived, definition)


def derived_warnings(export: ExportInput) -> Iterator[Issue]:
    for index, match in enumerate(export.matching):
        for number, step in enumerate(match.derived.steps if match.derived else ()):
            if isinstance(step, PhoneStep) and not (step.country or export.phone_country):
                yield Issue(
                    f"/matching/{index}/derived/steps/{number}",
                    say("Telephone numbers that are written without a country are left out: name the country."),
                )


def _steps(place: str, derived: Derived) -> Iterator[Issue]:
    kind = ValueKind.TEXT
    for number, step in enumerate(derived.steps):
        if FUNCTIONS[step.function].takes is not kind:
            yield Issue(
                f"{place}/steps/{number}",
                say(
                    '"%(step)s" changes a text, and there is %(kind)s by then: move it before that step, or remove it.',
                    step=DONE[step.function],
                    kind=KINDS[kind],
                ),
            )
        kind = step.gives
        if isinstance(step, MapStep):
            yield from _twice(f"{place}/steps/{number}/values", step)


def _twice(place: str, step: MapStep) -> Iterator[Issue]:
    for value, times in Counter(map(folded, step.values)).items():
        if times > 1:
            yield Issue(place, say('"%(value)s" is there twice: remove one.', value=value))


def _field(place: str, match: Match, derived: Derived, definition: Definition) -> Iterator[Issue]:
    """Of a field whose type is known only to the account, a run tells."""
    field = next((each for each in definition.fields if each.name == match.field), None)
    type_ = field.type if field else match.type
    if type_ is None:
        return
    if type_ not in FIELDS[derived.gives]:
        yield Issue(
            place,
            say(
                '"%(field)s" takes values of the type %(type)s, and this is %(kind)s.',
                field=match.field,
                type=Message(type_),
                kind=KINDS[derived.gives],
            ),
        )
        return
    known = _known(derived)
    if known is not None:
        within, values = known
        fit = field.fit if field else definition.custom_fit
        if wrong := [value for value in values if not _can_be(value, type_, fit)]:
            yield Issue(
                f"{place}/{within}",
                say('"%(field)s" cannot hold %(values)s.', field=match.field, values=some(map(_quoted, wrong), _SHOWN)),
            )


def _known(derived: Derived) -> tuple[str, list[str]] | None:
    """Where the values that will be sent are written down, and those values; None where columns decide."""
    if derived.text is not None and not derived.steps:
        return "text", [derived.text]
    last = derived.steps[-1] if derived.steps else None
    return (f"steps/{len(derived.steps) - 1}/values", last.results) if isinstance(last, MapStep) else None


def _quoted(value: str) -> str:
    return f'"{value}"'


def _can_be(value: str, type_: FieldType, fit: Fit = ANY) -> bool:
    written = _WRITTEN.get(type_)
    if written is not None:
        return written.fullmatch(value) is not None
    if type_ is not FieldType.STRING:
        return True
    if fit.choices and not fit.several:
        return folded(value) in {*map(folded, fit.choices), *fit.synonyms}
    return fit.cut or not fit.longest or len(value) <= fit.longest
