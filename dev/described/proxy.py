"""The proxy: hands each call on, tells the judge, and says at `/_described` what was found."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import orjson

from dev.described.judging import Exchange, Judge

REPORT = "/_described"
_OURS = "/_simulator"  # looked at by tests, and no call of the vendor's
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], target: str, judge: Judge) -> None:
        super().__init__(address, _Handler)
        self.target = urlsplit(target)
        self.judge = judge

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hung up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        """Nothing is written: paths may hold addresses."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path, _, query = self.path.partition("?")
        if path == REPORT:
            self._send(200, {"content-type": "application/json"}, orjson.dumps(self.server.judge.report()))
            return
        try:
            status, headers, answer = self._pass_on(body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # the other side hung up: so does this one
            return
        if not path.startswith(_OURS):
            asked = {name.lower(): value for name, value in self.headers.items()}
            told = {name.lower(): value for name, value in headers.items()}
            self.server.judge.see(Exchange(self.command, path, query, asked, body, status, told, answer))
        self._send(status, headers, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - the library's names

    def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        target = self.server.target
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=600)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def proxy(target: str, judge: Judge, port: int = 0) -> Iterator[str]:
    """Serve before `target` until the block ends; its address is what the block gets."""
    server = _Server(("127.0.0.1", port), target, judge)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
