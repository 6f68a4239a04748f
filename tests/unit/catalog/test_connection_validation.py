"""A connection is judged by its vendor's definition."""

from __future__ import annotations

from typing import Any

import pytest

from shared.catalog.connection_validation import connection_issues
from shared.catalog.issues import Issue
from tests.unit.catalog.samples import DEFINITIONS, connection


def issues(**changes: Any) -> list[Issue]:
    return connection_issues(connection(**changes), DEFINITIONS)


def test_a_complete_connection_has_no_issues() -> None:
    assert issues() == []
    every = {"region": "us", "pages": 9, "strict": True, "since": "2026-02-28", "share": 1, "client": "x"}
    assert issues(settings=every, secrets={"key": "a", "backup": "b"}) == []


def test_an_unknown_vendor_is_refused_with_the_choice() -> None:
    assert issues(vendor="pigeon") == [Issue("/vendor", "Choose one of letterbox, plain.")]


@pytest.mark.parametrize(
    ("settings", "pointer", "message"),
    [
        ({}, "/settings/region", "This is required: Region."),
        ({"region": "moon"}, "/settings/region", "Choose one of eu, us."),
        ({"region": 1}, "/settings/region", "Write a text, in quotes."),
        ({"region": "eu", "pages": "3"}, "/settings/pages", "Write a whole number."),
        ({"region": "eu", "pages": 2.5}, "/settings/pages", "Write a whole number."),
        ({"region": "eu", "pages": True}, "/settings/pages", "Write a whole number."),
        ({"region": "eu", "pages": 0}, "/settings/pages", "Write a number of at least 1."),
        ({"region": "eu", "pages": 10}, "/settings/pages", "Write a number of at most 9."),
        ({"region": "eu", "strict": 1}, "/settings/strict", "Write true or false."),
        ({"region": "eu", "since": "2026-02-30"}, "/settings/since", "Write a date as YYYY-MM-DD."),
        ({"region": "eu", "since": "20260228"}, "/settings/since", "Write a date as YYYY-MM-DD."),
        ({"region": "eu", "share": "half"}, "/settings/share", "Write a number."),
        ({"region": "eu", "client": ""}, "/settings/client", "This is required: Client."),
        (
            {"region": "eu", "a/b": 1},
            "/settings/a~1b",
            "Letterbox has no such entry; it knows client, newcomers, pages, region, share, since, strict.",
        ),
    ],
)
def test_settings_are_judged_by_the_definition(settings: dict[str, Any], pointer: str, message: str) -> None:
    assert issues(settings=settings) == [Issue(pointer, message)]


UNDECIDED = "Somebody has to decide this for added: record the decision with its text."
DECIDED = {"newcomers": {"choice": "added", "text": "We have their consent."}}


@pytest.mark.parametrize(
    ("choice", "decisions", "message"),
    [
        ("added", {}, UNDECIDED),
        ("added", {"newcomers": {"choice": "mailed", "text": "x"}}, UNDECIDED),
        ("added", DECIDED, ""),
        ("refused", {}, ""),
        ("refused", DECIDED, ""),
    ],
)
def test_a_choice_that_somebody_answers_for_needs_their_decision(
    choice: str, decisions: dict[str, Any], message: str
) -> None:
    found = issues(settings={"region": "eu", "newcomers": choice}, decisions=decisions)
    assert found == ([Issue("/decisions/newcomers", message)] if message else [])


def test_a_decision_about_nothing_is_refused() -> None:
    [found] = issues(decisions={"region": {"choice": "eu", "text": "x"}})
    assert found == Issue("/decisions/region", "Letterbox has no such entry; it knows newcomers.")


def test_a_required_setting_with_a_default_may_be_left_out() -> None:
    assert issues(settings={"region": "eu"}) == []


def test_secrets_are_judged_by_the_definition() -> None:
    assert issues(secrets={}) == []  # typed later, once the connection is there
    assert issues(secrets={"key": "a", "token": "b"}) == [
        Issue("/secrets/token", "Letterbox has no such entry; it knows backup, key.")
    ]


@pytest.mark.parametrize("name", ["letterbox-key", "dotdigital-api-password", "IterableKey2026", "cm-key-1", "a" * 127])
def test_names_of_secrets_are_accepted(name: str) -> None:
    assert issues(secrets={"key": name}) == []


@pytest.mark.parametrize(
    "value",
    [
        "0123456789abcdef0123456789abcdef",
        "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
        "64f1c0ffee64f1c0ffee64f1-aB3dE5fG7hI9jK1lM3nO5",
        "k9J2x7Qw4Zp8Lm3Tn6Vb",
        "prod-a1b2c3d4e5f6a7b8c9d0",
    ],
)
def test_what_looks_like_the_secret_itself_is_refused_and_not_quoted(value: str) -> None:
    [issue] = issues(secrets={"key": value})
    assert issue.pointer == "/secrets/key"
    assert "looks like the secret itself" in issue.message
    assert value not in issue.message


@pytest.mark.parametrize("value", ["", "p@ssw0rd", "has space", "under_score", "a" * 128, "https://vault/secrets/x"])
def test_what_cannot_be_the_name_of_a_secret_is_refused_and_not_quoted(value: str) -> None:
    [issue] = issues(secrets={"key": value})
    assert issue.message.startswith("Write the name of a Key Vault secret")
    assert not value or value not in issue.message
