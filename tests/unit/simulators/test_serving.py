"""A simulator as a process of its own, and what a client sees when things go wrong on the wire."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ReadTimeout

from dev.simulators.common.faults import Fault
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import STANDARD_KEY, Iterable, Settings
from tests.unit.simulators.conftest import Caller

SUBSCRIBE = "POST /api/lists/subscribe"
ANA = {"email": "ana@example.com", "dataFields": {"firstName": "Ana"}}


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "dev.simulators", "iterable", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            line = started.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:")
            yield started, line.split()[-1]
        finally:
            started.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_says_where_it_listens_and_ends_cleanly(number: signal.Signals) -> None:
    with process() as (started, url):
        answer = requests.get(f"{url}/api/lists", headers={"Api-Key": STANDARD_KEY}, timeout=20)
        assert answer.json() == {"lists": []}
        started.send_signal(number)
        assert started.wait(timeout=20) == 0
        assert started.stderr is not None
        assert started.stderr.read() == ""


def test_settings_and_faults_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text(
        json.dumps({"settings": {"project_type": "hybrid"}, "faults": [{"kind": "error", "status": 503, "call": 1}]})
    )
    with process("--faults", str(file)) as (_, url):
        headers = {"Api-Key": STANDARD_KEY}
        statuses = [requests.get(f"{url}/api/lists", headers=headers, timeout=20).status_code for _ in range(2)]
        assert statuses == [503, 200]
        assert requests.get(f"{url}/_simulator/settings", timeout=20).json()["project_type"] == "hybrid"


@pytest.mark.parametrize(
    ("faults", "latency"), [([Fault(kind="hang")], 0.0), ([Fault(kind="hang", seconds=3600)], 0.0), ([], 3600.0)]
)
def test_it_ends_while_a_client_still_waits(faults: list[Fault], latency: float) -> None:
    with serve(Simulator(Iterable(Settings(latency_fixed=latency)), faults)) as simulator:
        port = int(simulator.url.rpartition(":")[2])
        waiting = socket.create_connection(("127.0.0.1", port), timeout=20)
        waiting.sendall(b"GET /api/lists HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not simulator.journal.entries:
            requests.get(f"{simulator.url}/_simulator/requests", timeout=20)
    with waiting:
        assert waiting.recv(1) == b""


@pytest.mark.parametrize("work", [False, True])
def test_a_dropped_connection_leaves_the_client_in_the_dark(
    simulator: Simulator[Iterable], caller: Caller, work: bool
) -> None:
    list_id = caller.create_list()
    simulator.faults.set([Fault(endpoint=SUBSCRIBE, kind="drop", work=work, call=1)])
    with pytest.raises(requests.ConnectionError):
        caller.subscribe(list_id, ANA)
    assert caller.members(list_id) == (["ana@example.com"] if work else [])
    entry = simulator.journal.entries[1]
    assert (entry.fault, entry.status, entry.worked) == ("drop", None, work)


@pytest.mark.parametrize("work", [False, True])
def test_a_client_that_gives_up_on_a_hanging_call_is_in_the_dark(
    simulator: Simulator[Iterable], caller: Caller, work: bool
) -> None:
    list_id = caller.create_list()
    simulator.faults.set([Fault(endpoint=SUBSCRIBE, kind="hang", work=work, call=1)])
    with pytest.raises(ReadTimeout):
        caller.session.post(
            f"{caller.url}/api/lists/subscribe", json={"listId": list_id, "subscribers": [ANA]}, timeout=0.3
        )
    assert caller.members(list_id) == (["ana@example.com"] if work else [])


def test_a_hang_that_ends_gives_the_answer(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.faults.set([Fault(kind="hang", work=True, seconds=30, call=1)])
    assert caller.get("/api/lists").json() == {"lists": []}
    assert simulator.clock.monotonic() == 30


def test_a_truncated_answer_is_cut_in_the_middle(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    simulator.faults.set([Fault(endpoint=SUBSCRIBE, kind="truncate", call=1)])
    with pytest.raises((ChunkedEncodingError, requests.ConnectionError)):
        caller.subscribe(list_id, ANA)
    assert caller.members(list_id) == ["ana@example.com"]


@pytest.mark.parametrize(
    ("fault", "status", "media"),
    [
        (Fault(kind="rate_limited"), 429, "application/json"),
        (Fault(kind="error"), 500, "application/json"),
        (Fault(kind="error", status=503), 503, "application/json"),
        (Fault(kind="html"), 502, "text/html; charset=utf-8"),
        (Fault(kind="html", status=200), 200, "text/html; charset=utf-8"),
        (Fault(kind="unknown_json"), 200, "application/json"),
    ],
)
def test_a_fault_replaces_the_answer_and_nothing_is_done(
    simulator: Simulator[Iterable], caller: Caller, fault: Fault, status: int, media: str
) -> None:
    list_id = caller.create_list()
    simulator.faults.set([fault])
    answer = caller.subscribe(list_id, ANA)
    assert (answer.status_code, answer.headers["content-type"]) == (status, media)
    assert "successCount" not in answer.text
    assert "Retry-After" not in answer.headers
    simulator.faults.set([])
    assert caller.members(list_id) == []


def test_a_rate_limited_fault_can_say_when_to_come_back(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.faults.set([Fault(kind="rate_limited", retry_after=60)])
    assert caller.get("/api/lists").headers["Retry-After"] == "60"


def test_an_error_after_the_work_hides_it(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    simulator.faults.set([Fault(endpoint=SUBSCRIBE, kind="error", work=True)])
    assert caller.subscribe(list_id, ANA).status_code == 500
    assert caller.members(list_id) == ["ana@example.com"]


def test_an_answer_takes_as_long_as_its_rows_ask_for(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    simulator.vendor.settings.latency_fixed = 0.5
    simulator.vendor.settings.latency_per_row = 0.25
    caller.subscribe(list_id, ANA, {"email": "bo@example.com"})
    assert simulator.clock.monotonic() == 1.0
