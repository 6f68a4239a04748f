"""Moments as vendors take them."""

from __future__ import annotations

import re
from datetime import UTC, datetime


def parsed(text: str, form: re.Pattern[str]) -> float | None:
    """Epoch seconds; None where `text` has another form or is no moment. Without a time zone it is UTC."""
    if not form.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
