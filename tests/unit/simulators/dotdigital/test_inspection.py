"""Dotdigital under /_simulator, which tests and the demo build on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import USER_R1, Dotdigital, Settings
from tests.unit.simulators.dotdigital.conftest import Caller, row

ANA, BO = "ana@example.com", "bo@example.com"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_people_can_be_put_in_place(caller: Caller) -> None:
    content = {
        "lists": [{"id": 7, "name": "Loyal"}, {"name": "Opened 30d", "visibility": "Public", "inUse": True}],
        "fields": [{"name": "Tier", "type": "Numeric"}],
        "people": [
            {"email": "Ana@Example.com", "dataFields": {"tier": 3, "city": "Hoboken"}, "lists": [7]},
            {"email": BO, "status": "hardBounced", "lists": ["Loyal"], "contactId": 17},
            {"email": "cy@example.com", "unsubscribedFrom": ["Loyal"]},
        ],
        "barred": ["gone@example.com"],
    }
    loaded = caller.post("/_simulator/people", content).json()
    assert loaded == {"lists": [{"id": 7, "name": "Loyal"}, {"id": 345579, "name": "Opened 30d"}], "people": 3}
    state = caller.state()
    assert (state["vendor"], state["account"], state["region"]) == ("dotdigital", "4711", "r1")
    assert state["lists"] == [
        {"id": 7, "name": "Loyal", "visibility": "Private", "members": 3, "unsubscribed": 1, "inUse": False},
        {"id": 345579, "name": "Opened 30d", "visibility": "Public", "members": 0, "unsubscribed": 0, "inUse": True},
    ]
    assert (state["fields"]["TIER"], state["fields"]["CITY"]) == ("Numeric", "String")
    assert (state["people"], state["barred"], state["globally_unsubscribed"]) == (3, 1, [BO])
    assert (state["unsubscribes"], state["list_unsubscribes"]) == (0, 0)
    assert lines(caller.get("/_simulator/lists/7/members").text) == [
        {"address": ANA, "dataFields": {"TIER": 3, "CITY": "Hoboken"}, "contactId": 35212311},
        {"address": BO, "dataFields": {}, "contactId": 17, "status": "hardBounced"},
        {"address": "cy@example.com", "dataFields": {}, "contactId": 35212312, "listStatus": "suppressed"},
    ]


def test_putting_somebody_in_place_again_changes_them(caller: Caller) -> None:
    caller.people({"email": ANA, "status": "unsubscribed", "dataFields": {"CITY": "Hoboken"}})
    caller.people({"email": ANA, "mobileNumber": "447123123123", "dataFields": {"FIRSTNAME": "Ana"}})
    contact = caller.contact(ANA)
    assert (contact["status"], contact["dataFields"]) == ("unsubscribed", {"CITY": "Hoboken", "FIRSTNAME": "Ana"})
    caller.people({"email": ANA, "status": "subscribed"})
    assert (caller.contact(ANA)["status"], caller.state()["resubscribes"]) == ("subscribed", 0)


def test_another_account_can_be_filled_and_looked_at(caller: Caller) -> None:
    caller.people({"email": ANA}, account=4712)
    assert caller.state()["people"] == 0
    other = caller.get("/_simulator/state", account=4712).json()
    assert (other["account"], other["region"], other["people"]) == ("4712", "r2", 1)


def test_the_journal_tells_of_an_import(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    list_id = caller.create_list()
    caller.start(row("Ana@example.com", list_id), row("bad", list_id))
    (entry,) = lines(caller.get("/_simulator/requests/entries", after=1).text)
    assert (entry["endpoint"], entry["path"]) == ("PUT /contacts/v3/import", "/r1/contacts/v3/import")
    assert (entry["account"], entry["rows"], entry["status"], entry["worked"]) == ("4711", 2, 202, True)
    assert entry["touched"] == [ANA, "bad"]


def test_a_setting_holds_for_jobs_that_are_under_way(caller: Caller) -> None:
    caller.settings(import_polls=None, import_seconds=None)
    import_id = caller.start(row(ANA))
    assert caller.poll(import_id)["status"] == "NotFinished"
    caller.settings(import_seconds=0)
    assert (caller.state()["people"], caller.poll(import_id)["status"]) == (1, "Finished")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"no_such_switch": True}),
        ("settings", {"enum_case": "snake"}),
        ("settings", {"users": {"x": {"region": "r4"}}}),
        ("faults", {"faults": [{"kind": "drop", "endpoint": "PUT /r1/contacts/v3/import"}]}),
        ("people", {"people": [{"dataFields": {}}]}),
        ("people", {"people": [{"email": ANA, "lists": ["none"]}]}),
    ],
)
def test_what_does_not_fit_is_refused_without_repeating_it(caller: Caller, path: str, body: Any) -> None:
    answer = caller.post(f"/_simulator/{path}", body)
    assert answer.status_code == 400
    assert ANA not in answer.text


def test_reset_makes_everything_as_at_start(caller: Caller) -> None:
    caller.create_list()
    assert [caller.get("/contacts/v3").status_code for _ in range(36)] == [200] * 35 + [429]
    caller.settings(users={USER_R1: None}, tiers={"low": {"calls": 1, "seconds": 60}})
    caller.post("/_simulator/reset", {})
    assert caller.create_list() == 345579
    assert {caller.put_import(row(f"p{number}@example.com")).status_code for number in range(25)} == {202}


def test_the_readme_tells_of_every_switch() -> None:
    readme = Path(__file__).parents[4].joinpath("dev/simulators/README.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in readme] == []
