"""Iterable: lists, and reading them (contract sections 3, 7 and 9)."""

from __future__ import annotations

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import Iterable
from tests.unit.simulators.conftest import Caller

ANA = {"email": "ana@example.com"}


def test_a_list_is_created_and_shown(caller: Caller) -> None:
    list_id = caller.create_list("Loyal customers")
    caller.post("/api/lists", {"name": "Others", "description": "the rest"})
    shown = {one["name"]: one for one in caller.get("/api/lists").json()["lists"]}
    assert shown["Loyal customers"] == {
        "id": list_id,
        "name": "Loyal customers",
        "createdAt": 1_763_805_600_000,
        "listType": "Standard",
    }
    assert shown["Others"]["description"] == "the rest"


def test_two_lists_may_have_one_name_unless_switched_off(simulator: Simulator[Iterable], caller: Caller) -> None:
    assert caller.create_list() != caller.create_list()
    simulator.vendor.settings.duplicate_list_names = False
    assert caller.post("/api/lists", {"name": "Loyal customers"}).json()["code"] == "BadParams"


def test_a_name_may_be_as_long_as_the_setting_says(simulator: Simulator[Iterable], caller: Caller) -> None:
    assert caller.post("/api/lists", {"name": "x" * 5000}).status_code == 200
    simulator.vendor.settings.longest_list_name = 10
    assert caller.post("/api/lists", {"name": "x" * 11}).status_code == 400
    assert caller.post("/api/lists", {"name": " "}).status_code == 400


def test_a_suppression_list_shows_whether_it_is_global(caller: Caller) -> None:
    caller.post("/_simulator/people", {"lists": [{"name": "Do not mail", "listType": "Suppression"}]})
    (shown,) = caller.get("/api/lists").json()["lists"]
    assert (shown["listType"], shown["isGlobalSuppressionEnabled"]) == ("Suppression", False)


def test_only_a_static_list_takes_subscribers(caller: Caller) -> None:
    caller.post("/_simulator/people", {"lists": [{"id": 5, "name": "Opened", "listType": "Dynamic"}]})
    assert caller.subscribe(5, ANA).json()["code"] == "BadParams"


def test_a_list_is_deleted(caller: Caller) -> None:
    list_id = caller.create_list()
    assert caller.delete(f"/api/lists/{list_id}").json() == {
        "msg": f"List {list_id} in Project 10216 was successfully deleted.",
        "code": "Success",
        "params": None,
    }
    assert caller.get("/api/lists").json() == {"lists": []}


