"""A simulated Iterable on a free port, its clock moved by hand, and a caller that holds a good key."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dev.simulators.common.clock import ManualClock
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import STANDARD_KEY, Iterable
from tests.unit.simulators.calling import JsonCaller

# These tests' own client puts made-up addresses into URLs; what it logs says nothing of the project's code.
logging.getLogger("urllib3").setLevel(logging.WARNING)


class Caller(JsonCaller):
    """Calls one simulator over loopback, as a client with a good key would."""

    def __init__(self, simulator: Simulator[Iterable], session: requests.Session) -> None:
        super().__init__(simulator, session)
        session.headers["Api-Key"] = STANDARD_KEY

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    def create_list(self, name: str = "Loyal customers") -> int:
        list_id: int = self.post("/api/lists", {"name": name}).json()["listId"]
        return list_id

    def subscribe(self, list_id: int, *rows: dict[str, Any], **more: Any) -> requests.Response:
        return self.post("/api/lists/subscribe", {"listId": list_id, "subscribers": rows, **more})

    def unsubscribe(self, list_id: int, *addresses: str, **more: Any) -> requests.Response:
        rows = [{"email": address} for address in addresses]
        body = {"listId": list_id, "channelUnsubscribe": False, "subscribers": rows, **more}
        return self.post("/api/lists/unsubscribe", body)

    def bulk_update(self, *rows: dict[str, Any], **more: Any) -> requests.Response:
        return self.post("/api/users/bulkUpdate", {"users": rows, **more})

    def members(self, list_id: int) -> list[str]:
        return sorted(self.get("/api/lists/getUsers", listId=list_id).text.split())

    def profile(self, address: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("/api/users/getByEmail", email=address).json()
        return answer


@pytest.fixture
def simulator() -> Iterator[Simulator[Iterable]]:
    with serve(Simulator(Iterable(clock=ManualClock()))) as served:
        yield served


@pytest.fixture
def caller(simulator: Simulator[Iterable]) -> Iterator[Caller]:
    with requests.Session() as session:
        yield Caller(simulator, session)
