"""What every answer tells the browser not to do."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'{provider}; frame-ancestors 'none'; base-uri 'none'"
)
_YEAR = 365 * 24 * 60 * 60


class SecurityHeaders:
    """ASGI middleware. `origin` is the app's own (https brings HSTS); `issuer` is where signing out leads to."""

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
