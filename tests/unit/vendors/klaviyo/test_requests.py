"""What goes out to Klaviyo, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.mailbox import normalised
from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from shared.vendors.klaviyo import requests
from shared.vendors.klaviyo.definition import MOST_FILTER

CASES = json.loads((Path(__file__).parent / "cases" / "requests.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_imports(case: dict[str, Any]) -> None:
    rows = [Row(*row) for row in case["rows"]]
    people = [
        requests.person(row, normalised(row.address), case.get("dates", ()), case.get("without", ())) for row in rows
    ]
    request = requests.import_people(Kind(case["kind"]), "Y6nRLr", people)
    assert (request.method, request.path) == ("POST", "/api/profile-bulk-import-jobs")
    data = json.loads(request.body or b"")["data"]
    assert data["type"] == "profile-bulk-import-job"
    assert [each["type"] for each in data["attributes"]["profiles"]["data"]] == ["profile"] * len(rows)
    assert [each["attributes"] for each in data["attributes"]["profiles"]["data"]] == case["people"]
    named = data.get("relationships", {}).get("lists", {}).get("data", [])
    assert [each["id"] for each in named] == case.get("lists", [])


def test_an_import_is_not_repeated_blindly_since_two_may_drop_each_others_rows() -> None:
    assert not requests.import_people(Kind.ADD, "Y6nRLr", ()).idempotent


def test_numbers_go_in_digit_by_digit() -> None:
    row = Row("ana@example.com", '{"A":1.0000000000000000001,"B":123456789012345678901234567890}')
    sent = requests.person(row, "ana@example.com")
    assert b'"A":1.0000000000000000001' in sent
    assert b'"B":123456789012345678901234567890' in sent


def test_a_removal_names_people_by_their_ids_and_one_list() -> None:
    request = requests.remove("Y6nRLr", ["01GD1", "01GD2"])
    assert (request.method, request.path) == ("DELETE", "/api/lists/Y6nRLr/relationships/profiles")
    named = [{"type": "profile", "id": "01GD1"}, {"type": "profile", "id": "01GD2"}]
    assert json.loads(request.body or b"") == {"data": named}
    assert request.idempotent  # who is off the list stays off


def test_making_a_list_is_not_repeated_blindly_and_says_nothing_of_opting_in() -> None:
    request = requests.create_list("Loyal customers")
    assert (request.path, request.idempotent) == ("/api/lists", False)
    assert json.loads(request.body or b"") == {"data": {"type": "list", "attributes": {"name": "Loyal customers"}}}


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (requests.lists("Loyal customers"), 'any(name,["Loyal customers"])'),
        (requests.profiles("email", ["a@x.example", "o'b@x.example"]), 'any(email,["a@x.example","o\'b@x.example"])'),
        (requests.profiles("id", ["01GD1"]), 'any(id,["01GD1"])'),
        (requests.members_named("Y6nRLr", ["ana@x.example"]), 'any(email,["ana@x.example"])'),
        (
            requests.unsubscribed("Y6nRLr"),
            'equals(subscriptions.email.marketing.list_suppressions.list_id,"Y6nRLr")',
        ),
    ],
)
def test_filters(request_: Request, wanted: str) -> None:
    assert request_.query["filter"] == wanted
    assert "example" not in repr(request_)


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "line\nend"])
def test_what_a_filter_may_not_hold_is_not_filtered_by(name: str) -> None:
    assert "filter" not in requests.lists(name).query


def test_pages_are_as_long_as_they_may_be() -> None:
    asked = [requests.members("L"), requests.profiles("id", ["a"]), requests.jobs(), requests.import_errors("j")]
    assert {each.query["page[size]"] for each in asked} == {"100"}
    assert requests.lists().query == {"page[size]": "10"}


def test_a_next_page_is_the_same_question_with_a_cursor() -> None:
    first = requests.members("Y6nRLr")
    following = requests.next_page(first, "bmV4")
    assert (following.path, following.endpoint) == (first.path, first.endpoint)
    assert following.query == {**first.query, "page[cursor]": "bmV4"}


def test_ids_are_escaped_in_paths() -> None:
    assert requests.job("QWJ/D..").path == "/api/profile-bulk-import-jobs/QWJ%2FD.."
    assert requests.list_by_id("a/b").path == "/api/lists/a%2Fb"


def test_people_are_asked_for_a_hundred_at_once_and_in_no_longer_an_address_than_may_be() -> None:
    short = [f"p{n}@x.example" for n in range(250)]
    assert [len(group) for group in requests.in_filters(short)] == [100, 100, 50]
    long = [f"{n:03}{'x' * 90}@x.example" for n in range(100)]
    groups = list(requests.in_filters(long))
    assert [each for group in groups for each in group] == long
    assert all(len(requests.profiles("email", group).target) < MOST_FILTER + 200 for group in groups)
    assert len(groups) == 2
