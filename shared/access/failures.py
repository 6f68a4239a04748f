"""Counts failed attempts to sign in, by the address that the platform saw.

Counted per instance, in memory: nobody who is unknown can make the app write to storage, and an attacker who is
spread over instances gains a small factor, where guessing would take many orders of magnitude.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from starlette.requests import Request

from shared.access.visitors import TooManyFailures

LIMIT = 10
WINDOW_SECONDS = 300.0
REMEMBERED = 10_000


class Failures:
    """At most LIMIT failures in a window from one address; then nothing it sends is looked at until the window ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def check(self, request: Request) -> None:
        """Raises TooManyFailures."""
        with self._lock:
            started, count = self._current(_address(request))
        if count >= LIMIT:
            raise TooManyFailures(max(1, round(started + WINDOW_SECONDS - self._clock())))

    def count(self, request: Request) -> None:
        address = _address(request)
        with self._lock:
            started, count = self._current(address)
            self._seen[address] = (started, count + 1)
            self._seen.move_to_end(address)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def _current(self, address: str) -> tuple[float, int]:
        started, count = self._seen.get(address, (self._clock(), 0))
        return (started, count) if self._clock() - started < WINDOW_SECONDS else (self._clock(), 0)


def _address(request: Request) -> str:
    """The last hop is what Azure's own front end saw; whatever stands before it, anyone can write."""
    last = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    host, separator, port = last.rpartition(":")
    if separator and port.isdigit() and (host.startswith("[") or ":" not in host):
        last = host
    return last or (request.client.host if request.client else "unknown")
