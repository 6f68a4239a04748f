"""Omnisend: batches of contacts, their status, their items (contract section 4)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from dev.simulators.common.simulator import Simulator
from dev.simulators.omnisend import Omnisend
from tests.unit.simulators.omnisend.conftest import Caller, item


def people(number: int) -> list[dict[str, Any]]:
    return [item(f"p{each}@example.com") for each in range(number)]


def refused_field(answer: requests.Response) -> str:
    (error,) = answer.json()["errors"]
    return f"{error['field']} {error['code']}"


def test_a_batch_is_written_later(caller: Caller) -> None:
    answer = caller.batch(item("ana@example.com", firstName="Ana"), origin="segment-export")
    assert answer.status_code == 201
    assert re.fullmatch(r"[0-9a-f]{24}", answer.json()["batchID"])
    assert answer.json()["totalCount"] == 1
    batch = f"/api/batches/{answer.json()['batchID']}"
    assert caller.get(batch).json() == {
        "batchID": answer.json()["batchID"],
        "method": "POST",
        "endpoint": "contacts",
        "origin": "segment-export",
        "status": "pending",
        "createdAt": "2025-11-22T10:00:00Z",
        "totalCount": 1,
        "finishedCount": 0,
        "errorsCount": 0,
    }
    caller.advance(0.1)
    assert caller.get(batch).json()["status"] == "inProgress"
    assert caller.contact("ana@example.com") == {}
    caller.advance(2.0)
    finished = caller.get(batch).json()
    assert (finished["status"], finished["finishedCount"], finished["errorsCount"]) == ("finished", 1, 0)
    assert finished["endedAt"] == "2025-11-22T10:00:00Z"
    assert "responses" not in finished
    assert caller.contact("ana@example.com")["firstName"] == "Ana"


def test_items_tell_what_became_of_each(caller: Caller) -> None:
    caller.post("/api/contacts", item("bo@example.com"))
    rows = [item("ana@example.com"), item("bad@@x"), item("bo@example.com", city="Hoboken"), "nonsense"]
    outcome = caller.deliver(*rows)
    assert (outcome["totalCount"], outcome["finishedCount"], outcome["errorsCount"]) == (4, 4, 2)
    created, updated = sorted(outcome["responses"], key=lambda each: each["response"]["email"])
    assert (created["request"], created["responseCode"], created["status"]) == (rows[0], 201, "finished")
    assert (updated["request"], updated["responseCode"]) == (rows[2], 200)
    assert updated["response"] == {"email": "bo@example.com", "contactID": caller.contact("bo@example.com")["id"]}
    (failed,) = (each for each in outcome["errors"] if each["request"] == rows[1])
    assert failed["responseCode"] == 400
    assert failed["response"] == {
        "error": "1 error(s) found. Check 'fields' array for details.",
        "fields": {"0": ["identifiers[0].id: invalid email"]},
    }
    assert len({each["itemID"] for each in outcome["responses"] + outcome["errors"]}) == 4


def test_items_may_have_the_shape_of_this_version(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.item_shape = "current"
    outcome = caller.deliver(item("ana@example.com"), item("bad@@x"))
    assert outcome["responses"][0]["response"]["id"] == caller.contact("ana@example.com")["id"]
    problem = outcome["errors"][0]["response"]
    assert (problem["status"], problem["errors"][0]["field"]) == (400, "identifiers.0.id")


def test_items_come_in_no_particular_order(caller: Caller) -> None:
    rows = people(50)
    batch_id = caller.batch(*rows).json()["batchID"]
    caller.advance()
    orders = []
    for _ in range(10):
        responses = caller.get(f"/api/batches/{batch_id}/items").json()["responses"]
        orders.append([each["request"]["identifiers"][0]["id"] for each in responses])
    assert len(set(map(tuple, orders))) > 1
    assert {tuple(sorted(order)) for order in orders} == {tuple(sorted(f"p{each}@example.com" for each in range(50)))}


@pytest.mark.parametrize(("rule", "finished"), [("all", 2), ("successes", 1)])
def test_what_counts_as_finished_can_be_chosen(
    simulator: Simulator[Omnisend], caller: Caller, rule: Any, finished: int
) -> None:
    simulator.vendor.settings.finished_count = rule
    assert caller.deliver(item("ana@example.com"), item("bad@@x"))["finishedCount"] == finished


@pytest.mark.parametrize(("number", "status"), [(0, 400), (1, 201), (100, 201), (101, 400)])
def test_a_batch_has_1_to_100_items(caller: Caller, number: int, status: int) -> None:
    answer = caller.batch(*people(number))
    assert answer.status_code == status
    caller.advance()
    assert caller.state()["people"] == (number if status == 201 else 0)


@pytest.mark.parametrize("status", [413, 400])
def test_a_batch_over_a_megabyte_is_refused(simulator: Simulator[Omnisend], caller: Caller, status: Any) -> None:
    simulator.vendor.settings.too_large_status = status
    long = [item(f"p{each}@example.com", customProperties={"note": "x" * 20_000}) for each in range(60)]
    assert caller.batch(*long).status_code == status
    assert caller.batch(*long[:40]).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"method": None}, "method invalid_value"),
        ({"method": "PATCH"}, "method invalid_value"),
        ({"endpoint": "people"}, "endpoint invalid_value"),
        ({"endpoint": "products"}, "endpoint invalid_value"),
        ({"method": "PUT"}, "endpoint invalid_value"),
        ({"items": {}}, "items invalid_length"),
        ({"origin": 7}, "origin invalid_type"),
    ],
)
def test_a_batch_of_the_wrong_shape_is_refused(caller: Caller, change: dict[str, Any], field: str) -> None:
    answer = caller.batch(item("ana@example.com"), **change)
    assert (answer.status_code, refused_field(answer)) == (400, field)


def test_put_can_be_allowed_for_people_that_are_there(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.put_contacts = "update"
    caller.post("/api/contacts", item("ana@example.com"))
    rows = [item("ana@example.com", city="Hoboken"), item("new@example.com")]
    batch_id = caller.batch(*rows, method="PUT").json()["batchID"]
    caller.advance()
    outcome = caller.get(f"/api/batches/{batch_id}/items").json()
    assert [each["responseCode"] for each in outcome["errors"]] == [404]
    assert caller.contact("ana@example.com")["city"] == "Hoboken"
    assert caller.contact("new@example.com") == {}


def test_the_last_of_two_items_of_a_person_wins(caller: Caller) -> None:
    outcome = caller.deliver(item("ana@example.com", city="Hoboken"), item("ana@example.com", city="Newark"))
    assert sorted(each["responseCode"] for each in outcome["responses"]) == [200, 201]
    assert caller.contact("ana@example.com")["city"] == "Newark"


def test_every_nth_item_can_be_made_to_fail(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.fail_items_every = 3
    simulator.vendor.settings.fail_items_code = 429
    outcome = caller.deliver(*people(7))
    assert [each["responseCode"] for each in outcome["errors"]] == [429, 429]
    lost = {each["request"]["identifiers"][0]["id"] for each in outcome["errors"]}
    assert lost == {"p2@example.com", "p5@example.com"}
    assert caller.state()["people"] == 5


def test_an_address_can_be_made_to_fail(caller: Caller) -> None:
    caller.post("/_simulator/settings", {"failing_addresses": {"p1@example.com": 503}})
    (failed,) = caller.deliver(*people(3))["errors"]
    assert (failed["request"], failed["responseCode"]) == (item("p1@example.com"), 503)
    caller.post("/_simulator/settings", {"failing_addresses": {"p1@example.com": None}})
    assert caller.deliver(*people(3))["errors"] == []


def test_a_batch_that_stops_leaves_items_without_a_word(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.stop_every = 2
    assert caller.deliver(*people(4))["status"] == "finished"
    outcome = caller.deliver(*(item(f"q{each}@example.com") for each in range(4)))
    assert (outcome["status"], outcome["totalCount"], outcome["finishedCount"]) == ("stopped", 4, 2)
    told = {each["request"]["identifiers"][0]["id"] for each in outcome["responses"]}
    assert told == {"q0@example.com", "q1@example.com"}
    assert caller.contact("q2@example.com") == {}


def test_batches_may_overtake_each_other(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.jitter_seconds = 3600
    simulator.vendor.settings.rates = {}
    batches = [caller.batch(item("ana@example.com", city=f"{number}")).json()["batchID"] for number in range(50)]
    caller.advance(1800)
    statuses = {caller.get(f"/api/batches/{each}").json()["status"] for each in batches}
    assert statuses == {"inProgress", "finished"}
    caller.advance(1801)
    assert caller.state()["batches"] == {"finished": 50}


def test_batches_are_listed_the_newest_first_and_a_page_at_a_time(caller: Caller) -> None:
    batches = [caller.batch(item(f"p{number}@example.com")).json()["batchID"] for number in range(5)]
    first = caller.get("/api/batches", endpoint="contacts", limit=2).json()
    assert first["paging"]["previous"] is None
    listed = [each["batchID"] for each in first["batches"]]
    page = first
    while page["paging"]["next"]:
        page = caller.session.get(page["paging"]["next"], timeout=20).json()
        listed += [each["batchID"] for each in page["batches"]]
    assert listed == batches[::-1]
    assert (page["paging"]["limit"], page["paging"]["offset"]) == (2, 4)
    assert caller.session.get(page["paging"]["previous"], timeout=20).json()["paging"]["offset"] == 2


def test_batches_are_found_by_status_and_day(caller: Caller) -> None:
    old = caller.batch(item("ana@example.com")).json()["batchID"]
    caller.advance(86_400)
    new = caller.batch(item("bo@example.com")).json()["batchID"]

    def found(**query: Any) -> list[str]:
        return [each["batchID"] for each in caller.get("/api/batches", endpoint="contacts", **query).json()["batches"]]

    assert found(status="finished") == [old]
    assert found(status="pending") == [new]
    assert found(dateFrom="2025-11-23") == [new]
    assert found(dateTo="2025-11-22") == [old]
    assert caller.get("/api/batches", endpoint="products").json()["batches"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "endpoint required"),
        ({"endpoint": "categories"}, "endpoint invalid_value"),
        ({"endpoint": "contacts", "limit": "251"}, "limit invalid_value"),
        ({"endpoint": "contacts", "limit": "0"}, "limit invalid_value"),
        ({"endpoint": "contacts", "offset": "-1"}, "offset invalid_value"),
        ({"endpoint": "contacts", "status": "done"}, "status invalid_value"),
        ({"endpoint": "contacts", "dateFrom": "22.11.2025"}, "dateFrom invalid_value"),
        ({"endpoint": "contacts", "page": "2"}, "page unknown"),
    ],
)
def test_a_query_for_batches_has_to_fit(caller: Caller, query: dict[str, str], field: str) -> None:
    answer = caller.get("/api/batches", **query)
    assert (answer.status_code, refused_field(answer)) == (400, field)


def test_batches_are_forgotten_after_a_week(caller: Caller) -> None:
    batch_id = caller.batch(item("ana@example.com")).json()["batchID"]
    caller.advance(7 * 86_400)
    assert caller.get(f"/api/batches/{batch_id}").status_code == 200
    caller.advance(1)
    assert caller.get(f"/api/batches/{batch_id}").status_code == 404
    assert caller.get(f"/api/batches/{batch_id}/items").status_code == 404
    assert caller.get("/api/batches", endpoint="contacts").json()["batches"] == []
    assert caller.get("/api/batches/6921a0cf10cf217478ba9356").status_code == 404


def test_people_may_be_seen_only_some_time_after_their_batch(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.visible_seconds = 30
    (response,) = caller.deliver(item("ana@example.com"))["responses"]
    path = f"/api/contacts/{response['response']['contactID']}"
    assert caller.contact("ana@example.com") == {}
    assert caller.get(path).status_code == 404
    assert caller.deliver(item("ana@example.com", city="Hoboken"))["responses"][0]["responseCode"] == 200
    assert caller.get("/api/contacts").json()["contacts"] == []
    caller.advance(30)
    assert len(caller.get("/api/contacts").json()["contacts"]) == 1
    assert caller.contact("ana@example.com")["city"] == "Hoboken"
    assert caller.get(path).status_code == 200
