"""A web server on this machine that speaks HTTPS with a certificate of its own, for stand-ins of Azure's services."""

from __future__ import annotations

import logging
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from dev.host.certificate import make_certificate

_log = logging.getLogger(__name__)


class Served(NamedTuple):
    """Where it listens, and what its clients have to trust."""

    url: str
    certificate: Path


@contextmanager
def serving_https(handler: type[BaseHTTPRequestHandler], name: str, port: int = 0) -> Iterator[Served]:
    """Answer requests in threads of this process until the block ends; with port 0 on a free port."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
        certificate, key = make_certificate(Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with _Server(("127.0.0.1", port), handler) as server:
            # The handshake belongs to the connection's own thread: one slow client must not hold up the others.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=name, daemon=True)
            thread.start()
            try:
                yield Served(f"https://127.0.0.1:{server.server_port}", certificate)
            finally:
                server.shutdown()
                thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Note what broke a connection, most often a client that does not trust the certificate."""
        _log.debug("a connection to a stand-in broke", exc_info=True)
