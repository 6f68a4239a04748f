"""A whole batch refused because a field has another type in Iterable: find the rows that are to blame.

Facts: Iterable contract, section 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from shared.cloud.scrubbing import excerpt
from shared.vendors.batches import Reading, halves
from shared.vendors.contract import Outcome, Receipt, Retry, Row
from shared.vendors.iterable import types
from shared.wording import say


def narrow(rows: Sequence[Row], errors: Mapping[str, Any]) -> Reading:
    """What becomes of `rows`, whose request was refused with these `validationErrors` (field -> details).

    Values that cannot fit are rejected by name. If all could fit, rows that hold one of the fields are parted from
    those that do not, and so on down to the row.
    """
    expected = {field: _expected(details) for field, details in errors.items()}
    values = [orjson.loads(row.values) for row in rows]
    suspects = [index for index, held in enumerate(values) if _held(held, expected)]
    receipts = {
        index: _rejected(field, types.KNOWN[expected[field]].words)
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
        if not types.fits(expected[field], values[field]):
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
