"""Which addresses are good enough to be sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.delivery import addresses
from tests.unit.delivery.parts import database

LONG = "a" * 64

VERDICTS = {
    "": addresses.MISSING,
    "ana@example.com": None,
    "ana+news@example.com": None,
    "o'hara@example.com": None,
    "a.b.c@mail.example.co.uk": None,
    f"{LONG}@example.com": None,
    f"{LONG}a@example.com": addresses.INVALID,
    "ana": addresses.INVALID,
    "@example.com": addresses.INVALID,
    "ana@": addresses.INVALID,
    "ana@@example.com": addresses.INVALID,
    "ana@example": addresses.INVALID,
    "ana@example..com": addresses.INVALID,
    ".ana@example.com": addresses.INVALID,
    "ana.@example.com": addresses.INVALID,
    "an a@example.com": addresses.INVALID,
    "ana@example.com, bo@example.com": addresses.INVALID,
    "<ana@example.com>": addresses.INVALID,
    "ana@-example.com": addresses.INVALID,
    "ana@exa_mple.com": addresses.INVALID,
    "ana@bücher.example.com": None,
    "ana@xn--bcher-kva.example.com": None,
    "ana@почта.рф": None,
    "ana@xn--80a1acny.xn--p1ai": None,
    "ana@xn--.xn--p1ai": addresses.INVALID,
    "änne@example.com": addresses.INVALID,
    "ana@[192.0.2.1]": addresses.INVALID,
    "x@" + "example." * 40 + "com": addresses.INVALID,
}


def verdict(address: str) -> str | None:
    found = database().execute(f"SELECT {addresses.problem('$a')}", {"a": address}).fetchone()
    assert found is not None
    problem: str | None = found[0]
    if problem != addresses.DOUBTFUL:
        return problem
    return addresses.INVALID if list(addresses.invalid([address])) else None


@pytest.mark.parametrize(("address", "expected"), VERDICTS.items())
def test_verdicts(address: str, expected: str | None) -> None:
    assert verdict(address) == expected


@settings(deadline=None)
@given(st.emails().map(str.lower))
def test_what_the_expression_passes_the_validator_passes_too(address: str) -> None:
    found = database().execute(f"SELECT {addresses.problem('$a')}", {"a": address}).fetchone()
    assert found is not None
    domain = address.rpartition("@")[2]
    reserved = domain.endswith((".arpa", ".local", ".localhost", ".invalid", ".test", ".onion"))
    if found[0] is None and not reserved:
        assert list(addresses.invalid([address])) == []
