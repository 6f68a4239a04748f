"""Dotdigital: taking people off a list (contract section 7)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import Dotdigital
from tests.unit.simulators.dotdigital.conftest import Caller, row

ANA, BO, CY = "ana@example.com", "bo@example.com", "cy@example.com"
IDS = {ANA: 17, BO: 18, CY: 19}


@pytest.fixture
def list_id(caller: Caller) -> int:
    made = caller.create_list()
    caller.people(*({"email": address, "contactId": number, "lists": [made]} for address, number in IDS.items()))
    return made


def remove(caller: Caller, list_id: int, ids: Any) -> Any:
    return caller.post(f"/v2/address-books/{list_id}/contacts/delete", ids)


def status(caller: Caller, removal_id: str) -> str:
    shown: str = caller.get(f"/v2/contacts/deletion/{removal_id}").json()["Status"]
    return shown


def token(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"].split()[-1]


def test_people_are_removed_in_the_background_and_stay_in_the_account(
    simulator: Simulator[Dotdigital], caller: Caller, list_id: int
) -> None:
    other = caller.create_list("Other")
    caller.people({"email": ANA, "lists": [other]})
    answer = remove(caller, list_id, [17, 18, 999])
    removal_id = answer.json()["id"]
    assert (answer.status_code, answer.json()) == (202, {"id": removal_id, "status": "Started"})
    assert simulator.journal.entries[-1].touched == [ANA, BO]
    assert (status(caller, removal_id), caller.members(list_id)) == ("Started", [ANA, BO, CY])
    assert (status(caller, removal_id), caller.members(list_id)) == ("Completed", [CY])
    assert caller.members(other) == [ANA]
    state = caller.state()
    assert (state["people"], state["contacts_deleted"], state["unsubscribes"]) == (3, 0, 0)


def test_a_removal_ends_whether_asked_about_or_not(caller: Caller, list_id: int) -> None:
    remove(caller, list_id, [17])
    caller.advance(60)
    assert caller.members(list_id) == [BO, CY]


@pytest.mark.parametrize(
    ("ending", "left"),
    [("Failed", [BO, CY]), ("NotAvailableInThisVersion", [ANA, BO, CY]), ("Started", [ANA, BO, CY])],
)
def test_a_removal_may_end_badly_or_never(caller: Caller, list_id: int, ending: str, left: list[str]) -> None:
    caller.settings(next_removal_statuses=[ending])
    removal_id = remove(caller, list_id, [17, 18, 19]).json()["id"]
    caller.advance(10**6)
    assert (status(caller, removal_id), caller.members(list_id)) == (ending, left)


def test_the_keys_of_the_progress_come_in_two_cases(caller: Caller, list_id: int) -> None:
    removal_id = remove(caller, list_id, [17]).json()["id"]
    path = f"/v2/contacts/deletion/{removal_id}"
    assert caller.get(path).json() == {"Id": removal_id, "Status": "Started"}
    caller.settings(removal_keys="camel", enum_case="camel")
    assert caller.get(path).json() == {"id": removal_id, "status": "completed"}


def test_a_list_has_one_removal_at_a_time(caller: Caller, list_id: int) -> None:
    removal_id = remove(caller, list_id, [17]).json()["id"]
    assert token(remove(caller, list_id, [18])) == (400, "ERROR_ADDRESSBOOK_IN_USE")
    assert remove(caller, caller.create_list("Other"), [18]).status_code == 202
    assert [status(caller, removal_id) for _ in range(2)] == ["Started", "Completed"]
    assert remove(caller, list_id, [18]).status_code == 202
    caller.settings(one_removal_per_list=False)
    assert remove(caller, list_id, [19]).status_code == 202


@pytest.mark.parametrize("ids", [[], [ANA], ["17"], {"RAW_BODY": [17]}, [17.5]])
def test_only_a_bare_array_of_contact_ids_is_understood(caller: Caller, list_id: int, ids: Any) -> None:
    assert token(remove(caller, list_id, ids)) == (400, "ERROR_PARAMETER_INVALID")


def test_a_removal_has_room_for_5000(caller: Caller, list_id: int) -> None:
    assert token(remove(caller, list_id, list(range(1, 5002)))) == (400, "ERROR_CONTACT_TOOMANY")
    assert remove(caller, list_id, list(range(1, 5001))).status_code == 202


def test_a_list_that_is_in_use_or_gone_is_told(caller: Caller, list_id: int) -> None:
    caller.people(lists=[{"id": list_id, "inUse": True}])
    assert token(remove(caller, list_id, [17])) == (400, "ERROR_ADDRESSBOOK_IN_USE")
    answer = caller.call("DELETE", f"/v2/address-books/{list_id}/contacts/17")
    assert token(answer) == (400, "ERROR_ADDRESSBOOK_IN_USE")
    assert token(caller.call("DELETE", f"/v2/address-books/{list_id}")) == (400, "ERROR_ADDRESSBOOK_IN_USE")
    assert token(remove(caller, 99, [17])) == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")


def test_one_contact_is_removed_at_once(simulator: Simulator[Dotdigital], caller: Caller, list_id: int) -> None:
    path = f"/v2/address-books/{list_id}/contacts/17"
    answer = caller.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert simulator.journal.entries[-1].touched == [ANA]
    assert caller.members(list_id) == [BO, CY]
    assert token(caller.call("DELETE", path)) == (404, "ERROR_CONTACT_NOT_FOUND")
    caller.settings(absent_removal_status=204)
    assert caller.call("DELETE", path).status_code == 204


def test_a_whole_list_can_be_emptied_in_two_ways(caller: Caller, list_id: int) -> None:
    answer = caller.post(f"/v2/address-books/{list_id}/contacts/delete-all")
    assert (answer.status_code, answer.json()["status"]) == (202, "Started")
    caller.advance(60)
    assert caller.members(list_id) == []
    caller.people({"email": ANA, "lists": [list_id]})
    assert caller.call("DELETE", f"/v2/address-books/{list_id}/contacts").status_code == 204
    assert (caller.members(list_id), caller.state()["people"]) == ([], 3)


def test_an_unknown_removal_is_an_error(caller: Caller) -> None:
    assert token(caller.get("/v2/contacts/deletion/13e7b388-2060-4f58-b3dc-2885badf80ee")) == (
        400,
        "ERROR_DELETION_NOT_FOUND",
    )


def test_a_removal_is_no_import(caller: Caller, list_id: int) -> None:
    removal_id = remove(caller, list_id, [17]).json()["id"]
    assert caller.get(f"/contacts/v3/import/{removal_id}").status_code == 404


def test_unsubscribing_from_a_list_is_no_removal_and_is_counted(caller: Caller, list_id: int) -> None:
    path = f"/v2/address-books/{list_id}/contacts/unsubscribe"
    answer = caller.post(path, {"email": ANA})
    assert (answer.status_code, answer.json()["reason"]) == (200, "Unsubscribed")
    assert caller.contact(ANA)["lists"][0]["status"] == "suppressed"
    assert (caller.contact(ANA)["status"], caller.state()["list_unsubscribes"]) == ("subscribed", 1)
    caller.run(row(ANA, list_id))
    assert caller.state()["list_resubscribes"] == 1
    assert token(caller.post(path, {"email": "nobody@example.com"})) == (400, "ERROR_CONTACT_NOT_FOUND")
