"""What tests and the demo ask of a running host: send a request, fire a timer, wait for work to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

_POLL = 5.0
# A message that waits for its visibility timeout makes no news when its time comes.
_POLL_QUEUES = 0.1


class FunctionFailed(Exception):
    """A function that was fired by hand ended with an error."""


@dataclass(frozen=True)
class Status:
    """What a host is doing. Counts are by function name, but `queues` (messages, hidden ones too) by queue name.

    `idle`: nothing runs and every queue that triggers a function is empty.
    """

    version: int
    idle: bool
    running: dict[str, int] = field(default_factory=dict)
    succeeded: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    queues: dict[str, int] = field(default_factory=dict)


class HostClient:
    """The interface that LocalHost and HostProcess share; by itself, a client of a host that someone else started.

    `url` has no slash at its end; `key` opens every function.
    """

    url: str
    key: str

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request with the host's key; `options` are those of `requests.request`."""
        headers = {"x-functions-key": self.key, **options.pop("headers", {})}
        with requests.Session() as session:
            session.trust_env = False  # no proxy on the way to this machine
            return session.request(method, self.url + path, headers=headers, **options)

    def fire(self, timer: str) -> None:
        """Run the timer function of that name now, and wait for its end. Raises FunctionFailed, KeyError."""
        response = self.request("POST", f"/admin/functions/{timer}")
        if response.status_code == requests.codes.not_found:
            raise KeyError(timer)
        if not response.ok:
            raise FunctionFailed(f"{timer}: {response.json()['error']}")

    def status(self, seen: int = -1, wait: float = 0) -> Status:
        """What the host is doing: now, or as soon as the version is no longer `seen`, or after `wait` seconds."""
        response = self.request("GET", "/admin/host/activity", params={"seen": seen, "wait": wait})
        response.raise_for_status()
        return Status(**response.json())

    def wait_until(self, predicate: Callable[[Status], bool], timeout: float = 30, poll: float = _POLL) -> Status:
        """The first status for which `predicate` is true.

        Raises TimeoutError, with the last status, when nothing has begun or ended for `timeout` seconds: a busy machine
        takes longer for the same, but goes on.
        """
        status, since = self.status(), time.monotonic()
        while not predicate(status):
            if time.monotonic() - since > timeout:
                raise TimeoutError(f"no news for {timeout} s: {status}")
            before, status = status, self.status(status.version, min(poll, timeout))
            if status != before:
                since = time.monotonic()
        return status

    def wait_idle(self, timeout: float = 30) -> Status:
        """Wait until nothing runs and the queues are empty, delayed messages included. Raises as `wait_until` does."""
        return self.wait_until(lambda status: status.idle, timeout, _POLL_QUEUES)
