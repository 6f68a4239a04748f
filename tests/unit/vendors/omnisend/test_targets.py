"""Segment names as tags."""

from __future__ import annotations

import re

import pytest

from shared.vendors.omnisend.tags import tag_of


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Loyal customers", "loyal customers"),
        ("  VIP \t 2026_Q1-a ", "vip 2026_q1-a"),
        ("n" * 128, "n" * 128),
    ],
)
def test_a_name_that_fits_is_its_own_tag(name: str, tag: str) -> None:
    assert tag_of(name) == tag


@pytest.mark.parametrize("name", ["Café", "Straße", "Kunden (Berlin)", "顧客", "a:b", "n" * 129, "!", "Ünï-" * 60])
def test_what_does_not_fit_ends_in_a_hash(name: str) -> None:
    tag = tag_of(name)
    assert tag == tag_of(name)
    assert re.fullmatch(r"[a-z0-9_\- ]{1,128}", tag)
    assert name == "Straße" or re.search(r"[^ -]-[0-9a-f]{8}$", tag)


def test_different_names_never_share_a_tag() -> None:
    names = [
        "Cafe",
        "Café",
        "Cafe!",
        "Cafe?",
        "顧客",
        "客",
        "a:b",
        "a b",
        "a-b",
        "a/b",
        "n" * 128,
        "n" * 129,
        "n" * 130,
        "!",
    ]
    assert len({tag_of(name) for name in names}) == len(names)


def test_a_person_can_read_it() -> None:
    assert tag_of("Kunden (Café, Berlin)").startswith("kunden cafe berlin-")
    assert tag_of("顧客").startswith("segment-")
