"""The seam, watched: every call of a Cloud's parts, and every vendor request of its slices, goes through one function.

That function may count, die, stall or fail before or after the call; see `interruptions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from shared.catalog.models import Connection
from shared.cloud.cloud import Cloud
from shared.delivery.account import connecting
from shared.delivery.account.connecting import Opened, open_connection
from shared.transport import Transport, Wire

Around = Callable[[str, Callable[[], Any]], Any]
"""(name of the call, the call) -> its result."""

PARTS = ("blobs", "slices", "connections", "exports", "targets", "runs", "snapshots", "waiting", "underway")
VENDOR = "vendor"


class WatchedCloud(Cloud):
    """`cloud` with `around` about every call. It shares the other's clients and keeps nothing of its own."""

    def __init__(self, cloud: Cloud, around: Around) -> None:
        super().__init__(cloud.settings)
        for name in PARTS:
            setattr(self, name, _Watched(name, getattr(cloud, name), around))
        self.secrets = cloud.secrets
        self.around = around
        self.__dict__["segments"] = cloud.segments  # only ever read, so dying there is dying at the call before


class _Watched:
    """A part of the seam, or a client that it hands out."""

    def __init__(self, name: str, inner: Any, around: Around) -> None:
        self._name = name
        self._inner = inner
        self._around = around

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._inner, attribute)
        if attribute == "service":  # staged rows are written past `Blobs`
            return _Watched(f"{self._name}.service", found, self._around)
        if attribute == "get_blob_client":
            return lambda *args, **options: _Watched(self._name, found(*args, **options), self._around)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            return self._around(_label(f"{self._name}.{attribute}", args), lambda: _whole(found(*args, **options)))

        return call


def _label(name: str, args: tuple[Any, ...]) -> str:
    """The call's name with what it is about: a blob's name, a row's keys."""
    about = [each["RowKey"] if isinstance(each, Mapping) and "RowKey" in each else each for each in args[:2]]
    return " ".join([name, *(each for each in about if isinstance(each, str))])


def _whole(result: Any) -> Any:
    """What would make its requests later makes them now."""
    return iter(list(result)) if isinstance(result, Iterator) else result


@contextmanager
def watched_vendors() -> Iterator[None]:
    """While this holds, vendor requests of slices on a WatchedCloud go through its `around` too."""

    def opened(cloud: Cloud, connection: Connection, **options: Any) -> Opened:
        if not isinstance(cloud, WatchedCloud):
            return open_connection(cloud, connection, **options)
        # From the first: some vendors put a transport of their own around this one.
        watched = partial(_watched, Wire(), cloud.around)
        with one_at_a_time, mock.patch.object(connecting, "Wire", watched):
            return open_connection(cloud, connection, **options)

    one_at_a_time = Lock()
    with mock.patch.object(connecting, "open_connection", opened):
        yield


def _watched(transport: Transport, around: Around) -> Transport:
    def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Any:
        name = f"{VENDOR}.{method} {urlsplit(url).path}"
        return around(name, lambda: transport(method, url, headers, body, seconds))

    return send
