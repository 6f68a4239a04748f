"""A simulated Klaviyo on a free port, its clock moved by hand, and a caller that holds a good key."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dev.simulators.common.clock import ManualClock
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.klaviyo import REVISION, STANDARD_KEY, Klaviyo
from tests.unit.simulators.calling import JsonCaller

JOBS = "/api/profile-bulk-import-jobs"


def profile(address: str, /, **attributes: Any) -> dict[str, Any]:
    return {"type": "profile", "attributes": {"email": address, **attributes}}


class Caller(JsonCaller):
    """Calls one simulator over loopback, as a client with a good key would."""

    def __init__(self, simulator: Simulator[Klaviyo], session: requests.Session) -> None:
        super().__init__(simulator, session)
        self.use_key(STANDARD_KEY)
        session.headers["revision"] = REVISION

    def use_key(self, key: str) -> None:
        self.session.headers["Authorization"] = f"Klaviyo-API-Key {key}"

    def create_list(self, name: str = "Loyal customers") -> str:
        answer = self.post("/api/lists", {"data": {"type": "list", "attributes": {"name": name}}})
        assert answer.status_code == 201, answer.text
        list_id: str = answer.json()["data"]["id"]
        return list_id

    def send(self, *rows: Any, lists: tuple[str, ...] = ()) -> requests.Response:
        """Post an import job."""
        data: dict[str, Any] = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": rows}}}
        if lists:
            data["relationships"] = {"lists": {"data": [{"type": "list", "id": each} for each in lists]}}
        return self.post(JOBS, {"data": data})

    def bring(self, *rows: Any, lists: tuple[str, ...] = ()) -> dict[str, Any]:
        """Post an import job, wait for its end, and say what became of it."""
        answer = self.send(*rows, lists=lists)
        assert answer.status_code == 202, answer.text
        self.advance()
        return self.job(answer.json()["data"]["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.get(f"{JOBS}/{job_id}").json()["data"]
        return job

    def errors(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        return [each["attributes"] for each in self.get(f"{JOBS}/{job['id']}/import-errors").json()["data"]]

    def one(self, address: str, **query: Any) -> dict[str, Any]:
        """The profile with this address; empty where there is none."""
        found = self.get("/api/profiles", filter=f'equals(email,"{address}")', **query).json()["data"]
        return dict(found[0]) if found else {}

    def members(self, list_id: str) -> list[str]:
        lines = self.get(f"/_simulator/lists/{list_id}/members").text.splitlines()
        return sorted(json.loads(line)["address"] for line in lines)

    def remove(self, list_id: str, *ids: str) -> requests.Response:
        body = {"data": [{"type": "profile", "id": each} for each in ids]}
        return self.call("DELETE", f"/api/lists/{list_id}/relationships/profiles", body)


def problem(answer: requests.Response) -> tuple[int, str, str]:
    """Status, code, and what the first error points at."""
    error = answer.json()["errors"][0]
    return answer.status_code, error["code"], error["source"].get("pointer") or error["source"]["parameter"]


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator[Klaviyo]]:
    with serve(Simulator(Klaviyo(clock=ManualClock()))) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator[Klaviyo]) -> Simulator[Klaviyo]:
    """As at its start, but for its clock."""
    running.reset()
    return running


@pytest.fixture
def caller(simulator: Simulator[Klaviyo], caplog: pytest.LogCaptureFixture) -> Iterator[Caller]:
    caplog.set_level(logging.WARNING, logger="urllib3")  # it logs URLs, and filters have addresses
    with requests.Session() as session:
        yield Caller(simulator, session)
