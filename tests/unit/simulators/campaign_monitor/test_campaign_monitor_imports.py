"""Campaign Monitor: who gets on a list by an import, and who is refused (contract section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.campaign_monitor import CLIENT, CampaignMonitor
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, code, failures, row


def result(existing: int, new: int, *duplicates: str) -> dict[str, Any]:
    return {
        "FailureDetails": [],
        "TotalUniqueEmailsSubmitted": existing + new,
        "TotalExistingSubscribers": existing,
        "TotalNewSubscribers": new,
        "DuplicateEmailsInSubmission": list(duplicates),
    }


def test_importing_makes_subscribers_that_can_be_read_at_once(caller: Caller) -> None:
    list_id = caller.create_list()
    answer = caller.imports(list_id, row("ana@example.com"), row("bo@example.com"))
    assert (answer.status_code, answer.json()) == (201, result(existing=0, new=2))
    assert caller.imports(list_id, row("ana@example.com"), row("cy@example.com")).json() == result(1, 1)
    assert caller.addresses(list_id) == ["ana@example.com", "bo@example.com", "cy@example.com"]


def test_a_partial_failure_is_a_400_whose_good_rows_are_stored(
    simulator: Simulator[CampaignMonitor], caller: Caller
) -> None:
    list_id = caller.create_list()
    answer = caller.imports(list_id, row("ana@example.com"), row("Bad@x"), row("bo@example.com"))
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "Code": 210,
            "Message": "Subscriber Import had some failures",
            "ResultData": {
                "FailureDetails": [{"EmailAddress": "Bad@x", "Code": 1, "Message": "Invalid Email Address"}],
                "TotalUniqueEmailsSubmitted": 3,
                "TotalExistingSubscribers": 0,
                "TotalNewSubscribers": 2,
                "DuplicateEmailsInSubmission": [],
            },
        },
    )
    assert caller.addresses(list_id) == ["ana@example.com", "bo@example.com"]
    entry = simulator.journal.entries[1]
    assert (entry.rows, entry.worked, entry.touched) == (3, True, ["ana@example.com", "bo@example.com"])


def test_when_all_rows_fail_nothing_was_done(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    assert failures(caller.imports(caller.create_list(), row("bad@x"))) == {"bad@x": 1}
    assert simulator.journal.entries[-1].worked is False


def test_codes_of_failures_may_be_texts(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.failure_codes = "texts"
    answer = caller.imports(caller.create_list(), row("bad@x")).json()
    assert (answer["Code"], answer["ResultData"]["FailureDetails"][0]["Code"]) == (210, "1")


def test_at_most_1000_rows_and_at_least_one(caller: Caller) -> None:
    list_id = caller.create_list()
    rows = [row(f"p{number}@example.com") for number in range(1001)]
    assert code(caller.imports(list_id, *rows)) == (400, 209)
    assert code(caller.imports(list_id)) == (400, 212)
    assert caller.state()["people"] == 0
    assert caller.imports(list_id, *rows[:1000]).json()["TotalNewSubscribers"] == 1000


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
        "ana@example.com ",
        "ana.@example.com",
        "ana..b@example.com",
        "ana@-example.com",
        "ana@example..com",
        "ana@example.c",
        f"{'a' * 65}@example.com",
        "jürgen@example.com",
        "ana@exämple.com",
        "ana,b@example.com",
    ],
)
def test_a_malformed_address_is_refused(caller: Caller, address: str) -> None:
    assert failures(caller.imports(caller.create_list(), row(address))) == {address: 1}


@pytest.mark.parametrize("address", ["o'brien@example.com", "a+b@example.co.uk", "a_b-c.d@sub.example.org"])
def test_an_unusual_address_is_taken(caller: Caller, address: str) -> None:
    assert caller.imports(caller.create_list(), row(address)).status_code == 201


def test_letters_beyond_ascii_may_be_taken(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.international_addresses = True
    assert caller.imports(caller.create_list(), row("jürgen@exämple.de")).status_code == 201


def test_an_address_is_one_person_in_any_case_and_shown_as_first_sent(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("Ana@Example.com"))
    assert caller.imports(list_id, row("ana@example.COM")).json() == result(existing=1, new=0)
    assert caller.addresses(list_id) == ["Ana@Example.com"]


def test_addresses_may_be_kept_in_small_letters(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.address_case = "lower"
    list_id = caller.create_list()
    caller.imports(list_id, row("Ana@Example.com"))
    assert caller.addresses(list_id) == ["ana@example.com"]


@pytest.mark.parametrize(("rule", "city"), [("last_wins", "Newark"), ("first_wins", "Hoboken")])
def test_duplicates_are_told_and_one_of_them_wins(
    simulator: Simulator[CampaignMonitor], caller: Caller, rule: Any, city: str
) -> None:
    simulator.vendor.settings.duplicate_rows = rule
    list_id = caller.create_list("Loyal", "City")
    rows = [row("ana@example.com", City="Hoboken"), row("Ana@example.com", City="Newark")]
    answer = caller.imports(list_id, *rows)
    assert (answer.status_code, answer.json()) == (201, result(0, 1, "Ana@example.com"))
    assert caller.fields(list_id, "ana@example.com") == {"City": city}


def test_people_of_a_confirmed_opt_in_list_get_mail_and_wait(caller: Caller) -> None:
    list_id = caller.create_list(ConfirmedOptIn=True)
    assert caller.imports(list_id, row("ana@example.com")).json() == result(existing=0, new=1)
    assert (caller.addresses(list_id), caller.addresses(list_id, "unconfirmed")) == ([], ["ana@example.com"])
    assert caller.state()["verification_mails"] == 1
    assert failures(caller.imports(list_id, row("ana@example.com"))) == {"ana@example.com": 208}


def test_a_list_may_send_a_confirmation_to_who_is_new(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.load(lists=[{"id": list_id, "confirmationMail": True}])
    for _ in range(2):
        caller.imports(list_id, row("ana@example.com"))
    assert caller.state()["confirmation_mails"] == 1


@pytest.mark.parametrize("name", ["QueueSubscriptionBasedAutoResponders", "QueueSubscriptionBasedAutoresponders"])
def test_autoresponders_are_queued_only_when_asked_for_in_either_spelling(caller: Caller, name: str) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("ana@example.com"), **{name: False})
    assert caller.state()["autoresponders"] == 0
    caller.imports(list_id, row("ana@example.com"), row("bo@example.com"), **{name: True})
    assert caller.state()["autoresponders"] == 1


def test_autoresponders_restart_for_who_comes_back(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.put(list_id, "ana@example.com", "Deleted")
    rows = [row("ana@example.com"), row("bo@example.com")]
    caller.imports(list_id, *rows, resubscribe=True, RestartSubscriptionBasedAutoresponders=True)
    assert caller.state()["autoresponders"] == 1


@pytest.mark.parametrize(("consent", "expected"), [(None, 214), ("", 214), ("true", 215)])
def test_one_row_without_consent_refuses_the_whole_request(caller: Caller, consent: str | None, expected: int) -> None:
    list_id = caller.create_list()
    answer = caller.imports(list_id, row("ana@example.com"), row("bo@example.com", consent))
    assert code(answer) == (400, expected)
    assert caller.state()["people"] == 0


def test_a_row_without_consent_may_fail_alone(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.consent_errors = "row"
    rows = [row("ana@example.com"), row("bo@example.com", None), row("cy@example.com", "perhaps")]
    assert failures(caller.imports(caller.create_list(), *rows)) == {"bo@example.com": 214, "cy@example.com": 215}


def test_consent_to_track_holds_for_all_lists_of_the_client(caller: Caller) -> None:
    first, second = caller.create_list("first"), caller.create_list("second")
    caller.imports(first, row("ana@example.com", "Yes"))
    caller.imports(second, row("ana@example.com", "unchanged"))
    assert caller.get(second, "ana@example.com", includetrackingpreference="true")["ConsentToTrack"] == "Yes"
    caller.imports(second, row("ana@example.com", "No"))
    assert caller.get(first, "ana@example.com", includetrackingpreference="true")["ConsentToTrack"] == "No"


@pytest.mark.parametrize("rule", ["Yes", "No"])
def test_what_unchanged_means_for_somebody_new(
    simulator: Simulator[CampaignMonitor], caller: Caller, rule: Any
) -> None:
    simulator.vendor.settings.unchanged_for_new = rule
    list_id = caller.create_list()
    caller.imports(list_id, row("ana@example.com"))
    assert caller.get(list_id, "ana@example.com", includetrackingpreference="true")["ConsentToTrack"] == rule


@pytest.mark.parametrize(
    ("address", "mobile", "expected"),
    [("ana@example.com", "0201 5550", 220), ("bad@x", "0201 5550", 221), ("bad@x", "+12015550123", 1)],
)
def test_a_mobile_number_needs_its_country(caller: Caller, address: str, mobile: str, expected: int) -> None:
    answer = caller.imports(caller.create_list(), {**row(address), "MobileNumber": mobile})
    assert failures(answer) == {address: expected}


def test_a_mobile_number_is_kept_until_it_is_cleared(caller: Caller) -> None:
    list_id = caller.create_list()
    for given, expected in [("+12015550123", "+12015550123"), (None, "+12015550123"), ("", None)]:
        caller.imports(list_id, {**row("ana@example.com"), "MobileNumber": given})
        assert caller.get(list_id, "ana@example.com").get("MobileNumber") == expected


def test_a_poison_row_fails_the_whole_request_and_nothing_is_stored(
    simulator: Simulator[CampaignMonitor], caller: Caller
) -> None:
    simulator.vendor.settings.poison = ["bo@example.com"]
    list_id = caller.create_list()
    answer = caller.imports(list_id, row("ana@example.com"), row("Bo@example.com"))
    assert code(answer) == (500, 500)
    assert caller.state()["people"] == 0
    assert caller.imports(list_id, row("ana@example.com")).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"Subscribers": {}},
        {"Subscribers": ["ana@example.com"]},
        {"Subscribers": [{"EmailAddress": 1}]},
        {"Subscribers": [{"EmailAddress": "ana@example.com", "ConsentToTrack": True}]},
        {"Subscribers": [{"EmailAddress": "ana@example.com", "CustomFields": {}}]},
        {"Subscribers": [{"EmailAddress": "ana@example.com", "CustomFields": [{"Key": "Age", "Value": 7}]}]},
        {"Subscribers": [row("ana@example.com")], "Resubscribe": "false"},
        {"Subscribers": [row("ana@example.com")], "queuesubscriptionbasedautoresponders": 1},
    ],
)
def test_a_body_of_another_shape_is_refused_whole(caller: Caller, body: dict[str, Any]) -> None:
    answer = caller.call("POST", f"/subscribers/{caller.create_list()}/import", body)
    assert code(answer) == (400, 400)
    assert "Fields in error: subscribers" in answer.json()["Message"]
    assert caller.state()["people"] == 0


def test_lists_of_one_client_keep_their_own_people(caller: Caller) -> None:
    first, second = caller.create_list("first"), caller.create_list("second")
    caller.imports(first, row("ana@example.com"))
    assert (caller.addresses(first), caller.addresses(second)) == (["ana@example.com"], [])
    assert [each["Name"] for each in caller.call("GET", f"/clients/{CLIENT}/lists").json()] == ["first", "second"]
