"""Iterable: who gets on and off a list, and who is refused (contract sections 2, 4, 5 and 10)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import Iterable
from tests.unit.simulators.conftest import Caller

NOBODY_FAILED: dict[str, list[str]] = {
    f"{reason}{kind}": []
    for reason in ("invalid", "notFound", "invalidData", "conflict", "forgotten")
    for kind in ("Emails", "UserIds")
}


def failed(answer: dict[str, Any]) -> dict[str, list[str]]:
    return {name: values for name, values in answer["failedUpdates"].items() if values}


def test_subscribing_makes_people_and_members(caller: Caller) -> None:
    list_id = caller.create_list()
    answer = caller.subscribe(
        list_id, {"email": "Ana@Example.com", "dataFields": {"city": "Hoboken"}}, {"email": "Bad@@Example"}
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "successCount": 1,
        "failCount": 1,
        "invalidEmails": ["bad@@example"],
        "invalidUserIds": [],
        "filteredOutFields": [],
        "createdFields": ["city"],
        "failedUpdates": {**NOBODY_FAILED, "invalidEmails": ["bad@@example"]},
        "noOpEmails": [],
        "noOpUserIds": [],
    }
    assert caller.members(list_id) == ["ana@example.com"]


def test_the_answer_may_have_the_shape_of_2021(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.answer_shape = "minimal"
    answer = caller.subscribe(caller.create_list(), {"email": "ana@example.com"}).json()
    assert answer == {"successCount": 1, "failCount": 0, "invalidEmails": [], "invalidUserIds": []}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@@example.com",
        "a na@example.com",
        " ana@example.com",
        "ana.@example.com",
        ".ana@example.com",
        "ana..b@example.com",
        "ana@-example.com",
        "ana@example..com",
        "ana@example.con",
        "ana@localhost",
        "ana@example.test",
        f"{'a' * 65}@example.com",
        "ana(b)@example.com",
        "ana,b@example.com",
    ],
)
def test_a_malformed_address_is_refused(caller: Caller, address: str) -> None:
    answer = caller.subscribe(caller.create_list(), {"email": address}).json()
    assert (answer["successCount"], answer["failCount"]) == (0, 1)
    assert failed(answer) == {"invalidEmails": [address]}


@pytest.mark.parametrize(
    "address",
    ["o'brien@example.com", "a+b@example.co.uk", "a_b-c.d@sub.example.org", '"a b"@example.com', "jürgen@exämple.de"],
)
def test_an_unusual_address_is_taken(caller: Caller, address: str) -> None:
    assert caller.subscribe(caller.create_list(), {"email": address}).json()["successCount"] == 1


def test_every_domain_is_taken_where_the_check_is_off(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.known_domains_only = False
    assert caller.subscribe(caller.create_list(), {"email": "ana@example.test"}).json()["successCount"] == 1


def test_the_forgotten_are_refused_wherever_they_turn_up(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "ana@example.com"})
    caller.post("/_simulator/people", {"forgotten": ["Ana@example.com"]})
    assert caller.members(list_id) == []
    for answer in (
        caller.subscribe(list_id, {"email": "ANA@example.com"}),
        caller.unsubscribe(list_id, "ana@example.com"),
        caller.bulk_update({"email": "ana@example.com"}),
    ):
        assert failed(answer.json()) == {"forgottenEmails": ["ana@example.com"]}
    assert caller.profile("ana@example.com") == {}


def test_existing_people_only_is_for_hybrid_projects(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    assert caller.subscribe(list_id, {"email": "a@example.com"}, updateExistingUsersOnly=True).json()["failCount"] == 0
    simulator.vendor.settings.project_type = "hybrid"
    rows = [{"email": "a@example.com"}, {"email": "New@example.com"}, {"userId": "N1"}]
    answer = caller.subscribe(list_id, *rows, updateExistingUsersOnly=True).json()
    assert failed(answer) == {"notFoundEmails": ["new@example.com"], "notFoundUserIds": ["N1"]}
    assert caller.profile("new@example.com") == {}


def test_subscribing_twice_changes_nothing(caller: Caller) -> None:
    list_id = caller.create_list()
    for _ in range(2):
        answer = caller.subscribe(list_id, {"email": "ana@example.com"}).json()
        assert (answer["successCount"], answer["noOpEmails"]) == (1, [])
    assert caller.members(list_id) == ["ana@example.com"]


def test_rows_that_change_nothing_can_be_told_apart(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.no_ops = "listed"
    list_id = caller.create_list()
    row = {"email": "Ana@example.com", "dataFields": {"city": "Hoboken"}}
    assert caller.subscribe(list_id, row).json()["noOpEmails"] == []
    answer = caller.subscribe(list_id, row).json()
    assert (answer["successCount"], answer["failCount"], answer["noOpEmails"]) == (0, 0, ["ana@example.com"])


@pytest.mark.parametrize(("rule", "city"), [("last_wins", "Newark"), ("first_wins", "Hoboken")])
def test_one_of_two_rows_of_a_person_wins(simulator: Simulator[Iterable], caller: Caller, rule: Any, city: str) -> None:
    simulator.vendor.settings.duplicate_rows = rule
    list_id = caller.create_list()
    rows = [{"email": "ana@example.com", "dataFields": {"city": name}} for name in ("Hoboken", "Newark")]
    assert caller.subscribe(list_id, *rows).json()["successCount"] == 2
    assert caller.profile("ana@example.com")["user"]["dataFields"]["city"] == city
    assert caller.members(list_id) == ["ana@example.com"]


@pytest.mark.parametrize("path", ["/api/lists/subscribe", "/api/lists/unsubscribe", "/api/users/bulkUpdate"])
@pytest.mark.parametrize(("status", "expected"), [(400, 400), (413, 413)])
def test_a_batch_over_1000_rows_is_refused_whole(
    simulator: Simulator[Iterable], caller: Caller, path: str, status: Any, expected: int
) -> None:
    simulator.vendor.settings.too_large_status = status
    list_id = caller.create_list()
    rows = [{"email": f"p{number}@example.com"} for number in range(1001)]
    name = "users" if "users" in path else "subscribers"
    answer = caller.post(path, {"listId": list_id, name: rows})
    assert (answer.status_code, answer.json()["code"]) == (expected, "BatchTooLarge")
    assert caller.get("/_simulator/state").json()["people"] == 0
    assert caller.post(path, {"listId": list_id, name: rows[:1000]}).json()["successCount"] == 1000


def test_a_body_over_four_million_bytes_is_refused(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    simulator.vendor.settings.longest_value = 5_000_000
    answer = caller.subscribe(list_id, {"email": "a@example.com", "dataFields": {"x": "y" * 4_000_000}})
    assert (answer.status_code, answer.json()["code"]) == (400, "BatchTooLarge")
    answer = caller.subscribe(list_id, {"email": "a@example.com", "dataFields": {"x": "y" * 3_999_000}})
    assert answer.json()["successCount"] == 1


def test_unsubscribing_takes_people_off_that_list_only(caller: Caller) -> None:
    first, second = caller.create_list("first"), caller.create_list("second")
    for list_id in (first, second):
        caller.subscribe(list_id, {"email": "ana@example.com"}, {"email": "bo@example.com"})
    answer = caller.unsubscribe(first, "Ana@Example.com", "bad@@example")
    assert (answer.json()["successCount"], failed(answer.json())) == (1, {"invalidEmails": ["bad@@example"]})
    assert caller.members(first) == ["bo@example.com"]
    assert caller.members(second) == ["ana@example.com", "bo@example.com"]


def test_unsubscribing_an_unknown_address_makes_a_person_of_it(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    assert caller.unsubscribe(list_id, "new@example.com").json()["successCount"] == 1
    assert caller.profile("new@example.com") != {}
    assert caller.members(list_id) == []
    assert caller.get("/_simulator/state").json()["created_by_unsubscribe"] == 1
    simulator.vendor.settings.unsubscribe_creates_unknown = False
    answer = caller.unsubscribe(list_id, "other@example.com").json()
    assert failed(answer) == {"notFoundEmails": ["other@example.com"]}
    assert caller.profile("other@example.com") == {}


def test_unsubscribing_an_unknown_address_in_a_hybrid_project_finds_nobody(
    simulator: Simulator[Iterable], caller: Caller
) -> None:
    simulator.vendor.settings.project_type = "hybrid"
    answer = caller.unsubscribe(caller.create_list(), "new@example.com").json()
    assert failed(answer) == {"notFoundEmails": ["new@example.com"]}


def global_unsubscribes(caller: Caller) -> list[str]:
    found: list[str] = caller.get("/_simulator/state").json()["globally_unsubscribed"]
    return found


def test_a_channel_unsubscribe_is_global_and_outlasts_subscribing_again(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "ana@example.com"}, {"email": "bo@example.com"})
    caller.unsubscribe(list_id, "bo@example.com")
    caller.unsubscribe(list_id, "ana@example.com", channelUnsubscribe=True)
    assert global_unsubscribes(caller) == ["ana@example.com"]
    caller.subscribe(list_id, {"email": "ana@example.com", "dataFields": {"city": "Hoboken"}})
    assert caller.members(list_id) == ["ana@example.com"]
    assert global_unsubscribes(caller) == ["ana@example.com"]
    assert caller.profile("ana@example.com")["user"]["dataFields"]["unsubscribedChannelIds"]


def test_leaving_channel_unsubscribe_out_means_what_the_setting_says(
    simulator: Simulator[Iterable], caller: Caller
) -> None:
    list_id = caller.create_list()
    simulator.vendor.settings.channel_unsubscribe_default = False
    caller.unsubscribe(list_id, "ana@example.com", channelUnsubscribe=None)
    assert global_unsubscribes(caller) == []
    simulator.vendor.settings.channel_unsubscribe_default = True
    caller.unsubscribe(list_id, "ana@example.com", channelUnsubscribe=None)
    assert global_unsubscribes(caller) == ["ana@example.com"]
    assert caller.get("/_simulator/state").json()["channel_unsubscribe_calls"] == 1


def test_clearing_the_unsubscribed_channels_resubscribes_and_is_counted(caller: Caller) -> None:
    caller.post("/_simulator/people", {"people": [{"email": "ana@example.com", "globalUnsubscribe": True}]})
    caller.bulk_update({"email": "ana@example.com", "dataFields": {"unsubscribedChannelIds": []}})
    assert global_unsubscribes(caller) == []
    assert caller.get("/_simulator/state").json()["resubscribes"] == 1


def test_a_bulk_update_changes_no_list_unless_it_names_the_lists(caller: Caller) -> None:
    first, second = caller.create_list("first"), caller.create_list("second")
    caller.subscribe(first, {"email": "ana@example.com"})
    assert caller.bulk_update({"email": "ana@example.com", "dataFields": {"city": "Hoboken"}}).status_code == 200
    assert (caller.members(first), caller.members(second)) == (["ana@example.com"], [])
    caller.bulk_update({"email": "ana@example.com", "dataFields": {"emailListIds": [second]}})
    assert (caller.members(first), caller.members(second)) == ([], ["ana@example.com"])


@pytest.mark.parametrize("user_id", ["", "x" * 53, "trailing ", "naïve", "tab\t"])
def test_a_malformed_user_id_is_refused(simulator: Simulator[Iterable], caller: Caller, user_id: str) -> None:
    simulator.vendor.settings.project_type = "hybrid"
    answer = caller.subscribe(caller.create_list(), {"userId": user_id}).json()
    assert failed(answer) == {"invalidUserIds": [user_id]}


def test_an_email_project_takes_a_new_user_id_only_when_preferred(caller: Caller) -> None:
    list_id = caller.create_list()
    answer = caller.subscribe(list_id, {"userId": "N1"}, {"userId": "N2", "preferUserId": True}).json()
    assert failed(answer) == {"notFoundUserIds": ["N1"]}
    assert caller.members(list_id) == ["n2@placeholder.email"]


def test_an_identifier_that_belongs_to_another_person_is_a_conflict(
    simulator: Simulator[Iterable], caller: Caller
) -> None:
    simulator.vendor.settings.project_type = "hybrid"
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "ana@example.com", "userId": "A1"}, {"email": "bo@example.com"})
    rows: list[dict[str, Any]] = [
        {"email": "bo@example.com", "userId": "A1"},
        {"userId": "A1", "dataFields": {"email": "Bo@example.com"}},
        {"email": "bo@example.com", "dataFields": {"email": "bad@@example"}},
    ]
    assert failed(caller.subscribe(list_id, *rows).json()) == {
        "conflictUserIds": ["A1"],
        "conflictEmails": ["bo@example.com"],
        "invalidEmails": ["bad@@example"],
    }


def test_an_identifier_that_is_free_is_given_to_the_person(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.project_type = "hybrid"
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "old@example.com"})
    caller.subscribe(list_id, {"email": "old@example.com", "dataFields": {"email": "New@example.com"}})
    assert caller.members(list_id) == ["new@example.com"]
    assert caller.profile("old@example.com") == {}
