"""Dotdigital: calls about one contact, and those that delete people (contract sections 6 and 7)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import Dotdigital
from tests.unit.simulators.dotdigital.conftest import Caller

ANA, BO = "ana@example.com", "bo@example.com"
PATH = f"/contacts/v3/email/{ANA}"


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errorCode"]


def test_a_patch_makes_a_contact_or_changes_it(caller: Caller) -> None:
    list_id = caller.create_list()
    made = caller.call("PATCH", PATH, {"dataFields": {"FIRSTNAME": "Ana"}, "lists": [list_id]})
    assert (made.status_code, made.json()["identifiers"]) == (201, {"email": ANA})
    changed = caller.call("PATCH", PATH, {"dataFields": {"LASTNAME": "Silva"}})
    assert (changed.status_code, changed.json()["dataFields"]) == (200, {"FIRSTNAME": "Ana", "LASTNAME": "Silva"})
    assert caller.members(list_id) == [ANA]


def test_the_merge_option_of_a_patch_is_in_kebab_case(caller: Caller) -> None:
    caller.people({"email": ANA, "dataFields": {"FIRSTNAME": "Ana"}})
    body = {"dataFields": {"FIRSTNAME": ""}}
    answer = caller.call("PATCH", PATH, body, **{"merge-option": "overwrite-if-not-empty"})
    assert answer.json()["dataFields"] == {"FIRSTNAME": "Ana"}
    assert error(caller.call("PATCH", PATH, body, **{"merge-option": "overwriteIfNotEmpty"})) == (
        400,
        "contacts:badRequest",
    )


def test_a_patch_can_give_another_address_that_is_free(caller: Caller) -> None:
    caller.people({"email": ANA, "contactId": 17}, {"email": "cy@example.com"})
    taken = caller.call("PATCH", PATH, {"identifiers": {"email": "cy@example.com"}})
    assert error(taken) == (409, "contacts:idAlreadyExists")
    assert caller.call("PATCH", PATH, {"identifiers": {"email": BO}}).json()["contactId"] == 17
    assert caller.get(PATH).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/contacts/v3/email/bad@@x", {}, (400, "contacts:invalidId")),
        ("/contacts/v3/customerId/C1", {}, (400, "contacts:invalidId")),
        ("/contacts/v3/contactId/99", {}, (400, "contacts:invalidId")),
        (PATH, {"dataFields": {"NO_SUCH": "x"}}, (400, "contacts:badRequest")),
        (PATH, {"dataFields": []}, (400, "contacts:badRequest")),
        (PATH, [], (400, "contacts:badRequest")),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(caller: Caller, path: str, body: Any, expected: tuple[int, str]) -> None:
    assert error(caller.call("PATCH", path, body)) == expected
    assert caller.state()["people"] == 0


def test_a_contact_is_found_by_any_identifier(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    caller.people({"email": ANA, "contactId": 17, "mobileNumber": "447123123123"})
    for path in (PATH, "/contacts/v3/contactId/17", "/contacts/v3/mobileNumber/447123123123"):
        assert caller.get(path).json()["contactId"] == 17
    assert [list(entry.touched) for entry in simulator.journal.entries] == [[]] * 3


def test_an_address_with_a_slash_or_a_plus_survives_the_path(caller: Caller) -> None:
    for address, encoded in (("a/b@example.com", "a%2Fb%40example.com"), ("a+b@example.com", "a%2Bb%40example.com")):
        caller.people({"email": address})
        answer = caller.session.get(f"{caller.url}/contacts/v3/email/{encoded}", timeout=20)
        assert answer.json()["identifiers"] == {"email": address}


def test_nobody_is_a_404_with_details(caller: Caller) -> None:
    answer = caller.get(PATH)
    assert answer.status_code == 404
    assert answer.json() == {
        "errorCode": "contacts:contactNotFound",
        "description": "The following contacts could not be found",
        "details": [{"item": ANA, "description": "Not found using the identifier 'email'"}],
    }


def test_posting_makes_a_contact_once(caller: Caller) -> None:
    made = caller.post("/contacts/v3", {"identifiers": {"email": ANA}})
    assert (made.status_code, made.json()["status"]) == (201, "subscribed")
    again = caller.post("/contacts/v3", {"identifiers": {"email": ANA.upper()}})
    assert error(again) == (409, "contacts:idAlreadyExists")
    assert error(caller.post("/contacts/v3", {})) == (400, "contacts:badRequest")


def test_putting_replaces_everything_and_is_counted(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.people({"email": ANA, "dataFields": {"FIRSTNAME": "Ana"}, "lists": [list_id]})
    answer = caller.call("PUT", PATH, {"identifiers": {"email": ANA}, "dataFields": {"LASTNAME": "Silva"}})
    assert (answer.status_code, answer.json()["dataFields"], answer.json()["lists"]) == (200, {"LASTNAME": "Silva"}, [])
    assert caller.state()["contacts_replaced"] == 1
    refused = caller.call("PUT", PATH, {"identifiers": {"email": ANA}, "dataFields": {"NO_SUCH": "x"}})
    assert (refused.status_code, caller.contact(ANA)["dataFields"]) == (400, {"LASTNAME": "Silva"})
    assert error(caller.call("PUT", f"/contacts/v3/email/{BO}", {"identifiers": {}})) == (
        404,
        "contacts:contactNotFound",
    )


def gone(simulator: Simulator[Dotdigital], caller: Caller) -> tuple[int, list[str]]:
    """The people deleted from the account, and those whom the journal names."""
    entry = simulator.journal.entries[-1]
    return caller.state()["contacts_deleted"], list(entry.touched)


@pytest.mark.parametrize(("path", "status"), [(PATH, 200), ("/v2/contacts/17", 204)])
def test_deleting_from_the_account_is_possible_and_counted(
    simulator: Simulator[Dotdigital], caller: Caller, path: str, status: int
) -> None:
    list_id = caller.create_list()
    caller.people({"email": ANA, "contactId": 17, "lists": [list_id]})
    assert caller.call("DELETE", path).status_code == status
    assert gone(simulator, caller) == (1, [ANA])
    assert (caller.members(list_id), caller.state()["people"]) == ([], 0)
    assert caller.call("DELETE", path).status_code == 404


def test_deleting_many_from_the_account_is_a_job_and_counted(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    caller.people({"email": ANA}, {"email": BO, "contactId": 17})
    wanted = [{"email": ANA}, {"contactId": 17}, {"email": BO}, {"email": "nobody@example.com"}]
    answer = caller.post("/contacts/v3/delete", wanted)
    delete_id = answer.json()["deleteId"]
    assert (answer.status_code, simulator.journal.entries[-1].touched) == (202, [ANA, BO])
    path = f"/contacts/v3/delete/{delete_id}"
    assert caller.get(path).json() == {"deleteId": delete_id, "status": "NotFinished"}
    finished = caller.get(path).json()
    assert (finished["status"], finished["summary"]["deletedContacts"]) == ("Finished", 2)
    assert (caller.state()["people"], caller.state()["contacts_deleted"]) == (0, 2)


def test_deleting_nobody_is_refused(caller: Caller) -> None:
    assert error(caller.post("/contacts/v3/delete", [])) == (400, "contacts:noContactsSpecified")
    assert error(caller.post("/contacts/v3/delete", [{"email": ANA}] * 5001)) == (400, "contacts:noContactsSpecified")


def test_unsubscribing_from_the_account_is_counted(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    caller.people({"email": ANA})
    answer = caller.post("/v2/contacts/unsubscribe", {"email": ANA})
    assert (answer.status_code, answer.json()["suppressedContact"]["status"]) == (200, "Unsubscribed")
    assert (caller.state()["unsubscribes"], caller.state()["globally_unsubscribed"]) == (1, [ANA])
    assert caller.post("/v2/contacts/unsubscribe", {"email": BO}).status_code == 404
