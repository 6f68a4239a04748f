"""Calls to one simulator over loopback, as a client with good credentials makes them."""

from __future__ import annotations

from typing import Any

import requests

from dev.simulators.common.clock import ManualClock
from dev.simulators.common.simulator import Simulator


class JsonCaller:
    """What callers have in common; `base` is what a vendor's paths begin with."""

    base = ""

    def __init__(self, simulator: Simulator[Any], session: requests.Session) -> None:
        self.root = simulator.url
        self.url = f"{simulator.url}{self.base}"
        self.session = session
        self.clock = simulator.clock

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        at = self.root if path.startswith("/_simulator") else self.url
        return self.session.request(method, f"{at}{path}", json=body, params=query, timeout=20)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call("GET", path, **query)

    def post(self, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self.call("POST", path, body, **query)

    def advance(self, seconds: float = 1.0) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(seconds)

    def settings(self, **changes: Any) -> None:
        answer = self.post("/_simulator/settings", changes)
        assert answer.status_code == 200, answer.text

    def people(self, *people: dict[str, Any], **more: Any) -> None:
        answer = self.post("/_simulator/people", {"people": people, **more})
        assert answer.status_code == 200, answer.text

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.get("/_simulator/state").json()
        return state
