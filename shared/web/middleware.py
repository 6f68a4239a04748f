"""What every request and answer passes: headers for browsers, a limit of bodies, and an answer to whatever fails."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import KINDS, MOST_BODY, TOO_LARGE, answer, unnamed

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'{provider}; frame-ancestors 'none'; base-uri 'none'"
)
_YEAR = 365 * 24 * 60 * 60


class SecurityHeaders:
    """Tells browsers what not to do. `origin` is the app's own (https brings HSTS), `issuer` where signing out ends."""

    def __init__(self, app: ASGIApp, *, origin: str = "", issuer: str = "") -> None:
        self._app = app
        provider = urlsplit(issuer)
        # Browsers hold form-action against redirects too, and signing out is a form that ends at the provider.
        self._headers = {
            "Content-Security-Policy": _POLICY.format(
                provider=f" {provider.scheme}://{provider.netloc}" if provider.netloc else ""
            ),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Cache-Control": "no-store",
        }
        if origin.startswith("https://"):
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sending)


class BodyLimit:
    """Refuses a body over the limit before it is read whole, whether or not it says how long it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and int(said) > MOST_BODY:
            await answer(TOO_LARGE, KINDS[TOO_LARGE].meaning)(scope, receive, send)
            return
        await self._app(scope, _counted(receive), send)


def _counted(receive: Receive) -> Receive:
    """A body in pieces may not say how long it is. Raises HTTPException, which every reader of bodies lets through."""
    read = 0

    async def receiving() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BODY:
            raise HTTPException(413)
        return message

    return receiving


class Unexpected:
    """Answers what nothing else caught. It is the app's own, since Starlette's raises again after answering,
    and the Functions worker would then lose the answer and log the exception's text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001  # the last place that can make an answer of it
            response = unnamed(error)
            if not started:
                await response(scope, receive, send)
