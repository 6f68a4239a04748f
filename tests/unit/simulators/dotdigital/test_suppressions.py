"""Dotdigital: who said no since a moment, to a list or to the account (v2 specification: ApiContactSuppression)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import Dotdigital
from tests.unit.simulators.dotdigital.conftest import Caller, row

ANA, BO, CY, DEE = "ana@example.com", "bo@example.com", "cy@example.com", "dee@example.com"
START = "2025-11-22T10:00:00Z"  # of the clock
HOUR_LATER = "2025-11-22T11:00:00Z"
SUPPRESSED, UNSUBSCRIBED = "/v2/contacts/suppressed-since", "/v2/contacts/unsubscribed-since"


def of_list(list_id: int) -> str:
    return f"/v2/address-books/{list_id}/contacts/unsubscribed-since"


def told(caller: Caller, path: str, since: str = "2000-01-01", **query: Any) -> list[tuple[str, str]]:
    """Addresses with reasons, in the answer's order."""
    answer = caller.get(f"{path}/{since}", **query)
    assert answer.status_code == 200, answer.text
    return [(each["suppressedContact"]["email"], each["reason"]) for each in answer.json()]


def token(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"].split()[-1]


@pytest.fixture
def list_id(caller: Caller) -> int:
    return caller.create_list()


def test_who_left_a_list_is_told_by_the_list_alone(caller: Caller, list_id: int) -> None:
    caller.people({"email": ANA, "contactId": 17, "dataFields": {"CITY": "Hoboken"}}, {"email": BO, "lists": [list_id]})
    caller.post(f"/v2/address-books/{list_id}/contacts/unsubscribe", {"email": ANA})
    contact = {"id": 17, "email": ANA, "optInType": "Unknown", "emailType": "Html", "dataFields": None}
    assert caller.get(f"{of_list(list_id)}/2025-11-22").json() == [
        {
            "suppressedContact": {**contact, "status": "Subscribed"},
            "dateRemoved": START,
            "reason": "Unsubscribed",
        }
    ]
    other = caller.create_list("Other")
    assert [told(caller, path) for path in (of_list(other), SUPPRESSED, UNSUBSCRIBED)] == [[], [], []]


def test_who_said_no_to_the_account_is_told_by_it_and_by_every_list_they_are_or_were_on(
    caller: Caller, list_id: int
) -> None:
    left, never = caller.create_list("Left"), caller.create_list("Never")
    caller.people({"email": ANA, "contactId": 17, "lists": [list_id, left]}, {"email": BO, "lists": [list_id, left]})
    caller.call("DELETE", f"/v2/address-books/{left}/contacts/17")
    caller.post("/v2/contacts/unsubscribe", {"email": ANA})
    everywhere = [of_list(list_id), of_list(left), of_list(47111), SUPPRESSED, UNSUBSCRIBED]
    assert [told(caller, path) for path in everywhere] == [[(ANA, "Unsubscribed")]] * 5
    assert told(caller, of_list(never)) == []


def test_a_suppression_is_told_with_its_reason_but_is_no_unsubscribing_from_the_account(
    caller: Caller, list_id: int
) -> None:
    caller.people(
        {"email": ANA, "contactId": 1, "status": "hardBounced", "lists": [list_id]},
        {"email": BO, "contactId": 2, "status": "sharedsuppression", "lists": [list_id]},
        {"email": CY, "contactId": 3, "status": "knownLitigator", "lists": [list_id]},
        {"email": DEE, "contactId": 4, "status": "pendingOptIn", "lists": [list_id]},
    )
    expected = [(ANA, "HardBounced"), (BO, "SharedSuppression"), (CY, "NotAvailableInThisVersion")]
    assert told(caller, SUPPRESSED) == told(caller, of_list(list_id)) == expected
    assert told(caller, UNSUBSCRIBED) == []


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("2025-11-22", [ANA, BO]),
        (START, [ANA, BO]),
        ("2025-11-22T10:00:00", [ANA, BO]),
        ("2025-11-22T10:00:00.001Z", [BO]),
        ("2025-11-22T12:00:00%2B01:00", [BO]),
        (HOUR_LATER, [BO]),
        ("2025-11-22T11:00:01Z", []),
        ("2025-11-23", []),
    ],
)
def test_it_counts_from_the_moment_in_the_path(caller: Caller, list_id: int, since: str, expected: list[str]) -> None:
    caller.people({"email": ANA, "lists": [list_id], "status": "unsubscribed"}, {"email": BO, "lists": [list_id]})
    caller.advance(3600)
    caller.post("/v2/contacts/unsubscribe", {"email": BO})
    for path in (of_list(list_id), SUPPRESSED, UNSUBSCRIBED):
        assert [address for address, _ in told(caller, path, since)] == expected


