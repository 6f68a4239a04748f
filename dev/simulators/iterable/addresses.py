"""Is it an address, by the rules that Iterable applies (contract section 2: Apache Commons format, known domain)?"""

from __future__ import annotations

import re
from pathlib import Path

_ATOM = r"[^\s\x00-\x1f\x7f()<>@,;:\\\".\[\]]+"
_QUOTED = r'"(?:\\"|[^"])*"'
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?:{_ATOM}|{_QUOTED})(?:\.(?:{_ATOM}|{_QUOTED}))*@(?:{_LABEL}\.)+({_LABEL})",
)
_LONGEST_LOCAL_PART = 64
_LONGEST_DOMAIN = 253

_USER_ID = re.compile(r"[ -~]{0,51}[!-~]")

# The country codes in use, and the generic domains that people have addresses in; not the whole registry.
_TOP_LEVEL = frozenset(Path(__file__).with_name("domains.txt").read_text().split())


def valid_address(address: str, known_domains_only: bool = True) -> bool:
    """Whether Iterable would take `address` as an e-mail address."""
    if not address.isascii():
        address = _ascii_domain(address)
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return False
    local, _, domain = address.rpartition("@")
    if len(local) > _LONGEST_LOCAL_PART or len(domain) > _LONGEST_DOMAIN:
        return False
    top = match[1].lower()
    return not known_domains_only or top in _TOP_LEVEL or top.startswith("xn--")


def valid_user_id(user_id: str) -> bool:
    """1 to 52 printable ASCII characters, the last of them not a space (contract section 2)."""
    return _USER_ID.fullmatch(user_id) is not None


def _ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""
