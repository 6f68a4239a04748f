"""Campaign Monitor: the paths under /_simulator, which tests and the demo build on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from dev.simulators.__main__ import VENDORS
from dev.simulators.campaign_monitor import ACCESS_TOKEN, CLIENT, OUTLET_CLIENT, CampaignMonitor, Settings
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, row

IMPORT = "POST /api/v3.3/subscribers/{listid}/import.json"


def test_people_can_be_put_in_place(caller: Caller) -> None:
    sizes = {"name": "Size", "dataType": "MultiSelectMany", "options": ["S", "M"]}
    caller.load(
        lists=[{"id": "7" * 32, "name": "Loyal", "fields": [sizes], "confirmationMail": True}],
        people=[
            {
                "email": "Ana@example.com",
                "name": "Ana",
                "dataFields": {"Home town": "Hoboken", "Size": ["S", "M"]},
                "lists": ["Loyal"],
                "consentToTrack": True,
            },
            {"email": "bo@example.com", "lists": ["7" * 32], "state": "Bounced"},
        ],
        suppressed=["Gone@example.com"],
    )
    assert caller.members("7" * 32) == [
        {
            "address": "Ana@example.com",
            "dataFields": {"Size": ["S", "M"], "Home town": "Hoboken"},
            "name": "Ana",
            "consentToTrack": True,
        }
    ]
    state = caller.state()
    assert (state["vendor"], state["account"]) == ("campaign-monitor", CLIENT)
    assert (state["people"], state["suppressed"]) == (2, ["gone@example.com"])
    (shown,) = state["lists"]
    assert (shown["id"], shown["name"], shown["Title"], shown["members"]) == ("7" * 32, "Loyal", "Loyal", 1)
    assert shown["states"] == {"Active": 1, "Bounced": 1}
    assert shown["fields"] == {"Size": "MultiSelectMany", "Home town": "Text"}
    assert (shown["confirmationMail"], shown["inUse"]) == (True, False)


def test_a_state_is_changed_for_who_is_there(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("ana@example.com"))
    caller.load(people=[{"email": "ANA@example.com", "lists": [list_id], "state": "Unsubscribed"}])
    assert (caller.addresses(list_id), caller.members(list_id)) == ([], [])
    caller.put(list_id, "bo@example.com", "Active")
    assert caller.addresses(list_id) == ["bo@example.com"]
    assert caller.state()["unsubscribe_calls"] == 0


def test_each_client_is_inspected_by_itself(caller: Caller) -> None:
    caller.load(account=OUTLET_CLIENT, lists=[{"name": "Outlet"}])
    assert caller.state()["lists"] == []
    assert [each["name"] for each in caller.inspect(f"state?account={OUTLET_CLIENT}")["lists"]] == ["Outlet"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("people", {"account": "none"}),
        ("people", {"people": [{"email": "ana@example.com", "lists": ["none"]}]}),
        ("people", {"people": [{"email": "ana@example.com", "state": "Asleep"}]}),
        ("people", {"tokens": "lose"}),
        ("settings", {"no_such_switch": True}),
        ("settings", {"untold": ["Asleep"]}),
        ("settings", {"rates": {"GET /no/such/endpoint": {"calls": 1, "seconds": 1}}}),
    ],
)
def test_what_does_not_fit_is_refused_without_repeating_it(caller: Caller, path: str, body: Any) -> None:
    answer = requests.post(f"{caller.url}/_simulator/{path}", json=body, timeout=20)
    assert answer.status_code == 400
    assert "ana@example.com" not in answer.text


def test_members_of_no_list_are_not_found(caller: Caller) -> None:
    assert requests.get(f"{caller.url}/_simulator/lists/none/members", timeout=20).status_code == 404


def test_requests_are_summed_up(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("ana@example.com"), row("bad@x"))
    caller.imports("f" * 32, row("ana@example.com"))
    imports = caller.inspect("requests")["by_endpoint"][IMPORT]
    assert (imports["calls"], imports["rows"], imports["worked"]) == (2, 2, 1)
    assert imports["by_status"] == {"400": 1, "401": 1}


def test_reset_makes_everything_as_at_start(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    caller.create_list()
    caller.load(tokens="revoke", suppressed=["ana@example.com"])
    caller.inspect("settings", {"poison": ["ana@example.com"], "keys": {"new": {"client": CLIENT}}})
    caller.inspect("reset", {})
    assert simulator.vendor.settings == Settings()
    assert (caller.state()["lists"], caller.state()["suppressed"]) == ([], [])
    caller.use_token(ACCESS_TOKEN)
    assert caller.call("GET", "/clients").status_code == 200


def test_the_command_line_knows_the_vendor() -> None:
    assert VENDORS["campaign-monitor"] is CampaignMonitor


def test_the_readme_tells_of_every_switch() -> None:
    readme = Path(__file__).parents[4].joinpath("dev/simulators/README.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in readme] == []