def test_a_list_in_use_is_not_deleted(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.post("/_simulator/people", {"lists": [{"id": list_id, "inUse": True}]})
    assert caller.delete(f"/api/lists/{list_id}").status_code == 409
    assert len(caller.get("/api/lists").json()["lists"]) == 1


def test_an_unknown_list_is_refused_with_a_code_that_says_success(caller: Caller) -> None:
    answer = caller.subscribe(999999999, ANA)
    assert answer.status_code == 400
    assert answer.json() == {
        "msg": "error.lists.invalidListId(999999999)",
        "code": "Success",
        "params": {"projectId": 10216, "listId": 999999999},
    }
    assert caller.profile("ana@example.com") == {}


def test_an_unknown_list_may_also_come_as_a_500(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.invalid_list_status = 500
    assert caller.unsubscribe(1, "ana@example.com").status_code == 500


@pytest.mark.parametrize("path", ["/api/lists/1/size", "/api/lists/getUsers?listId=1"])
def test_reading_an_unknown_list_is_refused_too(caller: Caller, path: str) -> None:
    assert caller.get(path).json()["msg"] == "error.lists.invalidListId(1)"


def test_a_new_list_is_not_known_at_once_for_some_seconds(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.new_list_invalid_seconds = 6
    list_id = caller.create_list()
    assert caller.subscribe(list_id, ANA).json()["msg"] == f"error.lists.invalidListId({list_id})"
    caller.advance(6)
    assert caller.subscribe(list_id, ANA).json()["successCount"] == 1


def test_a_new_list_is_not_known_at_once_for_some_calls(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.new_list_invalid_calls = 2
    list_id = caller.create_list()
    assert [caller.subscribe(list_id, ANA).status_code for _ in range(3)] == [400, 400, 200]


def test_size_is_a_bare_number(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, ANA, {"email": "bo@example.com"})
    answer = caller.get(f"/api/lists/{list_id}/size")
    assert (answer.text, answer.headers["content-type"]) == ("2", "text/plain; charset=utf-8")


def test_members_are_one_to_a_line(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, ANA, {"email": "Bo@example.com"})
    answer = caller.get("/api/lists/getUsers", listId=list_id)
    assert answer.headers["content-type"].startswith("text/plain")
    assert sorted(answer.text.splitlines()) == ["ana@example.com", "bo@example.com"]


def test_an_empty_list_has_no_lines(caller: Caller) -> None:
    assert caller.get("/api/lists/getUsers", listId=caller.create_list()).text == ""


def test_a_preview_is_a_sample(caller: Caller) -> None:
    list_id = caller.create_list()
    everyone = [f"p{number}@example.com" for number in range(30)]
    caller.subscribe(list_id, *({"email": address} for address in everyone))
    sample = caller.get("/api/lists/previewUsers", listId=list_id, size=10).text.splitlines()
    assert len(set(sample)) == 10
    assert set(sample) < set(everyone)
    assert len(caller.get("/api/lists/previewUsers", listId=list_id).text.splitlines()) == 30
    assert caller.get("/api/lists/previewUsers", listId=list_id, size=5001).status_code == 400


def test_a_user_id_stands_in_where_there_is_no_address_or_it_is_preferred(
    simulator: Simulator[Iterable], caller: Caller
) -> None:
    simulator.vendor.settings.project_type = "hybrid"
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "ana@example.com", "userId": "A1"}, {"userId": "B2"})
    assert caller.members(list_id) == ["B2", "ana@example.com"]
    answer = caller.get("/api/lists/getUsers", listId=list_id, preferUserId="true")
    assert sorted(answer.text.split()) == ["A1", "B2"]


@pytest.mark.parametrize("query", ["", "?listId=", "?listId=x"])
def test_reading_members_needs_a_list(caller: Caller, query: str) -> None:
    assert caller.get(f"/api/lists/getUsers{query}").json()["code"] == "BadParams"


def test_channels_are_listed(caller: Caller) -> None:
    channels = caller.get("/api/channels").json()["channels"]
    assert {channel["channelType"] for channel in channels} == {"Marketing", "Transactional"}


def test_a_profile_is_read_by_query_and_by_path(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "Ana+news@Example.com", "dataFields": {"firstName": "Ana"}})
    expected = {
        "user": {
            "email": "ana+news@example.com",
            "dataFields": {
                "firstName": "Ana",
                "email": "ana+news@example.com",
                "emailListIds": [list_id],
                "signupSource": "API",
                "signupDate": "2025-11-22 10:00:00 +00:00",
                "profileUpdatedAt": "2025-11-22 10:00:00 +00:00",
            },
        }
    }
    assert caller.get("/api/users/getByEmail", email="ana+news@example.com").json() == expected
    assert caller.get("/api/users/ANA%2Bnews%40example.com").json() == expected


def test_a_plus_that_is_not_encoded_in_the_query_is_a_space(caller: Caller) -> None:
    caller.subscribe(caller.create_list(), {"email": "ana+news@example.com"})
    answer = caller.get("/api/users/getByEmail?email=ana+news@example.com")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidEmailAddressError")


def test_an_unknown_person_is_an_empty_object(caller: Caller) -> None:
    for answer in (
        caller.get("/api/users/getByEmail", email="no@example.com"),
        caller.get("/api/users/no@example.com"),
    ):
        assert (answer.status_code, answer.json()) == (200, {})


def test_the_field_with_the_lists_has_another_name_in_a_hybrid_project(
    simulator: Simulator[Iterable], caller: Caller
) -> None:
    simulator.vendor.settings.project_type = "hybrid"
    list_id = caller.create_list()
    caller.subscribe(list_id, ANA)
    fields = caller.profile("ana@example.com")["user"]["dataFields"]
    assert fields["userListIds"] == [list_id]
    assert "emailListIds" not in fields
