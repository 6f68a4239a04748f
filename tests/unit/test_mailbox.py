"""One form of an e-mail address, in Python and in queries."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import duckdb
import pytest

from shared.delivery import addresses, sql
from shared.mailbox import BLANKS, INVISIBLE, ZERO_WIDTH, normalised, spellings, with_ascii_domain

FORMS = [
    ("ana@example.com", "ana@example.com"),
    (" Ana@Example.COM\t\n", "ana@example.com"),
    (" Ana@Example.COM\u00a0", "ana@example.com"),
    ("an\u200ba@exam\u00adple.com", "ana@example.com"),
    ("\u202eana@example.com\u202c", "ana@example.com"),
    ("an\u202ea@example.com", "an\u202ea@example.com"),
    ("Info@Müller.DE", "info@xn--mller-kva.de"),
    ("info@xn--mller-kva.de", "info@xn--mller-kva.de"),
    ("info@bücher.müller.de", "info@xn--bcher-kva.xn--mller-kva.de"),
    ("info@例え.jp", "info@xn--r8jz45g.jp"),
    ("åsa@example.com", "åsa@example.com"),
    ("åsa@müller.de", "åsa@xn--mller-kva.de"),
    ("a@\u2603\ufe0f..de", "a@\u2603\ufe0f..de"),
    ("info@Bü\uff2ccher.de", "info@xn--blcher-3ya.de"),
    ("no at sign ü", "no at sign ü"),
    ("", ""),
]


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize(("written", "form"), FORMS)
def test_an_address_has_one_form(written: str, form: str) -> None:
    assert normalised(written) == form
    assert normalised(form) == form


@pytest.mark.parametrize(("written", "form"), FORMS)
def test_queries_and_python_agree(database: duckdb.DuckDBPyConnection, written: str, form: str) -> None:
    query = f"SELECT a, {addresses.has_other_domain('a')} FROM (SELECT {sql.address(sql.trimmed('$1::VARCHAR'))} AS a)"
    found = database.execute(query, [written]).fetchone()
    assert found is not None
    assert with_ascii_domain(found[0]) == form
    assert found[1] or with_ascii_domain(found[0]) == found[0], "a domain that would be spelled otherwise is missed"


@pytest.mark.parametrize("hidden", INVISIBLE, ids=lambda each: f"U+{ord(each):04X}")
def test_nothing_that_nobody_sees_ends_an_address(hidden: str) -> None:
    assert normalised(f"{hidden}ana@example.com{hidden}") == "ana@example.com"


def test_blanks_are_those_of_unicode_and_what_has_no_width_is_named_one_by_one() -> None:
    assert set(BLANKS) == {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}
    no_width = {0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2060, 0x2066)}
    no_width |= set(range(0x206A, 0x2070))
    turning = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    assert (set(map(ord, ZERO_WIDTH)), set(map(ord, INVISIBLE))) == (no_width, no_width | turning)


def test_a_domain_is_known_in_letters_too() -> None:
    assert spellings("info@xn--mller-kva.de") == ("info@xn--mller-kva.de", "info@müller.de")
    assert spellings("ana@example.com") == ("ana@example.com",)
    assert spellings("ana@xn--.com") == ("ana@xn--.com",)
