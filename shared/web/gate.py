"""The app's door: finds out who asks before anything else sees the request, and sends home whom nobody knows."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders, State
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.access.visitors import Access, SignInNeeded, Visitor
from shared.errors import ExportError
from shared.web.problems import refusal

HEALTH = "/api/health"
LOGIN = "/auth/login"
_OPEN = ("/auth/", "/static/", "/language/", "/api/ready")
"""Reachable without being known; the table of actions has them."""


class Gate:
    """ASGI middleware; sets `request.state.person`, `.local_mode`, `.csrf_token` and `.access`."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # The Functions worker gives None as state, of which every Request would make a state of its own.
        scope["state"] = {}
        request = Request(scope, receive)
        try:
            visitor = await self._admit(request)
        except ExportError as error:
            await _send_away(request, error)(scope, receive, send)
            return
        state = {"person": visitor.person, "local_mode": visitor.local, "csrf_token": visitor.csrf_token}
        scope["state"].update(state, access=self._access)
        await self._app(scope, receive, _watched(send, visitor.cookie, request.state))

    async def _admit(self, request: Request) -> Visitor:
        if request.url.path == HEALTH:
            return Visitor()
        visitor = await run_in_threadpool(self._access.admit, request)
        if visitor.person is None and not request.url.path.startswith(_OPEN):
            raise SignInNeeded
        return visitor


def login_url(following: str) -> str:
    """Where to sign in, to come back to a path of this app."""
    return f"{LOGIN}?next={quote(following, safe='')}"


def _send_away(request: Request, error: ExportError) -> Response:
    if isinstance(error, SignInNeeded) and "hx-request" in request.headers:
        # A part of a page cannot follow a redirect to another site, so htmx is told to load the whole page anew.
        away = refusal(error)
        away.headers["HX-Redirect"] = login_url(_path(request.headers.get("hx-current-url", "/")))
        return away
    html = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if isinstance(error, SignInNeeded) and html and not request.url.path.startswith("/api/v1/"):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(login_url(request.url.path + query), 303)
    return refusal(error)


def _path(url: str) -> str:
    """Of an address that anyone can send."""
    try:
        return urlsplit(url).path
    except ValueError:
        return "/"


def _watched(send: Send, cookie: str, state: State) -> Send:
    """The renewed session goes with the answer, unless the answer has a word of its own to say about it; and the
    audit trail is told of a refusal. A cache between here and the browser would give an answer's cookie to others."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if cookie and "no-store" in headers.setdefault("cache-control", "no-store"):
                headers.setdefault("set-cookie", cookie)
            if message["status"] >= HTTPStatus.BAD_REQUEST and hasattr(state, "change"):
                state.change.refused = True
        await send(message)

    return sending