def test_pages_are_turned_by_select_and_skip_oldest_first(caller: Caller, list_id: int) -> None:
    times = {ANA: 300, BO: 100, CY: 200, DEE: 100}
    caller.people(
        *(
            {"email": address, "lists": [list_id], "status": "unsubscribed", "statusChangedAt": when}
            for address, when in times.items()
        )
    )
    for path in (of_list(list_id), SUPPRESSED, UNSUBSCRIBED):
        pages = [told(caller, path, "1970-01-01", select=3, skip=skip) for skip in (0, 3, 6)]
        assert [[address for address, _ in page] for page in pages] == [[BO, DEE, CY], [ANA], []]
        assert len(told(caller, path, "1970-01-01")) == 4


def test_a_person_is_told_once_as_of_the_last_no(caller: Caller, list_id: int) -> None:
    caller.people({"email": ANA, "unsubscribedFrom": [list_id]}, {"email": BO, "status": "hardBounced"})
    caller.advance(3600)
    caller.people({"email": ANA, "status": "hardBounced"}, {"email": BO, "unsubscribedFrom": [list_id]})
    assert told(caller, of_list(list_id)) == [(ANA, "HardBounced"), (BO, "Unsubscribed")]
    assert {each["dateRemoved"] for each in caller.get(f"{of_list(list_id)}/2000-01-01").json()} == {HOUR_LATER}


def test_a_no_that_is_said_again_keeps_its_date(caller: Caller, list_id: int) -> None:
    caller.people({"email": ANA, "lists": [list_id]})
    for _ in range(2):
        caller.post("/v2/contacts/unsubscribe", {"email": ANA})
        answer = caller.post(f"/v2/address-books/{list_id}/contacts/unsubscribe", {"email": ANA})
        assert answer.json()["dateRemoved"] == START
        caller.advance(3600)
    assert told(caller, SUPPRESSED, HOUR_LATER) == told(caller, of_list(list_id), HOUR_LATER) == []


def test_people_put_in_place_said_no_when_the_test_says(caller: Caller, list_id: int) -> None:
    caller.people(
        {"email": ANA, "status": "unsubscribed", "statusChangedAt": 1_577_871_618},
        {"email": BO, "unsubscribedFrom": [list_id], "statusChangedAt": 1_577_871_618.5},
    )
    for path in (SUPPRESSED, of_list(list_id)):
        (shown,) = caller.get(f"{path}/2020-01-01").json()
        assert shown["dateRemoved"] == "2020-01-01T09:40:18Z"


def test_who_subscribed_again_or_was_deleted_is_not_told(caller: Caller, list_id: int) -> None:
    caller.people(
        {"email": ANA, "status": "unsubscribed", "lists": [list_id]},
        {"email": BO, "unsubscribedFrom": [list_id]},
        {"email": CY, "unsubscribedFrom": [list_id], "status": "unsubscribed"},
    )
    caller.call("DELETE", f"/contacts/v3/email/{CY}")
    caller.run(row(BO, list_id), row(ANA) | {"channelProperties": {"email": {"status": "subscribed"}}})
    assert [told(caller, path) for path in (of_list(list_id), SUPPRESSED, UNSUBSCRIBED)] == [[], [], []]


@pytest.mark.parametrize("since", ["yesterday", "2025-13-01", "20251122", "2025-11-22T10", "1763805600", "22-11-2025"])
def test_a_moment_that_is_none_is_refused(caller: Caller, list_id: int, since: str) -> None:
    for path in (of_list(list_id), SUPPRESSED, UNSUBSCRIBED):
        assert token(caller.get(f"{path}/{since}")) == (400, "ERROR_PARAMETER_INVALID")


@pytest.mark.parametrize("query", [{"select": 0}, {"select": 1001}, {"select": "x"}, {"skip": -1}])
def test_a_page_that_is_none_is_refused(caller: Caller, list_id: int, query: dict[str, Any]) -> None:
    for path in (of_list(list_id), SUPPRESSED, UNSUBSCRIBED):
        assert token(caller.get(f"{path}/2025-11-22", **query)) == (400, "ERROR_PARAMETER_INVALID")


def test_a_list_that_is_not_there_is_told(caller: Caller) -> None:
    assert token(caller.get(f"{of_list(99)}/2025-11-22")) == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")


def test_they_are_low_calls_and_the_journal_names_them_by_their_path(
    simulator: Simulator[Dotdigital], caller: Caller, list_id: int
) -> None:
    answers = [caller.get(f"{path}/{START}") for path in (of_list(list_id), SUPPRESSED, UNSUBSCRIBED)]
    assert [answer.headers["X-RateLimit-Scope"] for answer in answers] == ["lowCallRate"] * 3
    assert [entry.endpoint for entry in simulator.journal.entries[-3:]] == [
        "GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}",
        "GET /v2/contacts/suppressed-since/{date}",
        "GET /v2/contacts/unsubscribed-since/{date}",
    ]
