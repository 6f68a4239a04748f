"""A simulated Dotdigital on a free port, its clock moved by hand, and a caller with good credentials."""

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
from dev.simulators.dotdigital import PASSWORD, USER_R1, Dotdigital
from tests.unit.simulators.calling import JsonCaller


class Caller(JsonCaller):
    """Calls one simulator over loopback, as a client of account 4711 in region r1 would."""

    base = "/r1"

    def __init__(self, simulator: Simulator[Dotdigital], session: requests.Session) -> None:
        super().__init__(simulator, session)
        session.auth = (USER_R1, PASSWORD)

    def create_list(self, name: str = "Loyal customers") -> int:
        list_id: int = self.post("/v2/address-books", {"name": name}).json()["id"]
        return list_id

    def put_import(self, *rows: dict[str, Any], **more: Any) -> requests.Response:
        return self.call("PUT", "/contacts/v3/import", {"contacts": rows, **more})

    def start(self, *rows: dict[str, Any], **more: Any) -> str:
        answer = self.put_import(*rows, **more)
        assert answer.status_code == 202, answer.text
        import_id: str = answer.json()["importId"]
        return import_id

    def poll(self, import_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/contacts/v3/import/{import_id}").json()
        return answer

    def run(self, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
        """An import to its end: the result."""
        import_id = self.start(*rows, **more)
        self.advance(60)
        return self.poll(import_id)

    def contact(self, address: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/contacts/v3/email/{address}").json()
        return answer

    def members(self, list_id: int) -> list[str]:
        lines = self.get(f"/_simulator/lists/{list_id}/members").text.splitlines()
        return sorted(json.loads(line)["address"] for line in lines)


def row(address: str, *lists: int, **fields: Any) -> dict[str, Any]:
    """One contact of an import."""
    made: dict[str, Any] = {"matchIdentifier": "email", "identifiers": {"email": address}}
    if lists:
        made["lists"] = [*lists]
    if fields:
        made["dataFields"] = fields
    return made


def codes(result: dict[str, Any]) -> dict[str, list[str]]:
    """Address -> the failure codes of an import's result."""
    return {
        each["identifiers"].get("email", ""): [one["failureCode"] for one in each["failures"]]
        for each in result.get("failures", [])
    }


def addresses(result: dict[str, Any], name: str) -> list[str]:
    """Who is in `created` or `updated`."""
    return [each["identifiers"]["email"] for each in result.get(name, [])]


@pytest.fixture(autouse=True)
def own_urls_are_not_logged() -> Iterator[None]:
    """Here the test itself is the client, and the vendor wants addresses in URLs."""
    loggers = [logging.getLogger(name) for name in ("urllib3", "uvicorn.access")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def simulator() -> Iterator[Simulator[Dotdigital]]:
    with serve(Simulator(Dotdigital(clock=ManualClock()))) as served:
        yield served


@pytest.fixture
def caller(simulator: Simulator[Dotdigital]) -> Iterator[Caller]:
    with requests.Session() as session:
        yield Caller(simulator, session)
