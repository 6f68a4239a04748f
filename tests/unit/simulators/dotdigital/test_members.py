"""Dotdigital: reading the people of a list, page by page (contract sections 8 and 15)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.simulators.dotdigital.conftest import Caller, row

ANA, BO = "ana@example.com", "bo@example.com"


def filled(caller: Caller, size: int) -> int:
    list_id = caller.create_list()
    caller.people(*({"email": f"p{number}@example.com", "lists": [list_id]} for number in range(size)))
    return list_id


def read(caller: Caller, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = caller.get("/contacts/v3", **query).json()
    return answer


def emails(page: dict[str, Any]) -> list[str]:
    return [each["identifiers"]["email"] for each in page["_items"]]


def test_a_list_is_read_by_following_the_markers(caller: Caller) -> None:
    list_id = filled(caller, 7)
    caller.people({"email": "other@example.com"})
    pages, marker = [], None
    while marker != "":
        query = {"~listId": list_id, "limit": 3, **({"marker": marker} if marker else {})}
        page = read(caller, **query)
        pages.append(emails(page))
        marker = page["_links"].get("next", {"marker": ""})["marker"]
    assert pages == [[f"p{number}@example.com" for number in numbers] for numbers in ((0, 1, 2), (3, 4, 5), (6,))]


def test_the_link_carries_the_whole_query_to_the_accounts_own_host(caller: Caller) -> None:
    list_id = filled(caller, 3)
    links = read(caller, **{"~listId": list_id, "limit": 2, "include": "lists"})["_links"]
    link = urlsplit(links["next"]["link"])
    assert (link.scheme, link.netloc, link.path) == ("https", "r1-api.dotdigital.com", "/contacts/v3/")
    assert parse_qs(link.query) == {
        "~listId": [str(list_id)],
        "limit": ["2"],
        "include": ["lists"],
        "marker": [links["next"]["marker"]],
    }
    assert emails(caller.get(f"{link.path}?{link.query}").json()) == ["p2@example.com"]
    assert (links["self"]["marker"], links["first"]["marker"]) == ("", "")


def test_the_slash_and_the_encoded_tilde_of_the_php_library_are_understood(caller: Caller) -> None:
    list_id = filled(caller, 2)
    caller.people({"email": "other@example.com"})
    answer = caller.session.get(f"{caller.url}/contacts/v3/?%7ElistId={list_id}", timeout=20)
    assert emails(answer.json()) == ["p0@example.com", "p1@example.com"]


def test_a_page_that_is_just_full_is_the_last(caller: Caller) -> None:
    list_id = filled(caller, 2)
    assert "next" not in read(caller, **{"~listId": list_id, "limit": 2})["_links"]
    caller.settings(last_page_next="empty_marker")
    assert read(caller, **{"~listId": list_id, "limit": 2})["_links"]["next"]["marker"] == ""
    assert read(caller, **{"~listId": list_id, "limit": 1})["_links"]["next"]["marker"] != ""


def test_people_come_in_ascending_order_of_their_ids(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.people({"email": ANA, "contactId": 30}, {"email": BO, "contactId": 20})
    caller.people({"email": ANA, "lists": [list_id]}, {"email": BO, "lists": [list_id]})
    assert emails(read(caller, **{"~listId": list_id})) == [BO, ANA]


def test_somebody_who_joins_while_a_list_is_read_moves_nobody(caller: Caller) -> None:
    list_id = filled(caller, 4)
    first = read(caller, **{"~listId": list_id, "limit": 2})
    caller.people({"email": ANA, "contactId": 1, "lists": [list_id]})
    second = read(caller, **{"~listId": list_id, "limit": 2, "marker": first["_links"]["next"]["marker"]})
    assert emails(second) == ["p2@example.com", "p3@example.com"]
    assert emails(read(caller, **{"~listId": list_id, "limit": 1})) == [ANA]


def test_an_item_has_only_what_was_asked_for(caller: Caller) -> None:
    list_id = caller.create_list()
    person = {"email": ANA, "contactId": 17, "dataFields": {"FIRSTNAME": "Ana", "LASTNAME": "Silva"}}
    caller.people({**person, "lists": [list_id]})
    (item,) = read(caller)["_items"]
    assert item == {
        "contactId": 17,
        "status": "subscribed",
        "created": "2025-11-22T10:00:00Z",
        "updated": "2025-11-22T10:00:00Z",
        "identifiers": {"email": ANA},
    }
    (item,) = read(caller, **{"data-fields": "FIRSTNAME|GENDER"})["_items"]
    assert item["dataFields"] == {"FIRSTNAME": "Ana"}
    (item,) = read(caller, **{"data-fields": "[[ALL]]", "include": "lists|channelProperties"})["_items"]
    assert item["dataFields"] == {"FIRSTNAME": "Ana", "LASTNAME": "Silva"}
    assert item["lists"] == [{"id": list_id, "name": "Loyal customers", "status": "subscribed"}]
    assert item["channelProperties"] == {"email": {"emailType": "Html", "optInType": "Unknown", "status": "subscribed"}}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("spec", ("hardBounced", "suppressed", "Html", "suppressed")),
        ("pascal", ("HardBounced", "Suppressed", "Html", "Suppressed")),
        ("camel", ("hardBounced", "suppressed", "html", "suppressed")),
    ],
)
def test_enumerated_values_come_in_any_case(caller: Caller, case: str, expected: tuple[str, ...]) -> None:
    caller.settings(enum_case=case)
    caller.people({"email": ANA, "status": "hardBounced", "unsubscribedFrom": [caller.create_list()]})
    (item,) = read(caller, include="lists|channelProperties")["_items"]
    channel = item["channelProperties"]["email"]
    assert (channel["status"], item["status"], channel["emailType"], item["lists"][0]["status"]) == expected


def test_members_that_left_the_list_are_shown_or_not(caller: Caller) -> None:
    list_id = filled(caller, 1)
    caller.people({"email": ANA, "unsubscribedFrom": [list_id]})
    shown = read(caller, **{"~listId": list_id, "include": "lists"})["_items"]
    assert [each["lists"][0]["status"] for each in shown] == ["subscribed", "suppressed"]
    caller.settings(list_read_suppressed=False)
    assert emails(read(caller, **{"~listId": list_id})) == ["p0@example.com"]


def test_people_can_be_asked_for_by_moment(caller: Caller) -> None:
    caller.people({"email": ANA})
    caller.advance(3600)
    caller.run(row(BO))
    assert emails(read(caller, **{"~created": "gte::2025-11-22T10:30:00Z"})) == [BO]
    caller.people({"email": ANA, "dataFields": {"FIRSTNAME": "Ana"}})
    assert emails(read(caller, **{"~modified": "gte::2025-11-22T10:30:00.000Z"})) == [ANA, BO]
    assert emails(read(caller, **{"~created": "gte::2025-11-22T10:30:00Z"})) == [BO]


def test_a_list_that_does_not_exist_looks_empty_unless_told_otherwise(caller: Caller) -> None:
    answer = caller.get("/contacts/v3", **{"~listId": 99})
    assert (answer.status_code, answer.json()["_items"]) == (200, [])
    caller.settings(unknown_list_read="error")
    answer = caller.get("/contacts/v3", **{"~listId": 99})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "contacts:invalidFilter")


def test_all_contacts_is_a_list_too(caller: Caller) -> None:
    caller.people({"email": ANA})
    assert emails(read(caller, **{"~listId": 47111})) == [ANA]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 5001},
        {"limit": "x"},
        {"~listId": "x"},
        {"~listId": 1, "~segmentId": 1},
        {"~created": "2025-11-22T10:30:00Z"},
        {"~modified": "gte::2025-11-22"},
        {"~created": "gte::2025-11-22T10:30:00Z", "~modified": "gte::2025-11-22T10:30:00Z"},
        {"include": "lists,preferences"},
        {"marker": "nonsense"},
        {"marker": "MzUyMTIzMTE="},
    ],
)
def test_parameters_that_do_not_fit_are_refused(caller: Caller, query: dict[str, Any]) -> None:
    answer = caller.get("/contacts/v3", **query)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "contacts:invalidFilter")


def test_a_marker_is_good_for_its_own_query_only(caller: Caller) -> None:
    list_id = filled(caller, 3)
    marker = read(caller, **{"~listId": list_id, "limit": 2})["_links"]["next"]["marker"]
    assert caller.get("/contacts/v3", limit=2, marker=marker).status_code == 400
