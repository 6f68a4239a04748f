"""The paths under /_simulator, which tests and the demo build on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import STANDARD_KEY, Iterable, Settings
from tests.unit.simulators.conftest import Caller

SUBSCRIBE = "POST /api/lists/subscribe"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_no_key_is_needed(caller: Caller) -> None:
    del caller.session.headers["Api-Key"]
    assert caller.get("/_simulator/state").status_code == 200
    assert caller.get("/api/lists").status_code == 401


def test_people_can_be_put_in_place(caller: Caller) -> None:
    content = {
        "lists": [{"id": 7, "name": "Loyal"}, {"name": "Opened 30d", "listType": "Dynamic", "inUse": True}],
        "people": [
            {"email": "Ana@Example.com", "dataFields": {"city": "Hoboken"}, "lists": [7]},
            {"email": "bo@example.com", "lists": ["Loyal"], "globalUnsubscribe": True},
        ],
        "forgotten": ["Gone@example.com"],
    }
    loaded = caller.post("/_simulator/people", content).json()
    assert loaded == {"lists": [{"id": 7, "name": "Loyal"}, {"id": 4411201, "name": "Opened 30d"}], "people": 2}
    state = caller.get("/_simulator/state").json()
    assert [(one["id"], one["listType"], one["members"], one["inUse"]) for one in state["lists"]] == [
        (7, "Standard", 2, False),
        (4411201, "Dynamic", 0, True),
    ]
    assert state["fields"]["city"] == "string"
    assert (state["people"], state["forgotten"]) == (2, 1)
    assert state["globally_unsubscribed"] == ["bo@example.com"]
    assert lines(caller.get("/_simulator/lists/7/members").text) == [
        {"address": "ana@example.com", "dataFields": {"city": "Hoboken"}},
        {"address": "bo@example.com", "dataFields": {}, "globalUnsubscribe": True},
    ]


def test_members_of_a_long_list_come_one_to_a_line(simulator: Simulator[Iterable], caller: Caller) -> None:
    people = [{"email": f"p{number}@example.com", "lists": ["Long"]} for number in range(2500)]
    caller.post("/_simulator/people", {"lists": [{"name": "Long"}], "people": people})
    members = lines(caller.get("/_simulator/lists/4411201/members").text)
    assert [member["address"] for member in members] == [person["email"] for person in people]


def test_members_of_no_list_are_not_found(caller: Caller) -> None:
    assert caller.get("/_simulator/lists/99/members").status_code == 404


def test_requests_are_summed_up(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "a@example.com"}, {"email": "b@example.com"})
    caller.advance(1)
    caller.subscribe(list_id, {"email": "c@example.com"})
    caller.subscribe(404, {"email": "c@example.com"})
    summary = caller.get("/_simulator/requests").json()
    assert (summary["calls"], summary["rows"], summary["by_status"]) == (4, 4, {"200": 3, "400": 1})
    assert (summary["max_per_second"], summary["max_per_minute"], summary["max_in_flight"]) == (2, 4, 1)
    subscribe = summary["by_endpoint"][SUBSCRIBE]
    assert (subscribe["calls"], subscribe["rows"], subscribe["worked"]) == (3, 4, 2)
    assert (subscribe["max_per_second"], subscribe["max_per_minute"]) == (2, 3)
    assert summary["body_bytes"] == sum(entry.body_bytes for entry in simulator.journal.entries)


def test_the_journal_tells_of_every_request(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "Ana@example.com"}, {"email": "bad@@example"})
    (entry,) = lines(caller.get("/_simulator/requests/entries", after=1).text)
    assert entry["endpoint"] == SUBSCRIBE
    assert (entry["method"], entry["path"], entry["account"]) == ("POST", "/api/lists/subscribe", "10216")
    assert (entry["rows"], entry["status"], entry["worked"], entry["fault"]) == (2, 200, True, None)
    assert entry["touched"] == ["ana@example.com"]
    assert entry["body"] is None


@pytest.mark.parametrize(("keep", "touched", "body"), [("counts", False, False), ("bodies", True, True)])
def test_the_journal_keeps_what_it_is_told_to(
    simulator: Simulator[Iterable], caller: Caller, keep: str, touched: bool, body: bool
) -> None:
    list_id = caller.create_list()
    caller.post("/_simulator/settings", {"journal": keep})
    caller.subscribe(list_id, {"email": "ana@example.com"})
    entry = simulator.journal.entries[-1]
    assert (bool(entry.touched), entry.body is not None) == (touched, body)


def test_a_setting_holds_from_the_next_call_on(caller: Caller) -> None:
    changed = caller.post("/_simulator/settings", {"rates": {SUBSCRIBE: {"calls": 1, "seconds": 1}}}).json()
    assert changed["rates"]["GET /api/users/getFields"] == {"calls": 3, "seconds": 1.0}
    list_id = caller.create_list()
    assert [caller.subscribe(list_id).status_code for _ in range(2)] == [200, 429]
    caller.post("/_simulator/settings", {"rates": {SUBSCRIBE: None}})
    assert [caller.subscribe(list_id).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"no_such_switch": True}),
        ("settings", {"project_type": "other"}),
        ("settings", []),
        ("settings", {"rates": {"GET /no/such/endpoint": {"calls": 1, "seconds": 1}}}),
        ("faults", {"faults": [{"kind": "no such kind"}]}),
        ("faults", {"faults": [{"kind": "drop", "endpoint": "GET /no/such/endpoint"}]}),
        ("faults", {}),
        ("people", {"people": [{"dataFields": {}}]}),
        ("people", {"people": [{"email": "ana@example.com", "lists": ["none"]}]}),
    ],
)
def test_what_does_not_fit_is_refused_without_repeating_it(caller: Caller, path: str, body: Any) -> None:
    answer = caller.post(f"/_simulator/{path}", body)
    assert answer.status_code == 400
    assert "error" in answer.json()
    assert "ana@example.com" not in answer.text


def test_faults_are_set_replaced_and_counted(caller: Caller) -> None:
    caller.post("/_simulator/faults", {"faults": [{"kind": "error", "status": 503, "every": 2}]})
    assert [caller.get("/api/lists").status_code for _ in range(4)] == [200, 503, 200, 503]
    assert caller.get("/_simulator/faults").json() == {
        "faults": [{"kind": "error", "status": 503, "every": 2, "seen": 4, "fired": 2}]
    }
    caller.post("/_simulator/faults", {"faults": []})
    assert caller.get("/api/lists").status_code == 200


def test_inspection_is_neither_counted_nor_struck(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.faults.set([Fault(kind="error")])
    assert caller.get("/_simulator/requests").json()["calls"] == 0


def test_reset_makes_everything_as_at_start(simulator: Simulator[Iterable], caller: Caller) -> None:
    caller.create_list()
    for _ in range(5):
        caller.get("/api/lists/4411201/size")
    caller.post("/_simulator/settings", {"keys": {STANDARD_KEY: None}})
    caller.post("/_simulator/faults", {"faults": [{"kind": "error"}]})
    caller.post("/_simulator/reset", {})
    assert caller.get("/api/lists").json() == {"lists": []}
    assert simulator.journal.summary()["calls"] == 1
    assert caller.create_list() == 4411201
    assert caller.get("/api/lists/4411201/size").status_code == 200


def test_the_readme_tells_of_every_switch_and_every_kind_of_fault() -> None:
    readme = Path(__file__).parents[3].joinpath("dev/simulators/README.md").read_text()
    kinds = Fault.model_json_schema()["properties"]["kind"]["enum"]
    assert [name for name in (*Settings.model_fields, *kinds) if f"`{name}`" not in readme] == []
