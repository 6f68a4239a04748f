"""What goes out to Campaign Monitor, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.vendors.answers import Request
from shared.vendors.campaign_monitor import requests
from shared.vendors.campaign_monitor.definition import LONGEST
from shared.vendors.campaign_monitor.people import Notes, Shape, entry
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.contract import Row

CASES = json.loads((Path(__file__).parent / "cases" / "people.json").read_text(encoding="utf-8"))
FIELDS = {
    name: ListField(name, name.replace(" ", ""), kind)
    for name, kind in {
        "First name": "Text",
        "Points": "Number",
        "Rate": "Number",
        "Member": "Text",
        "Born": "Date",
        "Joined": "Date",
        "Likes": "MultiSelectMany",
        "Country": "Country",
    }.items()
}


def made(values: dict[str, Any], consent: str = "Unchanged", **how: bool) -> tuple[dict[str, Any], list[str]]:
    notes: Notes = {}
    row = Row("ana@example.com", json.dumps(values))
    return json.loads(entry(row, Shape(FIELDS, consent), notes, **how)), list(notes)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_people_of_an_import(case: dict[str, Any]) -> None:
    person, notes = made(case["values"], case.get("consent", "Unchanged"))
    assert person == {"EmailAddress": "ana@example.com"} | case["person"]
    assert notes == case.get("notes", [])


@pytest.mark.parametrize("field", ["Name", "First name", "Likes"])
def test_long_values_are_cut_and_said(field: str) -> None:
    person, notes = made({field: "ł" * (LONGEST + 1)})
    value = person["Name"] if field == "Name" else person["CustomFields"][0]["Value"]
    assert value == "ł" * LONGEST
    assert notes == [f"Values of {field} were cut to 250 characters."]
    assert made({field: "ł" * LONGEST})[1] == []


def test_a_person_without_their_mobile_number() -> None:
    person, _ = made({"Name": "Ana", "MobileNumber": "+441632960000"}, mobile=False)
    assert person == {"EmailAddress": "ana@example.com", "Name": "Ana", "ConsentToTrack": "Unchanged"}


@pytest.mark.parametrize("resubscribe", [False, True])
def test_an_import_starts_no_automation(resubscribe: bool) -> None:
    people = [entry(Row(f"{name}@example.com"), Shape(), {}) for name in "ab"]
    request = requests.imported("l 1", people, resubscribe=resubscribe)
    path = "/api/v3.3/subscribers/l%201/import.json"
    assert (request.method, request.path, request.idempotent) == ("POST", path, False)
    assert json.loads(request.body or b"") == {
        "Subscribers": [{"EmailAddress": f"{name}@example.com", "ConsentToTrack": "Unchanged"} for name in "ab"],
        "Resubscribe": resubscribe,
        "QueueSubscriptionBasedAutoResponders": False,
        "RestartSubscriptionBasedAutoresponders": False,
    }


def test_a_removal_deletes_from_one_list_and_hides_the_address() -> None:
    request = requests.removed("l1", "ana+news@example.com")
    assert (request.method, request.path, request.idempotent) == ("DELETE", "/api/v3.3/subscribers/l1.json", True)
    assert request.query == {"email": "ana+news@example.com"}
    assert "ana" not in repr(request)


@pytest.mark.parametrize(
    ("request_", "path", "query"),
    [
        (requests.clients(), "/clients.json", {}),
        (requests.lists("c1"), "/clients/c1/lists.json", {}),
        (requests.details("l1"), "/lists/l1.json", {}),
        (requests.fields("l1"), "/lists/l1/customfields.json", {}),
        (requests.stats("l1"), "/lists/l1/stats.json", {}),
        (
            requests.person("l1", "ana@example.com"),
            "/subscribers/l1.json",
            {"email": "ana@example.com", "includetrackingpreference": "true"},
        ),
        (
            requests.people("l1", "active", 2),
            "/lists/l1/active.json",
            {"date": "", "page": "2", "pagesize": "1000", "orderfield": "email", "orderdirection": "asc"},
        ),
        (
            requests.newest("l1", "bounced", 1),
            "/lists/l1/bounced.json",
            {"date": "", "page": "1", "pagesize": "1000", "orderfield": "date", "orderdirection": "desc"},
        ),
        (
            requests.suppressed("c1", 3),
            "/clients/c1/suppressionlist.json",
            {"page": "3", "pagesize": "1000", "orderfield": "date", "orderdirection": "desc"},
        ),
    ],
)
def test_questions(request_: Request, path: str, query: dict[str, str]) -> None:
    assert (request_.method, request_.path, request_.query) == ("GET", f"/api/v3.3{path}", query)


def test_a_new_list_asks_nobody_to_confirm_and_keeps_the_clients_suppressions() -> None:
    request = requests.create_list("c1", "Loyal ä")
    assert (request.method, request.path, request.idempotent) == ("POST", "/api/v3.3/lists/c1.json", False)
    assert json.loads(request.body or b"") == {
        "Title": "Loyal ä",
        "UnsubscribePage": "",
        "UnsubscribeSetting": "AllClientLists",
        "ConfirmedOptIn": False,
        "ConfirmationSuccessPage": "",
    }


def test_a_new_field_is_not_shown_to_subscribers() -> None:
    request = requests.create_field("l1", "Post code", "Text")
    assert (request.method, request.path) == ("POST", "/api/v3.3/lists/l1/customfields.json")
    assert json.loads(request.body or b"") == {
        "FieldName": "Post code",
        "DataType": "Text",
        "Options": [],
        "VisibleInPreferenceCenter": False,
    }
