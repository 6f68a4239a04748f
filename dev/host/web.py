"""The host's web face, an ASGI application: the functions' routes, keys, the home page, the host's own API."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from dev.host.http_messages import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    from_worker,
    read_request,
    send_response,
    to_worker,
)
from dev.host.routes import Match
from dev.host.runner import Run

Admin = Callable[[Request], Awaitable[Response]]

ADMIN = "/admin/"
_HOME = b"<!doctype html><title>Function app</title><p>This function app is up and running.</p>"


def make_web(
    route: Callable[[str, str], Match | None], run: Run, admin: Admin, key: str
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application. `admin` answers everything below /admin/, after the key was checked."""

    async def answer(request: Request) -> Response:
        if request.path.startswith(ADMIN):
            return await admin(request) if _has_key(request, key) else Response(401)
        if match := route(request.method, request.path):
            return await call(request, match)
        if request.path == "/":
            return Response(200, [("content-type", "text/html")], _HOME)
        return Response(404)

    async def call(request: Request, match: Match) -> Response:
        trigger = match.function.trigger
        if str(trigger.get("authLevel", "function")).lower() != "anonymous" and not _has_key(request, key):
            return Response(401)
        outcome = await run(match.function, {trigger["name"]: to_worker(request, match.parameters)}, {})
        return from_worker(outcome.value) if outcome.ok else Response(500)

    async def web(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await read_request(scope, receive)
        except ConnectionResetError:
            return
        await send_response(await answer(request), send)

    return web


def json_response(status: int, content: Any) -> Response:
    """An answer in JSON."""
    return Response(status, [("content-type", "application/json")], json.dumps(content).encode())


def _has_key(request: Request, key: str) -> bool:
    given = request.headers.get("x-functions-key") or request.query.get("code", "")
    return hmac.compare_digest(given.encode(), key.encode())
