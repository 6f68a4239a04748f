"""The gate alone, before an app that shows what it was told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from shared.access.person import How, Person, Role
from shared.access.visitors import Closed, SignInNeeded, TooManyFailures, Visitor
from shared.errors import ExportError, Forbidden
from shared.web.gate import HEALTH, LOGIN, Gate, login_url
from tests.unit.api.asgi import Answer, Client

ADA = Person("ada-1", "Ada", frozenset({Role.VIEWER}), How.SESSION)
PAGE = {"accept": "text/html,*/*"}
COOKIE = "segment-exports=renewed"
NOBODY = Visitor()


@dataclass
class Knows:
    """Implements shared.access.visitors.Access."""

    visitor: Visitor = NOBODY
    error: ExportError | None = None
    origin: str = ""
    issuer: str = ""
    asked: list[str] = field(default_factory=list)

    def admit(self, request: Request) -> Visitor:
        self.asked.append(request.url.path)
        if self.error:
            raise self.error
        return self.visitor


@dataclass
class App:
    """Answers with what the gate says of the request; `change` is the audit trail's."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    change: Any = None
    told: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.told = dict(scope["state"])
        if self.change:
            request.state.change = self.change
        await Response(b"served", self.status, self.headers)(scope, receive, send)


def through(
    path: str, knows: Knows, app: App | None = None, method: str = "GET", headers: dict[str, str] | None = None
) -> Answer:
    route, _, query = path.partition("?")
    client = Client(Gate(app or App(), knows), {"host": "exports.example"})
    return client.send(
        method, route, headers=headers or {}, query=dict(each.split("=") for each in query.split("&") if each)
    )


@pytest.mark.parametrize("path", ["/auth/login", "/auth/callback", "/static/a.css", "/language/sv", "/api/ready"])
def test_these_are_open_to_people_whom_nobody_knows(path: str) -> None:
    knows = Knows()
    assert through(path, knows).body == b"served"
    assert knows.asked == [path], "and who asks is looked at all the same"


@pytest.mark.parametrize("path", ["/", "/api/v1/me", "/auth", "/statics", "/api/read", "/x/auth/", "/api/healthy"])
def test_all_else_is_closed(path: str) -> None:
    answer = through(path, Knows())
    assert (answer.status, answer.json["code"]) == (401, "sign_in_needed")


def test_health_is_answered_without_asking_who_it_is() -> None:
    knows, app = Knows(error=Closed()), App()
    assert through("/api/health", knows, app).status == 200
    assert HEALTH == "/api/health"
    assert (knows.asked, app.told["person"]) == ([], None)


def test_the_app_is_told_who_asks() -> None:
    knows, app = Knows(Visitor(ADA, "token", "", local=True)), App()
    assert through("/x", knows, app).body == b"served"
    assert app.told == {"person": ADA, "csrf_token": "token", "local_mode": True, "access": knows}


def test_what_is_no_request_goes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    asyncio.run(Gate(app, Knows())({"type": "lifespan"}, _never, _unheard))
    assert seen == ["lifespan"]


def test_a_worker_that_gives_no_state_gets_one() -> None:
    app = App()

    async def heard(message: Message) -> None:
        return None

    scope: Scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": [], "state": None}
    asyncio.run(Gate(app, Knows(Visitor(ADA)))(scope, _never, heard))
    assert app.told["person"] is ADA


async def _never() -> Message:
    raise AssertionError


async def _unheard(message: Message) -> None:
    raise AssertionError


def test_a_page_sends_people_to_sign_in_and_back() -> None:
    answer = through("/exports/a", Knows(), headers=PAGE)
    assert (answer.status, answer.headers["location"]) == (303, "/auth/login?next=%2Fexports%2Fa")
    answer = through("/exports?of=acme", Knows(), headers=PAGE)
    assert answer.headers["location"] == "/auth/login?next=%2Fexports%3Fof%3Dacme"
    assert login_url("/a b&c") == f"{LOGIN}?next=%2Fa%20b%26c"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/exports", PAGE),
        ("GET", "/api/v1/exports", PAGE),
        ("GET", "/exports", {"accept": "application/json"}),
        ("GET", "/exports", {}),
    ],
)
def test_programs_and_forms_are_told_and_not_sent_elsewhere(method: str, path: str, headers: dict[str, str]) -> None:
    answer = through(path, Knows(), method=method, headers=headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert not {"location", "hx-redirect"} & answer.headers.keys()


@pytest.mark.parametrize("error", [Forbidden("Not you."), TooManyFailures(7), Closed()])
@pytest.mark.parametrize("headers", [PAGE, {"hx-request": "true"}])
def test_who_is_refused_for_another_reason_is_not_asked_to_sign_in(error: ExportError, headers: dict[str, str]) -> None:
    answer = through("/exports", Knows(error=error), headers=headers)
    assert answer.status in (403, 429, 503)
    assert not {"location", "hx-redirect"} & answer.headers.keys()


@pytest.mark.parametrize(
    ("shown", "following"),
    [
        ({"hx-current-url": "https://exports.example/runs/1?x=1"}, "%2Fruns%2F1"),
        ({"hx-current-url": "https://[broken"}, "%2F"),
        ({}, "%2F"),
    ],
)
def test_a_part_of_a_page_has_the_whole_page_loaded_anew(shown: dict[str, str], following: str) -> None:
    answer = through("/runs/1/progress", Knows(error=SignInNeeded()), headers={**PAGE, "hx-request": "true", **shown})
    assert (answer.status, answer.headers["hx-redirect"]) == (401, f"/auth/login?next={following}")


@pytest.mark.parametrize(
    ("said", "kept", "cookie"),
    [
        ({}, "no-store", COOKIE),
        ({"cache-control": "private, no-store"}, "private, no-store", COOKIE),
        ({"cache-control": "public, immutable"}, "public, immutable", None),
        ({"set-cookie": "segment-exports="}, "no-store", "segment-exports="),
    ],
)
def test_a_renewed_session_goes_with_answers_that_nobody_keeps(
    said: dict[str, str], kept: str, cookie: str | None
) -> None:
    answer = through("/x", Knows(Visitor(ADA, "t", COOKIE)), App(headers=said))
    assert (answer.headers["cache-control"], answer.headers.get("set-cookie")) == (kept, cookie)


def test_without_a_renewed_session_no_cookie_is_set() -> None:
    assert "set-cookie" not in through("/x", Knows(Visitor(ADA))).headers


@pytest.mark.parametrize(("status", "refused"), [(200, False), (303, False), (399, False), (400, True), (503, True)])
def test_the_audit_trail_hears_of_a_refusal(status: int, refused: bool) -> None:
    change = SimpleNamespace(refused=False)
    assert through("/x", Knows(Visitor(ADA)), App(status, change=change)).status == status
    assert change.refused is refused
    assert through("/x", Knows(Visitor(ADA)), App(status)).status == status, "where nothing is told of"
