"""Is it an e-mail address, a phone number? The contract names no rule; this one takes no unusual spelling."""

from __future__ import annotations

import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?:[A-Za-z]{{2,63}}|xn--[A-Za-z0-9-]{{2,59}})")
_LONGEST_LOCAL_PART = 64
_LONGEST = 254

_PHONE = re.compile(r"\+[1-9]\d{6,14}")


def valid_email(address: str) -> bool:
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        return False
    return address.index("@") <= _LONGEST_LOCAL_PART


def valid_phone(number: str) -> bool:
    """E.164 with its plus (contract section 2a)."""
    return _PHONE.fullmatch(number) is not None
