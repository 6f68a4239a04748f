"""HTTP exchanges that end at a deadline, whatever the other side does.

Timeouts of sockets count from one piece to the next, so a server that sends a byte now and then, or answers
`100 Continue` without end, holds a request as long as it likes. Here the whole exchange has an end: whoever takes an
account over counts on it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

LOOK_SECONDS = 0.25
_IDLE_LOOKS = 40
_thread = threading.local()
"""`exchange`: the one that this thread has under way."""
_owning = threading.Lock()


class Exchange:
    """One request and its answer. `ended` once its deadline passed before the answer was complete."""

    def __init__(self) -> None:
        self.ended = False
        self._connection: HTTPConnection | None = None

    def take(self, connection: HTTPConnection) -> None:
        """Have a connection, which was another exchange's before."""
        with _owning:
            self._connection = connection
            connection.exchange = self  # type: ignore[attr-defined]

    def end(self) -> None:
        """Shut the connection, while it is open and this exchange's: whoever reads from it goes on at once."""
        with _owning:
            connection = self._connection
            if connection is None or connection.sock is None:
                return
            if connection.exchange is self:  # type: ignore[attr-defined]
                self.ended = True
                with suppress(OSError):  # the other side was faster
                    # The plain way: an SSL socket's own would drop what the reading thread works with.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def leave(self) -> None:
        """It is over: nothing ends it any more."""
        with _owning:
            self._connection = None


class _Taken(HTTPConnection):
    """A connection that belongs to the exchange of the thread which sends over it."""

    def putrequest(self, *arguments: Any, **options: Any) -> None:
        _thread.exchange.take(self)
        super().putrequest(*arguments, **options)


class _TakenTls(_Taken, HTTPSConnection):
    """The same, encrypted."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Taken


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TakenTls


class DeadlineAdapter(HTTPAdapter):
    """For sessions whose every request is made within `Deadlines.until`."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


class Deadlines:
    """Ends exchanges that are late, from a thread of its own while there are any. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Exchange, float] = {}
        self._watching = False

    @contextmanager
    def until(self, deadline: float) -> Iterator[Exchange]:
        """The exchange that is made in the block ends then, by time.monotonic()."""
        exchange = _thread.exchange = Exchange()
        with self._lock:
            self._under_way[exchange] = deadline
            starts, self._watching = not self._watching, True
        if starts:
            threading.Thread(target=self._watch, name="request-deadlines", daemon=True).start()
        try:
            yield exchange
        finally:
            exchange.leave()
            with self._lock:
                del self._under_way[exchange]

    def _watch(self) -> None:
        idle = 0
        while idle < _IDLE_LOOKS:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                idle = 0 if self._under_way else idle + 1
                self._watching = idle < _IDLE_LOOKS
                late = [each for each, deadline in self._under_way.items() if time.monotonic() >= deadline]
            for exchange in late:
                exchange.end()
