"""A simulated Campaign Monitor on a free port, its clock moved by hand, and a caller that holds a good key."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dev.simulators.campaign_monitor import ACCOUNT_KEY, CLIENT, CampaignMonitor
from dev.simulators.common.clock import ManualClock
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator

BASE = "/api/v3.3"


def row(address: str, consent: str | None = "Unchanged", clear: tuple[str, ...] = (), **fields: str) -> dict[str, Any]:
    """A row of an import; `fields` go to the custom fields of those keys, `clear` names the fields to empty."""
    values: list[dict[str, Any]] = [{"Key": key, "Value": value} for key, value in fields.items()]
    values += [{"Key": key, "Value": "", "Clear": True} for key in clear]
    made: dict[str, Any] = {"EmailAddress": address, "Name": "Ana Silva", "CustomFields": values}
    return made if consent is None else {**made, "ConsentToTrack": consent}


def code(answer: requests.Response) -> tuple[int, int]:
    """The HTTP status and the vendor's own code."""
    return answer.status_code, answer.json()["Code"]


def failures(answer: requests.Response) -> dict[str, int]:
    """Address -> code of an import that had failures, and only of one."""
    assert code(answer) == (400, 210)
    return {each["EmailAddress"]: each["Code"] for each in answer.json()["ResultData"]["FailureDetails"]}


class Caller:
    """Calls one simulator over loopback, as a client with a good key would."""

    def __init__(self, simulator: Simulator[CampaignMonitor], session: requests.Session) -> None:
        self.url = simulator.url
        self.session = session
        self.clock = simulator.clock
        session.auth = (ACCOUNT_KEY, "x")

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """`path` within the API, without its `.json`."""
        return self.session.request(method, f"{self.url}{BASE}{path}.json", json=body, params=query, timeout=20)

    def use_token(self, token: str) -> None:
        self.session.auth = None
        self.session.headers["Authorization"] = f"Bearer {token}"

    def advance(self, seconds: float) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(seconds)

    def inspect(self, path: str, body: Any = None) -> Any:
        method = "GET" if body is None else "POST"
        answer = requests.request(method, f"{self.url}/_simulator/{path}", json=body, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def state(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.inspect("state")
        return shown

    def load(self, **content: Any) -> None:
        self.inspect("people", content)

    def put(self, list_id: str, address: str, state: str) -> None:
        self.load(people=[{"email": address, "lists": [list_id], "state": state}])

    def create_list(self, title: str = "Loyal customers", *fields: str, **more: Any) -> str:
        list_id: str = self.call("POST", f"/lists/{CLIENT}", {"Title": title, **more}).json()
        for name in fields:
            self.call("POST", f"/lists/{list_id}/customfields", {"FieldName": name, "DataType": "Text"})
        return list_id

    def imports(self, list_id: str, *rows: Any, resubscribe: bool = False, **more: Any) -> requests.Response:
        body = {"Subscribers": rows, "Resubscribe": resubscribe, **more}
        return self.call("POST", f"/subscribers/{list_id}/import", body)

    def read(self, list_id: str, state: str = "active", **query: Any) -> requests.Response:
        return self.call("GET", f"/lists/{list_id}/{state}", **{"date": "", **query})

    def addresses(self, list_id: str, state: str = "active", **query: Any) -> list[str]:
        return [each["EmailAddress"] for each in self.read(list_id, state, **query).json()["Results"]]

    def remove(self, list_id: str, address: str) -> requests.Response:
        return self.call("DELETE", f"/subscribers/{list_id}", email=address)

    def get(self, list_id: str, address: str, **query: Any) -> dict[str, Any]:
        shown: dict[str, Any] = self.call("GET", f"/subscribers/{list_id}", email=address, **query).json()
        return shown

    def fields(self, list_id: str, address: str) -> dict[str, str]:
        return {each["Key"]: each["Value"] for each in self.get(list_id, address)["CustomFields"]}

    def members(self, list_id: str) -> list[dict[str, Any]]:
        text = requests.get(f"{self.url}/_simulator/lists/{list_id}/members", timeout=20).text
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def simulator() -> Iterator[Simulator[CampaignMonitor]]:
    with serve(Simulator(CampaignMonitor(clock=ManualClock()))) as served:
        yield served


@pytest.fixture
def caller(simulator: Simulator[CampaignMonitor], caplog: pytest.LogCaptureFixture) -> Iterator[Caller]:
    # This vendor wants addresses in the query, and the tests' own HTTP library logs what it asks for.
    caplog.set_level(logging.INFO, logger="urllib3")
    with requests.Session() as session:
        yield Caller(simulator, session)
