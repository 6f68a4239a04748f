"""Addresses and moments as Mailchimp takes and writes them."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime

from dev.simulators.common import moments

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?)?")


def hash_of(address: str) -> str:
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def address_problem(address: str, fake_domains: list[str]) -> str | None:
    """What the vendor says of an address that it does not take."""
    if not address.strip():
        return "This value should not be blank."
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        return "Please provide a valid email address."
    if address.rpartition("@")[2].lower() in fake_domains:
        return f"{address} looks fake or invalid, please enter a real email address."
    return None


def written(epoch: float) -> str:
    return datetime.fromtimestamp(int(epoch), UTC).isoformat()


def parsed(text: str) -> float | None:
    """Epoch seconds; None where `text` is no ISO 8601 moment."""
    return moments.parsed(text, _MOMENT)


_DAY_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%d-%m-%Y", "%m/%d/%Y")


def day(text: str) -> str | None:
    """A day as YYYY-MM-DD, from any of the four forms (contract section 7)."""
    for form in _DAY_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            continue
    return None


def birthday(text: str) -> bool:
    if not re.fullmatch(r"\d\d/\d\d", text):
        return False
    try:
        date(2024, int(text[:2]), int(text[3:]))
    except ValueError:
        return False
    return True
