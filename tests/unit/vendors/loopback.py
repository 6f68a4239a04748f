"""A real HTTP server on this machine whose answers a test scripts, and the small parts of a Link."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shared.vendors.contract import BatchResult, Kind, Row, TargetFound, Vendor


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


Raw = Callable[[BaseHTTPRequestHandler], None]
"""Writes whatever it likes to the connection."""
Script = Callable[[Seen], Reply | Raw]


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"} | named)


@dataclass
class Loopback:
    url: str
    seen: list[Seen] = field(default_factory=list)

    def bodies(self) -> list[Any]:
        return [each.json() for each in self.seen if each.body]


@contextlib.contextmanager
def serving(script: Script, *, certificate: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    """Serve on a free port until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, self.path, headers, body)
            with lock:
                loopback.seen.append(seen)
            result = script(seen)
            if not isinstance(result, Reply):
                self.close_connection = True
                result(self)
                return
            self.send_response(result.status)
            for name, value in result.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(result.body)))
            self.end_headers()
            self.wfile.write(result.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # clients that hang up are part of these tests

    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate:
        server.socket = certificate.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    loopback = Loopback(f"{scheme}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class ReadOnly:
    """The rest of Credentials, for keys that nobody but a person replaces."""

    def has(self, name: str) -> bool:
        return name == "api_key"

    def put(self, name: str, value: str) -> None:
        raise AssertionError("a key is never written")

    def alone(self, name: str) -> contextlib.AbstractContextManager[None]:
        raise AssertionError("a key is never replaced")


class Keys(ReadOnly):
    """A Key Vault with a cache: `stored` is the truth, `kept` what a call without `fresh` sees."""

    def __init__(self, kept: str, stored: str | None = None) -> None:
        self.kept = kept
        self.stored = stored or kept
        self.fresh = 0

    def get(self, name: str, *, fresh: bool = False) -> str:
        assert name == "api_key"
        if fresh:
            self.fresh += 1
            self.kept = self.stored
        return self.kept


def finish(vendor: Vendor, target: TargetFound, kind: Kind, rows: Sequence[Row], clock: Clock) -> BatchResult:
    """Deliver, and settle until there are receipts, as the engine does."""
    found: BatchResult = vendor.deliver(target, kind, rows)
    while found.staged is not None:
        clock.wait(10.0)
        found = vendor.settle(target, kind, rows, found.staged) or found
    return found
