"""What a page of another site can have a browser send: nothing that changes anything."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from starlette.requests import Request

from shared.access.person import LOCAL, How, Person, Role
from shared.access.settings import SignInSettings
from shared.access.signing_in import SigningIn
from shared.access.visitors import (
    Closed,
    LocalAccess,
    NoAccess,
    SignInNeeded,
    TooManyFailures,
    Visitor,
    require_same_origin,
)
from shared.errors import Forbidden

ORIGIN = "https://exports.example"
ADA = Person("ada-1", "Ada", frozenset({Role.ADMINISTRATOR}), How.SESSION)
UNSAFE = ["POST", "PUT", "DELETE", "PATCH"]


def request(method: str, headers: Mapping[str, str] | None = None, host: str = "127.0.0.1:7071") -> Request:
    sent = {"host": host, **(headers or {})}
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": "/x",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
    )


OWN: list[dict[str, str]] = [
    {},
    {"origin": ORIGIN},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"origin": ORIGIN, "sec-fetch-site": "same-origin"},
]
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://exports.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
]


@pytest.mark.parametrize("headers", OWN)
@pytest.mark.parametrize("method", UNSAFE)
def test_a_page_of_ours_and_a_program_may_change_something(method: str, headers: dict[str, str]) -> None:
    require_same_origin(request(method, headers), ORIGIN)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", UNSAFE)
def test_a_foreign_page_may_not(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        require_same_origin(request(method, headers), ORIGIN)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_not_looked_at(method: str, headers: dict[str, str]) -> None:
    require_same_origin(request(method, headers), ORIGIN)


class Vault:
    """Implements shared.access.sealing.Vault."""

    def get(self, name: str, *, fresh: bool = False) -> str:
        return "k" * 40

    def put(self, name: str, value: str) -> None:
        raise AssertionError


@pytest.fixture
def access() -> SigningIn:
    return SigningIn(SignInSettings("https://issuer.example", "client", ORIGIN), Vault())


def with_session(access: SigningIn, method: str, headers: Mapping[str, str]) -> Visitor:
    cookie = access.sessions.begin(ADA).partition(";")[0]
    session = access.sessions.read(dict([cookie.split("=", 1)]))
    assert session is not None
    own = {name: session.csrf if value == "its own" else value for name, value in headers.items()}
    return access.admit(request(method, {"cookie": cookie, **own}))


@pytest.mark.parametrize("method", UNSAFE)
def test_a_session_changes_something_with_its_own_token(access: SigningIn, method: str) -> None:
    visitor = with_session(access, method, {"x-csrf-token": "its own", "origin": ORIGIN})
    assert (visitor.person, visitor.local, visitor.cookie) == (ADA, False, "")


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-csrf-token": ""},
        {"x-csrf-token": "guess"},
        {"x-csrf-token": "its own", "origin": "https://evil.example"},
    ],
)
def test_a_session_changes_nothing_without_it_or_for_a_foreign_page(
    access: SigningIn, method: str, headers: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        with_session(access, method, headers)


def test_reading_takes_no_token(access: SigningIn) -> None:
    visitor = with_session(access, "GET", {"origin": "https://evil.example"})
    assert visitor.person == ADA
    assert visitor.csrf_token


def test_who_has_no_session_is_nobody(access: SigningIn) -> None:
    assert access.admit(request("POST", {"x-csrf-token": ""})) == Visitor(None, "", "", False)


@pytest.mark.parametrize("host", ["127.0.0.1:7071", "localhost:7071", "[::1]:7071", "127.0.0.1"])
def test_on_one_machine_everyone_is_let_in(host: str) -> None:
    own = {"origin": f"http://{host}"}
    assert LocalAccess().admit(request("POST", own, host)) == Visitor(LOCAL, local=True)


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ({"origin": "http://127.0.0.1:8000"}, "127.0.0.1:7071"),
        ({"origin": "https://127.0.0.1:7071"}, "127.0.0.1:7071"),
        ({"sec-fetch-site": "cross-site"}, "127.0.0.1:7071"),
        ({}, "rebound.evil.example:7071"),
    ],
)
def test_on_one_machine_a_foreign_page_is_not(headers: dict[str, str], host: str) -> None:
    with pytest.raises(Forbidden):
        LocalAccess().admit(request("POST", headers, host))
    if not headers:
        with pytest.raises(Forbidden):
            LocalAccess().admit(request("GET", headers, host))


def test_refusals_at_the_door_have_a_word_for_programs_and_one_for_people() -> None:
    with pytest.raises(Closed) as closed:
        NoAccess().admit(request("GET"))
    assert (closed.value.code, "SIGN_IN_ISSUER" in closed.value.message) == ("closed", True)
    assert SignInNeeded().code == "sign_in_needed"
    assert (SignInNeeded().message, SignInNeeded("Why.").message) == ("Sign in, or send a bearer token.", "Why.")
    assert (TooManyFailures(7).code, TooManyFailures(7).seconds) == ("too_many_failures", 7)
