"""Dotdigital: an import from its 202 to its end, or to none (contract sections 4 and 5)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import Dotdigital
from tests.unit.simulators.dotdigital.conftest import Caller, row

ANA, BO, CY, DI = (f"{name}@example.com" for name in ("ana", "bo", "cy", "di"))
IMPORT = "PUT /contacts/v3/import"


def test_an_import_is_accepted_then_under_way_then_finished(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.people({"email": BO, "contactId": 17})
    accepted = caller.put_import(row(ANA, list_id), row(BO, list_id), row("bad@@x", list_id))
    import_id = accepted.json()["importId"]
    assert (accepted.status_code, accepted.json()) == (202, {"importId": import_id})
    assert caller.poll(import_id) == {"importId": import_id, "status": "NotFinished"}
    assert caller.members(list_id) == []
    assert caller.poll(import_id) == {
        "importId": import_id,
        "status": "Finished",
        "summary": {
            "newContacts": 1,
            "updatedContacts": 1,
            "globallySuppressed": 0,
            "invalidEntries": 1,
            "duplicateIdentifiers": 0,
        },
        "created": [{"contactId": 35212311, "identifiers": {"email": ANA}}],
        "updated": [{"contactId": 17, "identifiers": {"email": BO}}],
        "failures": [
            {
                "matchIdentifier": "email",
                "identifiers": {"email": "bad@@x"},
                "failures": [{"failureCode": "invalidEmail", "description": "Invalid value for 'email'"}],
            }
        ],
    }
    assert caller.members(list_id) == [ANA, BO]


def test_an_import_ends_after_so_many_polls(caller: Caller) -> None:
    caller.settings(import_polls=3, import_seconds=None)
    import_id = caller.start(row(ANA))
    caller.advance(10**6)
    assert [caller.poll(import_id)["status"] for _ in range(5)] == ["NotFinished"] * 3 + ["Finished"] * 2


def test_an_import_ends_after_so_many_seconds_whether_asked_about_or_not(caller: Caller) -> None:
    caller.settings(import_polls=None, import_seconds=30)
    list_id = caller.create_list()
    import_id = caller.start(row(ANA, list_id))
    assert [caller.poll(import_id)["status"] for _ in range(3)] == ["NotFinished"] * 3
    caller.advance(30)
    assert caller.members(list_id) == [ANA]
    assert caller.poll(import_id)["status"] == "Finished"


def test_an_import_of_more_people_takes_longer(caller: Caller) -> None:
    caller.settings(import_polls=None, import_seconds=10, import_seconds_each_thousand=1000)
    few, many = caller.start(row(ANA)), caller.start(row(ANA), row(BO))
    caller.advance(11)
    assert [caller.poll(each)["status"] for each in (few, many)] == ["Finished", "NotFinished"]
    caller.advance(1)
    assert caller.poll(many)["status"] == "Finished"


@pytest.mark.parametrize(
    ("status", "written"),
    [
        ("RejectedByWatchdog", []),
        ("ExceedsAllowedContactLimit", []),
        ("InvalidFileFormat", []),
        ("Unknown", []),
        ("NotAvailableInThisVersion", []),
        ("SomethingNew", []),
        ("Failed", [ANA, BO]),
    ],
)
def test_an_import_may_end_badly(caller: Caller, status: str, written: list[str]) -> None:
    caller.settings(import_status=status)
    list_id = caller.create_list()
    result = caller.run(*(row(address, list_id) for address in (ANA, BO, CY, DI)))
    assert result == {"importId": result["importId"], "status": status}
    assert caller.members(list_id) == written


@pytest.mark.parametrize(("what", "written"), [("nothing", []), ("half", [ANA]), ("all", [ANA, BO])])
@pytest.mark.parametrize("status", ["Failed", "NotFinished"])
def test_what_a_broken_import_leaves_behind(caller: Caller, status: str, what: str, written: list[str]) -> None:
    caller.settings(import_status=status, broken_imports_write=what)
    list_id = caller.create_list()
    assert caller.run(row(ANA, list_id), row(BO, list_id))["status"] == status
    assert caller.members(list_id) == written


def test_an_import_may_never_end_and_keeps_its_place(caller: Caller) -> None:
    caller.settings(import_status="NotFinished", most_imports=1)
    import_id = caller.start(row(ANA))
    caller.advance(10**6)
    assert {caller.poll(import_id)["status"] for _ in range(10)} == {"NotFinished"}
    assert caller.put_import(row(BO)).status_code == 429
    caller.settings(import_status="Finished")
    assert caller.poll(import_id)["status"] == "Finished"


def test_single_imports_may_end_differently(caller: Caller) -> None:
    caller.settings(next_import_statuses=["RejectedByWatchdog", "NotFinished", "Finished"])
    assert [caller.run(row(ANA))["status"] for _ in range(4)] == [
        "RejectedByWatchdog",
        "NotFinished",
        "Finished",
        "Finished",
    ]


def test_the_26th_active_import_is_refused(caller: Caller) -> None:
    first, *_ = [caller.start(row(f"p{number}@example.com")) for number in range(25)]
    refused = caller.put_import(row(ANA))
    assert (refused.status_code, refused.json()["errorCode"]) == (429, "contacts:tooManyActiveImports")
    assert refused.headers["X-RateLimit-Remaining"] == "9"
    assert [caller.poll(first)["status"] for _ in range(2)] == ["NotFinished", "Finished"]
    assert caller.put_import(row(ANA)).status_code == 202


def test_imports_of_another_account_take_no_place(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    caller.settings(most_imports=1)
    import_id = caller.start(row(ANA))
    caller.settings(users={"other": {"account": 9000}})
    caller.session.auth = ("other", simulator.vendor.settings.users["other"].password)
    assert caller.get(f"/contacts/v3/import/{import_id}").status_code == 404
    assert caller.put_import(row(ANA)).status_code == 202


def test_an_import_whose_202_is_lost_is_carried_out(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    list_id = caller.create_list()
    simulator.faults.set([Fault(endpoint=IMPORT, kind="drop", work=True, call=1)])
    with pytest.raises(requests.ConnectionError):
        caller.put_import(row(ANA, list_id))
    assert caller.state()["open_imports"] == 1
    caller.advance(60)
    assert (caller.members(list_id), caller.state()["open_imports"]) == ([ANA], 0)
    again = caller.run(row(ANA, list_id))
    assert again["summary"]["updatedContacts"] == 1


def test_an_account_has_room_for_so_many_contacts(caller: Caller) -> None:
    caller.settings(contact_limit=2)
    caller.people({"email": ANA})
    assert caller.run(row(ANA), row(BO), row(CY))["status"] == "ExceedsAllowedContactLimit"
    assert caller.state()["people"] == 1
    assert caller.run(row(ANA), row(BO))["status"] == "Finished"


def test_an_unknown_import_is_not_found_and_a_malformed_id_is_wrong(caller: Caller) -> None:
    answer = caller.get("/contacts/v3/import/d7de900d-d337-43f6-b1e1-c8ec73e1a434")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "contacts:importNotFound")
    answer = caller.get("/contacts/v3/import/123646")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "contacts:invalidId")


def test_results_may_be_kept_for_a_while_only(caller: Caller) -> None:
    caller.settings(imports_kept_seconds=100)
    import_id = caller.start(row(ANA))
    caller.advance(60)
    assert caller.poll(import_id)["status"] == "Finished"
    caller.advance(100)
    assert caller.get(f"/contacts/v3/import/{import_id}").status_code == 404


def test_arrays_without_content_are_absent_or_empty(caller: Caller) -> None:
    assert caller.run(row(ANA)).keys() == {"importId", "status", "summary", "created"}
    caller.settings(empty_results="empty")
    result = caller.run(row(ANA))
    assert (result["created"], result["failures"], len(result["updated"])) == ([], [], 1)


def test_statuses_may_be_in_camel_case(caller: Caller) -> None:
    caller.settings(enum_case="camel")
    import_id = caller.start(row(ANA))
    assert [caller.poll(import_id)["status"] for _ in range(2)] == ["notFinished", "finished"]


@pytest.mark.parametrize(("status", "has_body"), [(413, False), (400, True)])
def test_a_body_over_50_megabytes_is_refused(caller: Caller, status: Any, has_body: bool) -> None:
    assert caller.post("/_simulator/settings", {"too_large_status": status}).json()["most_bytes"] == 50_000_000
    caller.settings(most_bytes=200)
    assert caller.put_import(row(ANA)).status_code == 202
    refused = caller.put_import(row(ANA, FIRSTNAME="x" * 200))
    assert (refused.status_code, bool(refused.content)) == (status, has_body)
    assert caller.state()["open_imports"] == 1


def no_shape() -> dict[str, Any]:
    return {"matchIdentifier": "email", "identifiers": {"email": BO}}


@pytest.mark.parametrize(
    ("body", "item"),
    [
        ({}, "contacts"),
        ({"contacts": []}, "contacts"),
        ({"contacts": [row(ANA)], "mergeOption": "overwrite-if-empty"}, "mergeOption"),
        ({"contacts": [row(ANA), 7]}, "contacts[1]"),
        ({"contacts": [row(ANA), {"matchIdentifier": "email"}]}, "contacts[1].identifiers"),
        ({"contacts": [row(ANA), {"matchIdentifier": "email", "identifiers": None}]}, "contacts[1].identifiers"),
        ({"contacts": [row(ANA), {"identifiers": {"email": BO}}]}, "contacts[1].matchIdentifier"),
        ({"contacts": [no_shape() | {"dataFields": [{"key": "FIRSTNAME", "value": "x"}]}]}, "contacts[0].dataFields"),
        ({"contacts": [no_shape() | {"lists": []}]}, "contacts[0].lists"),
        ({"contacts": [no_shape() | {"lists": ["345579"]}]}, "contacts[0].lists"),
        ({"contacts": [no_shape() | {"lists": list(range(1, 102))}]}, "contacts[0].lists"),
        ({"contacts": [no_shape() | {"consentRecords": []}]}, "contacts[0].consentRecords"),
        ({"contacts": [no_shape() | {"consentRecords": [{}] * 6}]}, "contacts[0].consentRecords"),
        (
            {"contacts": [no_shape() | {"channelProperties": {"email": {"status": "hardBounced"}}}]},
            "contacts[0].channelProperties.email.status",
        ),
        ({"contacts": [no_shape() | {"channelProperties": {"email": "html"}}]}, "contacts[0].channelProperties.email"),
    ],
)
def test_a_structural_mistake_fails_the_whole_request(caller: Caller, body: dict[str, Any], item: str) -> None:
    answer = caller.call("PUT", "/contacts/v3/import", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "contacts:badRequest")
    assert [each["item"] for each in answer.json()["details"]] == [item]
    assert caller.state()["open_imports"] == 0


def test_missing_identifiers_are_told_as_the_vendor_does(caller: Caller) -> None:
    answer = caller.put_import(row(ANA), {"matchIdentifier": "email"})
    what = "The Identifiers field is required"
    assert answer.json() == {
        "errorCode": "contacts:badRequest",
        "description": what,
        "details": [{"item": "contacts[1].identifiers", "description": what}],
    }
    caller.settings(error_details="error")
    answer = caller.put_import({"matchIdentifier": "email"})
    assert answer.json()["details"] == [{"item": "contacts[0].identifiers", "error": what}]
    caller.settings(error_details="absent")
    assert "details" not in caller.put_import({"matchIdentifier": "email"}).json()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"contacts"', {"Content-Type": "application/json"}),
        (b"[]", {"Content-Type": "application/json"}),
        (b'{"contacts":[{"matchIdentifier":"email","identifiers":{"email":"ana@example.com"}}]}', {}),
        (b"\x1f\x8b\x08", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    ],
)
def test_what_is_not_json_or_does_not_say_so_is_refused(caller: Caller, body: bytes, headers: dict[str, str]) -> None:
    answer = caller.session.put(f"{caller.url}/contacts/v3/import", data=body, headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "contacts:badJson")


def test_an_import_that_ends_after_a_removal_brings_people_back(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.people({"email": ANA, "contactId": 17, "lists": [list_id]})
    caller.start(row(ANA, list_id))
    caller.call("DELETE", f"/v2/address-books/{list_id}/contacts/17")
    assert caller.members(list_id) == []
    caller.advance(60)
    assert caller.members(list_id) == [ANA]
