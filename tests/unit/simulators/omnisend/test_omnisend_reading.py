"""Omnisend: reading contacts a page at a time, by filter, by segment (contract section 5)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.omnisend import Omnisend
from tests.unit.simulators.omnisend.conftest import Caller, in_channel, item


def walk(caller: Caller, **query: Any) -> list[str]:
    """The addresses of all pages."""
    found: list[str] = []
    while True:
        page = caller.get("/api/contacts", **query).json()
        assert len(page["contacts"]) <= page["paging"]["limit"]
        found += [each["email"] for each in page["contacts"]]
        if not page["paging"]["hasMore"]:
            assert page["paging"]["cursors"]["after"] is None
            return found
        query["after"] = page["paging"]["cursors"]["after"]


def has_tag(*tags: str, operator: str = "anyOf") -> dict[str, Any]:
    return {"property": "tags", "operator": operator, "value": list(tags)}


def segment(name: str, *filters: Any, junction: str = "and") -> dict[str, Any]:
    condition = {"entity": "contact", "junction": junction, "filters": filters}
    return {"name": name, "conditionGroups": [{"conditions": [condition]}]}


def address(number: int) -> str:
    return f"p{number:02}@example.com"


@pytest.fixture
def ten(caller: Caller) -> list[str]:
    """Ten people, made a second apart, the even ones tagged."""
    for number in range(10):
        caller.post("/api/contacts", item(address(number)))
        caller.advance()
    caller.tag(["even"], emails=[address(number) for number in range(8, -1, -2)])
    caller.advance()
    return [address(number) for number in range(10)]


@pytest.mark.parametrize("limit", [1, 3, 10, 250])
def test_the_newest_come_first_unless_asked_otherwise(caller: Caller, ten: list[str], limit: int) -> None:
    assert walk(caller, limit=limit) == ten[::-1]
    assert walk(caller, limit=limit, direction="asc") == ten
    assert walk(caller, limit=limit, tag="even", sort="createdAt", direction="asc") == ten[::2]


def test_a_hundred_are_on_a_page_unless_asked_otherwise(caller: Caller) -> None:
    for first in (0, 100):
        caller.batch(*(item(address(number)) for number in range(first, first + 100)))
    caller.advance()
    assert caller.get("/api/contacts").json()["paging"]["limit"] == 100
    assert len(caller.get("/api/contacts").json()["contacts"]) == 100
    assert sorted(walk(caller)) == sorted(address(number) for number in range(200))


def test_people_can_be_sorted_by_their_last_change(caller: Caller, ten: list[str]) -> None:
    assert walk(caller, limit=4, sort="updatedAt")[-1] == ten[1]
    caller.post("/api/contacts", item(ten[1]))
    assert walk(caller, limit=4, sort="updatedAt")[0] == ten[1]


def test_a_walk_can_go_back(caller: Caller, ten: list[str]) -> None:
    first = caller.get("/api/contacts", limit=4).json()
    assert first["paging"]["cursors"]["before"] is None
    second = caller.get("/api/contacts", limit=4, after=first["paging"]["cursors"]["after"]).json()
    back = caller.get("/api/contacts", limit=3, before=second["paging"]["cursors"]["before"]).json()
    assert [each["email"] for each in back["contacts"]] == [ten[8], ten[7], ten[6]]
    assert back["paging"]["hasMore"] is True


def test_a_walk_upwards_neither_loses_nor_repeats_people_while_others_come(caller: Caller, ten: list[str]) -> None:
    query = {"limit": 5, "direction": "asc"}
    first = caller.get("/api/contacts", **query).json()
    caller.post("/api/contacts", item("late@example.com"))
    caller.post("/api/contacts", item(ten[0], city="Hoboken"))
    assert walk(caller, **query, after=first["paging"]["cursors"]["after"]) == [*ten[5:], "late@example.com"]


@pytest.mark.parametrize(
    "change", [{"tag": "odd"}, {"tag": None}, {"direction": "asc"}, {"sort": "updatedAt"}, {"email": address(1)}]
)
def test_filters_and_sorting_cannot_change_on_the_way(caller: Caller, ten: list[str], change: dict[str, Any]) -> None:
    after = caller.get("/api/contacts", tag="even", limit=2).json()["paging"]["cursors"]["after"]
    assert caller.get("/api/contacts", tag="even", limit=3, after=after).status_code == 200
    assert caller.get("/api/contacts", **{"tag": "even", "limit": 2, "after": after, **change}).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"tag": "even", "status": "subscribed"},
        {"updatedAtFrom": "2025-11-22T10:00:00Z", "tag": "even"},
        {"updatedAtFrom": "2025-11-22T10:00:00Z", "email": "ana@example.com"},
        {"updatedAtFrom": "2025-11-22T10:00:00Z", "status": "subscribed"},
        {"updatedAtFrom": "yesterday"},
        {"limit": "0"},
        {"limit": "251"},
        {"limit": "many"},
        {"sort": "email"},
        {"direction": "up"},
        {"status": "active"},
        {"tag": ""},
        {"tags": "even"},
        {"offset": "10"},
        {"after": "x"},
        {"after": "x", "before": "x"},
        {"segmentID": "65f0c0ffee0c0ffee0c0ffee"},
    ],
)
def test_a_query_has_to_fit(caller: Caller, query: dict[str, str]) -> None:
    answer = caller.get("/api/contacts", **query)
    assert answer.status_code == 400
    assert answer.json()["type"] == "https://problems.omnisend.com/validation-failed"


def test_people_are_found_by_what_they_are(caller: Caller, ten: list[str]) -> None:
    caller.post("/api/contacts", in_channel(ten[4], "unsubscribed"))
    caller.post("/api/contacts", in_channel("a+b@example.com", "subscribed"))
    assert walk(caller, status="unsubscribed") == [ten[4]]
    assert walk(caller, status="subscribed") == ["a+b@example.com"]
    assert walk(caller, email=ten[4]) == [ten[4]]
    assert walk(caller, email="nobody@example.com") == []
    assert walk(caller, email=ten[4], tag="even") == [ten[4]]
    assert walk(caller, email=ten[5], tag="even") == []
    assert walk(caller, tag="none") == []
    assert walk(caller, updatedAtFrom="2025-11-22T10:00:11Z") == ["a+b@example.com", ten[4]]


def test_a_plus_that_is_not_encoded_is_a_space(caller: Caller) -> None:
    caller.post("/api/contacts", item("a+b@example.com"))
    assert caller.get("/api/contacts?email=a+b@example.com").json()["contacts"] == []
    assert len(caller.get("/api/contacts?email=a%2Bb@example.com").json()["contacts"]) == 1


def test_a_contact_that_is_not_there_is_not_found(caller: Caller) -> None:
    known = caller.post("/api/contacts", item("ana@example.com")).json()["id"]
    assert caller.get(f"/api/contacts/{known}").status_code == 200
    for contact_id in ("60a6170920d91c215e949b5c", "tags", known.upper(), f"0x{known}"):
        assert caller.get(f"/api/contacts/{contact_id}").status_code == 404


def test_a_segment_is_built_and_counts_its_people(caller: Caller, ten: list[str]) -> None:
    created = caller.post("/api/segments", segment("Even", has_tag("even")))
    assert (created.status_code, created.json()["status"], created.json()["name"]) == (201, "building", "Even")
    path = f"/api/segments/{created.json()['segmentID']}"
    assert caller.get(f"{path}/statistics").json() == {"contactsCount": 0}
    for answer in (caller.call("PUT", path, segment("Other", has_tag("odd"))), caller.call("DELETE", path)):
        assert (answer.status_code, answer.json()["type"]) == (409, "https://problems.omnisend.com/conflict")
    caller.advance()
    assert caller.get(path).json()["status"] == "ready"
    assert caller.get(f"{path}/statistics").json() == {"contactsCount": 5}
    segment_id = created.json()["segmentID"]
    assert walk(caller, segmentID=segment_id, limit=2, direction="asc") == ten[::2]
    assert caller.contact(ten[0])["segments"] == [segment_id]
    caller.untag(["even"], emails=[ten[0]])
    caller.advance()
    assert caller.get(f"{path}/statistics").json() == {"contactsCount": 4}
    assert caller.call("DELETE", path).status_code == 204
    assert caller.get(path).status_code == 404
    assert caller.get(f"{path}/statistics").status_code == 404


@pytest.mark.parametrize(
    ("filters", "junction", "found"),
    [
        ([has_tag("a", "b")], "and", "ana bo"),
        ([has_tag("a"), has_tag("b")], "and", ""),
        ([has_tag("a"), has_tag("b")], "or", "ana bo"),
        ([has_tag("a", operator="noneOf")], "and", "bo cy"),
    ],
)
def test_a_segment_keeps_its_rule(caller: Caller, filters: list[dict[str, Any]], junction: str, found: str) -> None:
    for name, tags in (("ana", ["a"]), ("bo", ["b"]), ("cy", [])):
        caller.post("/api/contacts", item(f"{name}@example.com", tags=tags))
    segment_id = caller.post("/api/segments", segment("S", *filters, junction=junction)).json()["segmentID"]
    caller.advance()
    assert sorted(walk(caller, segmentID=segment_id)) == [f"{name}@example.com" for name in found.split()]


def test_a_segment_that_is_changed_is_built_again(caller: Caller, ten: list[str]) -> None:
    segment_id = caller.post("/api/segments", segment("Even", has_tag("even"))).json()["segmentID"]
    caller.advance()
    assert walk(caller, segmentID=segment_id, direction="asc") == ten[::2]
    changed = caller.call("PUT", f"/api/segments/{segment_id}", segment("Odd", has_tag("even", operator="noneOf")))
    assert (changed.status_code, changed.json()["name"], changed.json()["status"]) == (200, "Odd", "building")
    assert walk(caller, segmentID=segment_id, direction="asc") == []
    caller.advance()
    assert walk(caller, segmentID=segment_id, direction="asc") == ten[1::2]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "S"},
        {"name": "", "conditionGroups": []},
        segment("S"),
        segment("x" * 257, has_tag("a")),
        segment("S", has_tag()),
        segment("S", has_tag("a", operator="contains")),
        segment("S", {"property": "country", "operator": "anyOf", "value": ["US"]}),
        segment("S", has_tag("a"), junction="xor"),
    ],
)
def test_a_segment_of_the_wrong_shape_is_refused(caller: Caller, body: Any) -> None:
    assert caller.post("/api/segments", body).status_code == 400
    assert caller.get("/api/segments").json()["segments"] == []


@pytest.mark.parametrize(("allowed", "status"), [(True, 201), (False, 400)])
def test_two_segments_of_a_name_can_be_forbidden(
    simulator: Simulator[Omnisend], caller: Caller, allowed: bool, status: int
) -> None:
    simulator.vendor.settings.duplicate_segment_names = allowed
    caller.post("/api/segments", segment("S", has_tag("a")))
    assert caller.post("/api/segments", segment("S", has_tag("b"))).status_code == status


def test_segments_are_listed_ten_at_a_time(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.rates = {}
    names = [f"S{number:02}" for number in range(25)]
    for name in names:
        caller.post("/api/segments", segment(name, has_tag("a")))
    page = caller.get("/api/segments", sort="name", direction="asc").json()
    listed = [each["name"] for each in page["segments"]]
    assert len(listed) == 10
    while page["paging"]["hasMore"]:
        after = page["paging"]["cursors"]["after"]
        page = caller.get("/api/segments", sort="name", direction="asc", limit=50, after=after).json()
        listed += [each["name"] for each in page["segments"]]
    assert listed == names
    assert caller.get("/api/segments", limit=51).status_code == 400
