"""A simulated Omnisend on a free port, its clock moved by hand, and a caller that holds a good key."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import requests

from dev.simulators.common.clock import ManualClock
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.omnisend import STANDARD_KEY, VERSION, Omnisend
from tests.unit.simulators.calling import JsonCaller


def item(address: str, /, **fields: Any) -> dict[str, Any]:
    """A contact request that asks for no welcome message."""
    return {"identifiers": [{"type": "email", "id": address, "sendWelcomeMessage": False}], **fields}


def in_channel(address: str, status: str, at: str | None = None, **more: Any) -> dict[str, Any]:
    """A contact request that says whether the person is subscribed."""
    channel = {"status": status} if at is None else {"status": status, "statusChangedAt": at}
    identifier = {"type": "email", "id": address, "sendWelcomeMessage": False, "channels": {"email": channel}, **more}
    return {"identifiers": [identifier]}


class Caller(JsonCaller):
    """Calls one simulator over loopback, as a client with a good key would."""

    def __init__(self, simulator: Simulator[Omnisend], session: requests.Session) -> None:
        super().__init__(simulator, session)
        self.use_key(STANDARD_KEY)
        session.headers["Omnisend-Version"] = VERSION

    def use_key(self, key: str) -> None:
        self.session.headers["Authorization"] = f"Omnisend-API-Key {key}"

    def batch(self, *items: Any, **more: Any) -> requests.Response:
        return self.post("/api/batches", {"method": "POST", "endpoint": "contacts", "items": items, **more})

    def deliver(self, *items: Any) -> dict[str, Any]:
        """Send a batch, wait for its end, and say what became of it."""
        batch_id = self.batch(*items).json()["batchID"]
        self.advance()
        outcome: dict[str, Any] = self.get(f"/api/batches/{batch_id}/items").json()
        return outcome

    def tag(self, tags: Sequence[str], **selectors: Any) -> requests.Response:
        return self.post("/api/contacts/tags", {"tags": tags, **selectors})

    def untag(self, tags: Sequence[str], **selectors: Any) -> requests.Response:
        return self.call("DELETE", "/api/contacts/tags", {"tags": tags, **selectors})

    def members(self, tag: str) -> list[str]:
        return sorted(each["email"] for each in self.get("/api/contacts", tag=tag, limit=250).json()["contacts"])

    def contact(self, address: str) -> dict[str, Any]:
        contacts = self.get("/api/contacts", email=address).json()["contacts"]
        contact: dict[str, Any] = contacts[0] if contacts else {}
        return contact


@pytest.fixture
def simulator() -> Iterator[Simulator[Omnisend]]:
    with serve(Simulator(Omnisend(clock=ManualClock()))) as served:
        yield served


@pytest.fixture
def caller(simulator: Simulator[Omnisend], caplog: pytest.LogCaptureFixture) -> Iterator[Caller]:
    caplog.set_level(logging.WARNING, logger="urllib3")  # it logs URLs, and this vendor wants addresses in some
    with requests.Session() as session:
        yield Caller(simulator, session)
