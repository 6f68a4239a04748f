"""Tokens: what the token endpoint is asked, and what each of its answers means."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.tokens import GrantGone, Pair, exchange_form, kept, refresh_form, told

PAIR = {"access_token": "A+1/==", "refresh_token": "R+1/=="}


def answered(body: Any, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())


def test_a_pair_is_read_and_kept_as_one_secret() -> None:
    pair = told(answered({**PAIR, "expires_in": 1209600}), "Acme")
    assert pair == Pair("A+1/==", "R+1/==")
    assert json.loads(pair.secret()) == PAIR
    assert kept(pair.secret(), "Acme") == pair
    assert "A+1" not in repr(pair)
    assert "R+1" not in repr(pair)


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_grant", "authenticate_again"),
        ("unknown_client", "oauth_app_refused"),
        ("invalid_client", "oauth_app_refused"),
        ("invalid_request", "oauth_refused"),
    ],
)
def test_an_error_is_an_error_with_any_status(status: int, error: str, code: str) -> None:
    with pytest.raises(UserMustAct) as raised:
        told(answered({"error": error, "error_description": "Specified code was invalid or expired"}, status), "Acme")
    assert raised.value.code == code
    assert isinstance(raised.value, GrantGone) == (code == "authenticate_again")


def test_an_error_wins_over_tokens_beside_it() -> None:
    with pytest.raises(GrantGone):
        told(answered({**PAIR, "error": "invalid_grant"}), "Acme")


def test_the_vendors_words_are_scrubbed() -> None:
    with pytest.raises(UserMustAct) as raised:
        told(answered({"error": "odd", "error_description": "token=R+1/== of jane@example.org"}), "Acme")
    assert "R+1" not in raised.value.message
    assert "jane" not in raised.value.message


@pytest.mark.parametrize(
    "answer",
    [
        answered({}),
        answered([]),
        answered({"access_token": "A"}),
        answered({"access_token": "A", "refresh_token": ""}),
        answered({"access_token": "A", "refresh_token": None}),
        answered({"access_token": "A", "refresh_token": "two words"}),
        answered({"access_token": "line\nbreak", "refresh_token": "R"}),
        answered({"access_token": "ünlike", "refresh_token": "R"}),
        answered({"access_token": "A" * 8001, "refresh_token": "R"}),
        answered({"error": ""}),
        answered(PAIR, 201),
        answered(PAIR, 400),
        Answer(200, {}, b"access_token=A&refresh_token=R"),
        Answer(200, {}, b"<html>"),
        Answer(302, {"location": "https://elsewhere.example"}, b""),
    ],
)
def test_anything_else_is_not_taken_for_tokens(answer: Answer) -> None:
    with pytest.raises(UnexpectedAnswer) as raised:
        told(answer, "Acme")
    assert "A+1" not in str(raised.value)


@pytest.mark.parametrize("secret", ["", "a-key", "[]", "{}", '{"access_token": "A"}', "null"])
def test_a_secret_that_holds_no_pair_needs_a_new_sign_in(secret: str) -> None:
    with pytest.raises(GrantGone) as raised:
        kept(secret, "Acme")
    assert "Authenticate with Acme" in raised.value.message


def test_forms_encode_what_has_a_meaning_in_forms() -> None:
    assert dict(parse_qsl(refresh_form("R+1/==&x=y").decode())) == {
        "grant_type": "refresh_token",
        "refresh_token": "R+1/==&x=y",
    }
    form = exchange_form("7", "s+c/r=t", "https://app.example/oauth/callback?a=b", "c+o")
    assert dict(parse_qsl(form.decode())) == {
        "grant_type": "authorization_code",
        "client_id": "7",
        "client_secret": "s+c/r=t",
        "redirect_uri": "https://app.example/oauth/callback?a=b",
        "code": "c+o",
    }
