"""A stand-in for Azure Key Vault's secrets: HTTPS, the bearer challenge, and Key Vault's own JSON.

The real `azure-keyvault-secrets` client works against it when it is told to trust the certificate
(`connection_verify`) and not to compare the challenge's resource with the host (`verify_challenge_resource=False`).
It answers any bearer token: who may read a secret is Azure's business, not this program's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dev.host import key_vault_api
from dev.host.https_server import serving_https
from dev.host.key_vault_api import FORBIDDEN, THROTTLED, UNAUTHORIZED, Answer
from dev.host.secret_store import SecretStore, Version

__all__ = ["FORBIDDEN", "THROTTLED", "KeyVault"]


class KeyVault:
    """One vault, served by a thread; a context manager.

    `file` keeps the secrets between starts (mode 600); without it they are in memory.
    `fault` is the answer to every request while it is set: `FORBIDDEN`, `THROTTLED`, or None.
    `requests` lists what was asked, as "GET /secrets/name", challenges left out.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.fault: Answer | None = None
        self.requests: list[str] = []
        self._store = SecretStore(file)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            served = stack.enter_context(serving_https(_handler(self.answer), "key-vault"))
            self.url, self.certificate = served
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def set_secret(self, name: str, value: str) -> None:
        """Put a secret into the vault directly, as an administrator would."""
        with self._lock:
            self._store.set(name, Version(value))

    def secrets(self) -> dict[str, str]:
        """The newest value of every secret."""
        with self._lock:
            return {name: self._store.get(name).value for name in self._store.names()}

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> Answer:
        """The answer to one request; `token` is the Authorization header, or empty."""
        if not token.startswith("Bearer "):
            return UNAUTHORIZED
        with self._lock:
            self.requests.append(f"{method} {path.rstrip('/')}")
            if self.fault:
                return self.fault
            return key_vault_api.answer(self._store, self.url, method, path, body)


def _handler(answer: Callable[[str, str, str, dict[str, Any]], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def _respond(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            given = answer(self.command, path, self.headers.get("Authorization", ""), json.loads(sent or "{}"))
            body = b"" if given.body is None else json.dumps(given.body).encode()
            self.send_response(given.status)
            for name, value in {"Content-Type": "application/json", **given.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = _respond  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing: a request's path names a secret."""

    return Handler
