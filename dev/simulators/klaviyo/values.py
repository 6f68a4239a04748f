"""What Klaviyo takes as an address and as a phone number, and how it writes moments (contract section 7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from dev.simulators.common import moments

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
_LONGEST_ADDRESS = 100
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))?")


def valid_email(address: str) -> bool:
    return len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) is not None


def valid_phone(number: str) -> bool:
    """E.164 with its plus."""
    return _PHONE.fullmatch(number) is not None


def written(epoch: float) -> str:
    """To the second, as reads have it."""
    return datetime.fromtimestamp(int(epoch), UTC).isoformat()


def precise(epoch: float) -> str:
    """To the microsecond, as answers to writes have it."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="microseconds")


def parsed(text: str) -> float | None:
    """Epoch seconds; None where `text` is no ISO 8601 moment."""
    return moments.parsed(text, _MOMENT)
