"""A whole batch refused because a field has another type in Iterable: find the rows that are to blame.

Facts: Iterable contract, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shared.cloud.scrubbing import excerpt
from shared.vendors.batches import Reading, halves
from shared.vendors.contract import Outcome, Receipt, Retry, Row
from shared.wording import say

_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?)?")


@dataclass(frozen=True, slots=True)
class _Type:
    words: str
    fits: Callable[[Any], bool]
    """False only for a value that is certainly refused; Iterable decides about the rest."""


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return _number(value) and float(value).is_integer()


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _date(value: Any) -> bool:
    return _number(value) or (isinstance(value, str) and _DATE.fullmatch(value) is not None)


def _structure(value: Any) -> bool:
    return isinstance(value, dict | list)


_TYPES: Mapping[str, _Type] = {
    "string": _Type(say("text"), _text),
    "keyword": _Type(say("text"), _text),
    "long": _Type(say("a whole number"), _whole),
    "integer": _Type(say("a whole number"), _whole),
    "double": _Type(say("a number"), _number),
    "float": _Type(say("a number"), _number),
    "boolean": _Type(say("true or false"), lambda value: isinstance(value, bool)),
    "date": _Type(say("a date"), _date),
    "object": _Type(say("an object"), _structure),
    "nested": _Type(say("an object"), _structure),
    "geo_location": _Type(say("a geographic location"), _structure),
}


def fits(kind: str | None, value: Any) -> bool:
    """False where a field of this type (as Iterable names it) certainly refuses the value."""
    known = _TYPES.get(kind or "")
    return known is None or known.fits(value)


def narrow(rows: Sequence[Row], errors: Mapping[str, Any]) -> Reading:
    """What becomes of `rows`, whose request was refused with these `validationErrors` (field -> details).

    Values that cannot fit are rejected by name. If all could fit, rows that hold one of the fields are parted from
    those that do not, and so on down to the row.
    """
    expected = {field: _expected(details) for field, details in errors.items()}
    values = [orjson.loads(row.values) for row in rows]
    suspects = [index for index, held in enumerate(values) if _held(held, expected)]
    receipts = {
        index: _rejected(field, _TYPES[expected[field]].words)
        for index in suspects
        if (field := _misfit(values[index], expected)) is not None
    }
    # Where nobody in particular is to blame, nobody is written off for good.
    together = _refused(expected, Retry.NEXT_RUN)
    if receipts:
        rest = [index for index in range(len(rows)) if index not in receipts]
        return Reading(receipts, [rest] if rest else [], together)
    if len(rows) == 1:
        return Reading({0: _refused(_held(values[0], expected) or expected, Retry.WHEN_CHANGED)})
    others = sorted(set(range(len(rows))) - set(suspects))
    return Reading({}, [others, suspects] if others and suspects else halves(range(len(rows))), together)


def _expected(details: Any) -> str:
    kind = details.get("expectedType") if isinstance(details, dict) else None
    return kind if isinstance(kind, str) else ""


def _held(values: Mapping[str, Any], expected: Mapping[str, str]) -> list[str]:
    """Fields in question that have a value; null clears a field of any type."""
    return [field for field in expected if values.get(field) is not None]


def _misfit(values: Mapping[str, Any], expected: Mapping[str, str]) -> str | None:
    """The first field whose value certainly does not fit."""
    for field in _held(values, expected):
        kind = _TYPES.get(expected[field])
        if kind and not kind.fits(values[field]):
            return field
    return None


def _rejected(field: str, words: str) -> Receipt:
    reason = say(
        "The value of %(field)s is not %(type)s, which is the field's type in Iterable.",
        field=excerpt(field, 80),
        type=words,
    )
    return Receipt(Outcome.REJECTED, "wrong_type", reason, Retry.WHEN_CHANGED)


def _refused(fields: Iterable[str], retry: Retry) -> Receipt:
    names = ", ".join(excerpt(field, 80) for field in sorted(fields)[:5])
    reason = say("Iterable says that a value does not fit the type of its field: %(names)s.", names=names)
    return Receipt(Outcome.REJECTED, "wrong_type", reason, retry)
