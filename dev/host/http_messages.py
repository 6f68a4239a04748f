"""HTTP as functions see it: ASGI requests in, the worker's RpcHttp messages out, and back.

Bodies are held in memory whole, both ways, as the real host does for Python functions that do not stream.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from dev.host import protos
from dev.host.protos import TypedData

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True)
class Request:
    """One request. `path` is decoded, but for %2F; `url` is as it was sent; header names are in lower case."""

    method: str
    url: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    headers: Iterable[tuple[str, str]] = ()
    body: bytes = b""


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read a request to its end. Raises ConnectionResetError when the client goes away before that."""
    headers = _merge((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    raw_path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("latin-1")
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        url=f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}{raw_path}{'?' if query else ''}{query}",
        path=unquote(raw_path.replace("%2F", "%252F").replace("%2f", "%252f")),
        headers=headers,
        query=_merge(parse_qsl(query, keep_blank_values=True)),
        body=bytes(body),
    )


async def send_response(response: Response, send: Send) -> None:
    """Send an answer."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status not in _WITHOUT_BODY:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def to_worker(request: Request, parameters: dict[str, str]) -> TypedData:
    """The request as a function's trigger data; `parameters` are those of its route."""
    return TypedData(
        http=protos.RpcHttp(
            method=request.method,
            url=request.url,
            headers=request.headers,
            params=parameters,
            query=request.query,
            body=TypedData(bytes=request.body),
        )
    )


def from_worker(value: TypedData | None) -> Response:
    """The answer that a function returned: a response, a text, or nothing."""
    if value is None:
        return Response(204)
    if value.WhichOneof("data") != "http":
        return Response(200, [("content-type", "text/plain; charset=utf-8")], _raw(value))
    http = value.http
    headers = [(name, text) for name, text in http.headers.items() if name.lower() != "content-length"]
    cookies = [("set-cookie", _cookie(cookie)) for cookie in http.cookies or ()]
    return Response(int(http.status_code), [*headers, *cookies], _raw(http.body))


def _raw(value: TypedData) -> bytes:
    content: str | bytes = vars(value)[value.WhichOneof("data") or "bytes"]
    return content if isinstance(content, bytes) else content.encode()


def _merge(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for name, value in pairs:
        merged[name] = f"{merged[name]},{value}" if name in merged else value
    return merged


def _cookie(cookie: protos.Message) -> str:
    def given(attribute: str) -> Any:
        wrapped = getattr(cookie, attribute)
        return wrapped.value if wrapped else None

    expires = given("expires")
    attributes = {
        "Domain": given("domain"),
        "Path": given("path"),
        "Expires": expires and format_datetime(datetime.fromtimestamp(expires.seconds, UTC), usegmt=True),
        "Max-Age": None if given("max_age") is None else int(given("max_age")),
        "SameSite": cookie.same_site,
    }
    flags = {"Secure": given("secure"), "HttpOnly": given("http_only")}
    return "; ".join(
        [
            f"{cookie.name}={cookie.value}",
            *(f"{name}={value}" for name, value in attributes.items() if value not in (None, "")),
            *(name for name, value in flags.items() if value),
        ]
    )
