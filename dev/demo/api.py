"""The demo as an engineer with a script would do it: over the service's own API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from dev.host.client import HostClient

ENDED = {"succeeded", "succeeded with warnings", "failed", "blocked", "cancelled", "nothing to do"}
POLL_SECONDS = 0.2


class DemoError(Exception):
    """Something did not go as it should; the message says what."""


class Api:
    """Calls of the API, each of which must succeed."""

    def __init__(self, host: HostClient) -> None:
        self._host = host

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._host.request(method, f"/api/v1{path}", json=body, timeout=60)
        if not answer.ok:
            raise DemoError(f"{method} {path} was answered {answer.status_code}: {answer.text[:2000]}")
        return answer.json()

    def run(self, export: str) -> str:
        """Trigger a run; its id."""
        return str(self.call("POST", f"/exports/{export}/run")["run"])

    def next_run(self, export: str, after: str, seconds: float = 60) -> str:
        """Wait for a run newer than `after` that somebody else triggers; its id."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            newest = self.call("GET", f"/exports/{export}/runs?top=1")["runs"][0]["run"]
            if newest != after:
                return str(newest)
            time.sleep(POLL_SECONDS)
        raise DemoError(f"the timer started no run within {seconds:.0f} seconds")

    def follow(self, export: str, run: str, watch: Callable[[Any], None], seconds: float = 600) -> Any:
        """Poll a run until it ends, showing each view of it; the last one."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            view = self.call("GET", f"/exports/{export}/runs/{run}")
            watch(view)
            if view["state"] in ENDED:
                return view
            time.sleep(POLL_SECONDS)
        raise DemoError(f"the run did not end within {seconds:.0f} seconds")
