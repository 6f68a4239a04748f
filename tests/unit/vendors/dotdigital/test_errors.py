"""Answers that any call may get: limits of two kinds, errors of two versions, and refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import RetryAfter, UserMustAct
from shared.vendors.answers import Answer, RateLimited
from shared.vendors.dotdigital.errors import error_code, error_words, refusal, turned_away, used_up

MONDAY = "Mon, 05 Jan 2026 10:00:00 GMT"
MONDAY_EPOCH = 1767607200


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, named, b"" if body is None else json.dumps(body).encode())


def test_too_many_imports_is_no_reason_to_call_less_often() -> None:
    body = {"errorCode": "contacts:tooManyActiveImports", "description": "d"}
    error = turned_away(answer(429, body, x_ratelimit_reset="3"))
    assert isinstance(error, RetryAfter)
    assert not isinstance(error, RateLimited)
    assert error.seconds == 60


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 30),
        ({"retry_after": "7"}, 7),
        ({"x_ratelimit_reset": "12"}, 12),
        ({"x_ratelimit_reset": "900"}, 120),
        ({"x_ratelimit_reset": "0"}, 1),
        ({"x_ratelimit_reset": "nan"}, 1),
        ({"x_ratelimit_reset": "soon"}, 30),
        ({"x_ratelimit_reset": str(MONDAY_EPOCH + 45), "date": MONDAY}, 45),
        ({"x_ratelimit_reset": str(MONDAY_EPOCH - 45), "date": MONDAY}, 1),
        ({"x_ratelimit_reset": "1e30", "date": "never"}, 120),
    ],
)
def test_too_many_calls_wait_for_the_window(headers: dict[str, str], seconds: float) -> None:
    for body in (None, {}, {"message": "slow down"}, ["odd"]):
        error = turned_away(answer(429, body, **headers))
        assert isinstance(error, RateLimited)
        assert error.seconds == seconds


def test_the_last_call_of_a_window_is_noticed() -> None:
    assert used_up(answer(200, {}, x_ratelimit_remaining="0", x_ratelimit_reset="20")) == 20
    assert used_up(answer(200, {}, x_ratelimit_remaining="0")) is None
    assert used_up(answer(200, {}, x_ratelimit_remaining="1", x_ratelimit_reset="20")) is None
    assert used_up(answer(200, {})) is None


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Error: ERROR_APIUSAGE_EXCEEDED", RateLimited),
        (400, "Your account has generated excess API activity and is being temporarily capped.", RateLimited),
        (400, "Error: ERROR_IMPORT_TOOMANYACTIVEIMPORTS", RetryAfter),
        (409, "The list is busy. ERROR_ADDRESSBOOK_IN_USE", RetryAfter),
        (400, "ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE", RetryAfter),
        (400, "ERROR_APIUSER_INVALID", UserMustAct),
        (400, "ERROR_INVALID_LOGIN", UserMustAct),
        (400, "ERROR_FEATURENOTACTIVE", UserMustAct),
    ],
)
def test_tokens_of_the_older_calls(status: int, message: str, kind: type[Exception]) -> None:
    assert type(turned_away(answer(status, {"message": message}))) is kind


@pytest.mark.parametrize("status", [200, 202, 400, 404, 409])
def test_everything_else_is_the_callers_to_read(status: int) -> None:
    assert turned_away(answer(status, {"errorCode": "contacts:badJson", "description": "d"})) is None
    assert turned_away(answer(status)) is None


def test_codes_and_words_of_both_versions() -> None:
    assert error_code(answer(400, {"errorCode": "contacts:BadJson", "description": "d"})) == "contacts:badjson"
    assert error_code(answer(404, {"message": "Error: ERROR_ADDRESSBOOK_NOT_FOUND"})) == "error_addressbook_not_found"
    assert error_code(Answer(400, {}, b"plain ERROR_PARAMETER_INVALID text")) == "error_parameter_invalid"
    assert error_code(Answer(404, {}, b"<html>")) == ""
    assert error_words(answer(400, {"errorCode": "c", "description": "Bad ana@x.com"})) == "Bad [address]"
    assert error_words(answer(400, {"message": "Error: E"})) == "Error: E"
    assert error_words(Answer(413, {}, b"<html>")) == "status 413"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"message": "Authorization has been denied for this request."}, "bad_credentials"),
        (401, None, "bad_credentials"),
        (403, {"message": "Forbidden: Access is denied"}, "forbidden"),
        (403, {"message": "ERROR_FEATURENOTACTIVE"}, "feature_not_active"),
    ],
)
def test_refusals(status: int, body: Any, code: str) -> None:
    assert refusal(answer(status, body)).code == code
