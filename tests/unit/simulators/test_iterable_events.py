"""Iterable's export of data: what happened to people, by type and window of time."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import STANDARD_KEY, Iterable, Settings

WINDOW = {"startDateTime": "2026-11-01 00:00:00", "endDateTime": "2026-12-01 00:00:00"}
AT = 1_794_000_000.0  # 2026-11-06


def asked(url: str, **query: str) -> requests.Response:
    return requests.get(
        f"{url}/api/export/data.json", {**WINDOW, **query}, headers={"Api-Key": STANDARD_KEY}, timeout=9
    )


def told(answer: requests.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def test_events_are_told_by_type_and_window() -> None:
    with serve(Simulator(Iterable(Settings(rates={})))) as simulator:
        events = [
            {"type": "emailBounce", "at": AT, "fields": {"recipientState": "HardBounce"}},
            {"type": "emailBounce", "at": AT - 31 * 86_400},
            {"type": "emailComplaint", "at": AT},
        ]
        people = {"people": [{"email": "ann@example.com", "events": events}]}
        assert requests.post(f"{simulator.url}/_simulator/people", json=people, timeout=9).ok
        assert told(asked(simulator.url, dataTypeName="emailBounce")) == [
            {
                "email": "ann@example.com",
                "createdAt": "2026-11-06 21:20:00 +00:00",
                "recipientState": "HardBounce",
            }
        ]
        assert told(asked(simulator.url, dataTypeName="emailUnSubscribe")) == []


@pytest.mark.parametrize("query", [{"dataTypeName": "unknown"}, {"dataTypeName": "emailBounce", "endDateTime": "soon"}])
def test_a_question_that_is_none_is_refused(query: dict[str, str]) -> None:
    with serve(Simulator(Iterable(Settings(rates={})))) as simulator:
        assert asked(simulator.url, **query).status_code == 400


def test_a_fifth_question_within_a_minute_is_refused() -> None:
    with serve(Simulator(Iterable(Settings()))) as simulator:
        statuses = [asked(simulator.url, dataTypeName="emailBounce").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
