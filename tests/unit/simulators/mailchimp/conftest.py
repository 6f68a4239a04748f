"""A simulated Mailchimp on a free port, its clock moved by hand, and a caller that holds a good key."""

from __future__ import annotations

import gzip
import io
import json
import logging
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dev.simulators.common.clock import ManualClock
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.mailchimp import AUDIENCE, STANDARD_KEY, Mailchimp
from dev.simulators.mailchimp.values import hash_of
from tests.unit.simulators.calling import JsonCaller

LIST = f"/lists/{AUDIENCE}"


def row(address: str, /, status: str = "subscribed", **fields: Any) -> dict[str, Any]:
    return {"email_address": address, "status": status, "merge_fields": fields}


class Caller(JsonCaller):
    """Calls one simulator over loopback, as a client of data centre us6 with a good key would."""

    base = "/us6/3.0"

    def __init__(self, simulator: Simulator[Mailchimp], session: requests.Session) -> None:
        super().__init__(simulator, session)
        session.auth = ("any", STANDARD_KEY)

    def bulk(self, *rows: Any, **more: Any) -> requests.Response:
        """The call for many, that changes nobody who is there unless `more` says so."""
        query = {name: more.pop(name) for name in ("skip_merge_validation", "skip_duplicate_check") if name in more}
        return self.post(LIST, {"members": rows, "update_existing": False, "sync_tags": False, **more}, **query)

    def create_tag(self, name: str = "Loyal customers") -> int:
        answer = self.post(f"{LIST}/segments", {"name": name, "static_segment": []})
        assert answer.status_code == 200, answer.text
        tag: int = answer.json()["id"]
        return tag

    def tag(self, tag: int, *addresses: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.post(f"{LIST}/segments/{tag}", {"members_to_add": addresses}).json()
        return answer

    def untag(self, tag: int, *addresses: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.post(f"{LIST}/segments/{tag}", {"members_to_remove": addresses}).json()
        return answer

    def member(self, address: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(member(address)).json()
        return answer

    def status(self, address: str) -> str:
        """The status of somebody, or "nobody"."""
        status: str = self.member(address).get("status", "nobody") if self.get(member(address)).ok else "nobody"
        return status

    def members(self, tag: int) -> list[str]:
        lines = self.get(f"/_simulator/lists/{tag}/members").text.splitlines()
        return sorted(json.loads(line)["address"] for line in lines)

    def batch(self, *operations: dict[str, Any]) -> dict[str, Any]:
        answer = self.post("/batches", {"operations": operations})
        assert answer.status_code == 200, answer.text
        batch: dict[str, Any] = answer.json()
        return batch

    def results(self, batch: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
        """What came of a batch's operations, by `operation_id`, and in how many files it was told."""
        url = self.get(f"/batches/{batch['id']}").json()["response_body_url"]
        path = "/results/" + url.partition("/results/")[2]
        archive = requests.get(f"{self.root}{path}", timeout=20)
        assert archive.status_code == 200, archive.text
        told, files = [], 0
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive.content))) as tar:
            for info in tar:
                if (file := tar.extractfile(info)) is not None:
                    told += json.load(file)
                    files += 1
        return sorted(told, key=lambda each: int(each["operation_id"])), files


def member(address: str) -> str:
    return f"{LIST}/members/{hash_of(address)}"


def problem(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["title"]


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator[Mailchimp]]:
    with serve(Simulator(Mailchimp(clock=ManualClock()))) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator[Mailchimp]) -> Simulator[Mailchimp]:
    """As at its start, but for its clock."""
    running.reset()
    return running


@pytest.fixture
def caller(simulator: Simulator[Mailchimp], caplog: pytest.LogCaptureFixture) -> Iterator[Caller]:
    caplog.set_level(logging.WARNING, logger="urllib3")
    with requests.Session() as session:
        yield Caller(simulator, session)
