"""The provider, served over HTTPS by a thread of this process."""

from __future__ import annotations

from base64 import b64decode
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from dev.host.https_server import serving_https
from dev.identity.answers import Answer, Provider
from dev.identity.directory import Member, Registration, claims
from dev.identity.signing import SigningKeys

TENANT = "11111111-2222-4333-8444-555555555555"
PROGRAM = Member("Nightly job", ())


class IdentityProvider:
    """One tenant with one registered app; a context manager.

    `issuer` and `certificate` are what the app needs to know. `requests` lists what was asked, as "GET /keys".
    """

    def __init__(self, registration: Registration | None = None, *, port: int = 0) -> None:
        self.registration = registration or Registration()
        self.keys = SigningKeys()
        self.requests: list[str] = []
        self._port = port

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            served = stack.enter_context(serving_https(_handler(self), "identity", self._port))
            self.url, self.certificate = served
            self.issuer = f"{self.url}/{TENANT}/v2.0"
            self.provider = Provider(self.registration, self.keys, self.issuer)
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def settings(self, origin: str) -> dict[str, str]:
        """App settings for an app at `origin`, whose redirect addresses this also registers."""
        self.registration.redirects |= {f"{origin}/auth/callback", f"{origin}/auth/signed-out"}
        return {
            "SIGN_IN_ISSUER": self.issuer,
            "SIGN_IN_CLIENT_ID": self.registration.client_id,
            "SIGN_IN_STAND_IN_CERTIFICATE": str(self.certificate),
            "PUBLIC_URL": origin,
        }

    def access_token(self, *roles: str, header: dict[str, Any] | None = None, **more: Any) -> str:
        """A token as a program gets it for the app; `more` adds and replaces claims, and None takes one away."""
        said: dict[str, Any] = {"azp": "77777777-0000-4000-8000-000000000001", "name": None, **more}
        said = claims(self.issuer, self.registration.client_id, PROGRAM, roles, **said)
        return self.keys.sign(said, **(header or {}))


def _handler(identity: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def _respond(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            sent = dict(parse_qsl(parts.query)) | dict(parse_qsl(body)) | _basic(self.headers.get("Authorization", ""))
            path = parts.path.removeprefix(f"/{TENANT}/v2.0")
            identity.requests.append(f"{self.command} {path}")
            self._send(identity.provider.answer(self.command, path, sent))

        def _send(self, answer: Answer) -> None:
            content = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(content)))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _respond  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing: a request's path holds codes."""

    return Handler


def _basic(header: str) -> dict[str, str]:
    """Client id and secret, where they come as a header (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return {}
    client, _, secret = b64decode(credentials).decode().partition(":")
    return {"client_id": unquote(client), "client_secret": unquote(secret)}
