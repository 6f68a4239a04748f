"""Compares the values that were sent with the values that a vendor shows. Pure.

A difference must mean something. So values are brought into one form first, and values for which that is impossible are
not compared: moments (vendors show them in their own time zone) and lists of choices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.vendors.contract import Seen

_DAY = re.compile(r"\d{4}[-/]\d\d[-/]\d\d")
_MOMENT = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d")
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")
_BLANKS = re.compile(r"\s+")


def seen_as(sent: Mapping[str, Any], shown: Mapping[str, Any], *, on_target: bool, inactive: bool = False) -> Seen:
    """Compare the fields that were sent with those that the vendor shows. A field that it does not show is left out."""
    compared = frozenset(name for name, value in sent.items() if name in shown and _comparable(value))
    differing = frozenset(name for name in compared if not alike(sent[name], shown[name]))
    return Seen(on_target, inactive, compared, differing)


def alike(sent: Any, shown: Any) -> bool:
    """Whether the two values are the same one. No value and an empty text are the same."""
    one, other = _plain(sent), _plain(shown)
    if _DAY.fullmatch(one):
        return one == other[:10]
    return one == other or (_number(one) is not None and _number(one) == _number(other))


def _comparable(sent: Any) -> bool:
    return not isinstance(sent, list | dict) and not _MOMENT.match(_plain(sent))


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _BLANKS.sub(" ", str(value)).strip()
    return text[:10].replace("/", "-") + text[10:] if _DAY.match(text) else text


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        return None
