"""Dates as Omnisend writes and reads them: RFC 3339."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@lru_cache(maxsize=4096)  # a contact shows five moments, and a batch's contacts the same ones
def written(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(text: object) -> float | None:
    """The epoch seconds of an RFC 3339 moment; None where `text` is none."""
    if type(text) is not str or not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def is_day(text: object) -> bool:
    """Whether `text` is a day of the calendar as yyyy-mm-dd."""
    if type(text) is not str or not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
