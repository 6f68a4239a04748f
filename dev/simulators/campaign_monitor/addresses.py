"""Is it an address, and is it a telephone number, by the rules that the simulator applies (contract section 4)?

The vendor publishes no rules for addresses; these are the narrow ones: a dot-atom, and a domain of at least two labels.
"""

from __future__ import annotations

import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])")
_LONGEST_LOCAL_PART = 64
_LONGEST = 254

_E164 = re.compile(r"\+[1-9]\d{6,14}")


def valid_address(address: str, international: bool = False) -> bool:
    """Whether Campaign Monitor would take `address`; letters beyond ASCII only where `international`."""
    if international and not address.isascii():
        address = "".join("x" if ord(sign) > 127 and sign.isalnum() else sign for sign in address)
    local = address.partition("@")[0]
    return _ADDRESS.fullmatch(address) is not None and len(local) <= _LONGEST_LOCAL_PART and len(address) <= _LONGEST


def valid_mobile(number: str) -> bool:
    return _E164.fullmatch(number) is not None
