"""Campaign Monitor: one person at a time, and leaving (contract sections 4, 5 and 6)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.campaign_monitor import CLIENT, CampaignMonitor
from dev.simulators.common.simulator import Simulator
from dev.simulators.common.windows import Rate
from tests.unit.simulators.campaign_monitor.conftest import Caller, code, row

ANA = "ana@example.com"


def add(caller: Caller, list_id: str, address: str, **more: Any) -> Any:
    return caller.call("POST", f"/subscribers/{list_id}", {**row(address), **more})


def update(caller: Caller, list_id: str, address: str, **more: Any) -> Any:
    return caller.call("PUT", f"/subscribers/{list_id}", {"ConsentToTrack": "Unchanged", **more}, email=address)


def test_deleting_changes_the_state_and_suppresses_nobody(
    simulator: Simulator[CampaignMonitor], caller: Caller
) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("ana+news@example.com"), row("bo@example.com"))
    answer = caller.remove(list_id, "Ana+News@example.com")
    assert (answer.status_code, answer.content) == (200, b"")
    assert simulator.journal.entries[-1].touched == ["ana+news@example.com"]
    assert caller.addresses(list_id) == ["bo@example.com"]
    assert caller.addresses(list_id, "deleted") == ["ana+news@example.com"]
    shown = caller.state()
    assert (shown["suppressed"], shown["unsubscribe_calls"], shown["refusals_deleted"]) == ([], 0, 0)


def test_a_plus_that_is_not_encoded_in_the_query_is_a_space(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("ana+news@example.com"))
    url = f"{caller.url}/api/v3.3/subscribers/{list_id}.json?email=ana+news@example.com"
    assert code(caller.session.delete(url, timeout=20)) == (400, 203)


@pytest.mark.parametrize(("rule", "status", "body"), [("203", 400, 203), ("404", 404, None), ("200", 200, None)])
def test_deleting_who_is_not_there(
    simulator: Simulator[CampaignMonitor], caller: Caller, rule: Any, status: int, body: int | None
) -> None:
    simulator.vendor.settings.delete_absent = rule
    list_id = caller.create_list()
    caller.imports(list_id, row(ANA))
    assert caller.remove(list_id, ANA).status_code == 200
    for address in (ANA, "none@example.com"):
        answer = caller.remove(list_id, address)
        assert answer.status_code == status
        assert (answer.json()["Code"] if answer.content else None) == body


def test_deleting_needs_an_address(caller: Caller) -> None:
    assert code(caller.call("DELETE", f"/subscribers/{caller.create_list()}")) == (400, 1)


def test_unsubscribing_is_for_the_whole_client_and_is_recorded(caller: Caller) -> None:
    first, second = caller.create_list("first"), caller.create_list("second")
    ignoring = caller.create_list("third", UnsubscribeSetting="OnlyThisList")
    for list_id in (first, second, ignoring):
        caller.imports(list_id, row(ANA))
    answer = caller.call("POST", f"/subscribers/{first}/unsubscribe", {"EmailAddress": ANA})
    assert (answer.status_code, answer.content) == (200, b"")
    assert [caller.get(each, ANA)["State"] for each in (first, second, ignoring)] == [
        "Unsubscribed",
        "Unsubscribed",
        "Active",
    ]
    shown = caller.state()
    assert (shown["unsubscribe_calls"], shown["suppressed"]) == (1, [ANA])


def test_unsubscribing_from_one_list_suppresses_nobody(caller: Caller) -> None:
    list_id = caller.create_list(UnsubscribeSetting="OnlyThisList")
    caller.imports(list_id, row(ANA))
    caller.call("POST", f"/subscribers/{list_id}/unsubscribe", {"EmailAddress": ANA})
    assert (caller.addresses(list_id, "unsubscribed"), caller.state()["suppressed"]) == ([ANA], [])


def test_unsubscribing_who_is_not_there(caller: Caller) -> None:
    list_id = caller.create_list()
    assert code(caller.call("POST", f"/subscribers/{list_id}/unsubscribe", {"EmailAddress": ANA})) == (400, 203)


def test_suppressing_and_taking_it_back_are_recorded(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row(ANA))
    caller.call("POST", f"/clients/{CLIENT}/suppress", {"EmailAddresses": [ANA, "bo@example.com"]})
    assert caller.addresses(list_id, "unsubscribed") == [ANA]
    assert caller.call("PUT", f"/clients/{CLIENT}/unsuppress", email=ANA).status_code == 200
    assert code(caller.call("PUT", f"/clients/{CLIENT}/unsuppress", email=ANA)) == (400, 176)
    shown = caller.state()
    assert (shown["suppress_calls"], shown["unsuppress_calls"]) == (1, 2)
    assert shown["suppressed"] == ["bo@example.com"]


def test_a_single_add_is_not_there_at_once(caller: Caller) -> None:
    list_id = caller.create_list("Loyal", "City")
    answer = add(caller, list_id, ANA, CustomFields=[{"Key": "City", "Value": "Newark"}])
    assert (answer.status_code, answer.json()) == (201, ANA)
    assert caller.addresses(list_id) == []
    caller.advance(10)
    assert caller.addresses(list_id) == [ANA]
    assert caller.fields(list_id, ANA) == {"City": "Newark"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"EmailAddress": "bad@x"}, 1),
        ({"ConsentToTrack": None}, 214),
        ({"ConsentToTrack": "true"}, 215),
        ({"MobileNumber": "555"}, 220),
        ({"EmailAddress": "gone@example.com"}, 205),
        ({"EmailAddress": "off@example.com"}, 206),
    ],
)
def test_a_single_add_is_refused_at_once(caller: Caller, body: dict[str, Any], expected: int) -> None:
    list_id = caller.create_list()
    people = [("gone@example.com", "Deleted"), ("off@example.com", "Unsubscribed")]
    caller.load(people=[{"email": address, "state": state, "lists": [list_id]} for address, state in people])
    assert code(add(caller, list_id, ANA, **body)) == (400, expected)


def test_adding_one_person_again_and_again_is_refused(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.same_subscriber = Rate(calls=1, seconds=30)
    list_id = caller.create_list()
    assert add(caller, list_id, ANA).status_code == 201
    answer = add(caller, list_id, "Ana@example.com")
    assert code(answer) == (429, 429)
    assert "too many times too quickly" in answer.json()["Message"]
    assert add(caller, list_id, "bo@example.com").status_code == 201
    caller.advance(30)
    assert add(caller, list_id, ANA).status_code == 201


def test_a_person_is_changed_and_may_get_another_address(caller: Caller) -> None:
    list_id = caller.create_list("Loyal", "City")
    caller.imports(list_id, row(ANA), row("bo@example.com"))
    values = [{"Key": "City", "Value": "Newark"}]
    answer = update(caller, list_id, ANA, EmailAddress="New@example.com", Name="A. Silva", CustomFields=values)
    assert (answer.status_code, answer.content) == (200, b"")
    assert caller.addresses(list_id) == ["bo@example.com", "New@example.com"]
    assert caller.fields(list_id, "new@example.com") == {"City": "Newark"}
    assert code(update(caller, list_id, ANA)) == (400, 203)
    assert code(update(caller, list_id, "bo@example.com", EmailAddress="bad@x")) == (400, 211)
    assert code(update(caller, list_id, "bo@example.com", EmailAddress="new@example.com")) == (400, 201)
    assert code(update(caller, list_id, "bo@example.com", ConsentToTrack=None)) == (400, 214)


def test_one_person_is_read_in_the_clients_time_zone(caller: Caller) -> None:
    list_id = caller.create_list("Loyal", "First Name")
    caller.imports(list_id, row(ANA, "Yes", FirstName="Ana"))
    caller.advance(90)
    caller.remove(list_id, ANA)
    expected = {
        "EmailAddress": ANA,
        "Name": "Ana Silva",
        "Date": "2025-11-22 20:01:30",
        "ListJoinedDate": "2025-11-22 20:00:00",
        "State": "Deleted",
        "CustomFields": [{"Key": "First Name", "Value": "Ana"}],
        "ReadsEmailWith": "",
    }
    assert caller.get(list_id, "Ana@example.com") == expected
    assert caller.get(list_id, ANA, includetrackingpreference="False") == expected
    preferences = caller.get(list_id, ANA, includetrackingpreference="true", IncludeSmsPreference="true")
    assert preferences == {**expected, "ConsentToTrack": "Yes", "ConsentToSendSms": "No"}


def test_reading_who_is_not_there(caller: Caller) -> None:
    assert code(caller.call("GET", f"/subscribers/{caller.create_list()}", email=ANA)) == (400, 203)
