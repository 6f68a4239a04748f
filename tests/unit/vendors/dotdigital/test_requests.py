"""What goes out to Dotdigital, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from shared.vendors.dotdigital import requests
from shared.vendors.dotdigital.requests import told

CASES = json.loads((Path(__file__).parent / "cases" / "requests.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_imports(case: dict[str, Any]) -> None:
    rows = [Row(*row) for row in case["rows"]]
    said = [told(row.values, case.get("dates", [])) for row in rows]
    people = [requests.person(Kind(case["kind"]), "345579", row, each) for row, each in zip(rows, said, strict=True)]
    request = requests.import_people(people)
    assert (request.method, request.path, request.idempotent) == ("PUT", "/contacts/v3/import", True)
    assert json.loads(request.body or b"") == case["body"]
    assert sum(each.odd for each in said) == case.get("odd", 0)


def test_the_plans_json_goes_in_as_it_is() -> None:
    odd = '{"A": 1.0000000000000000001,  "B":1e400}'
    assert odd.encode() in requests.person(Kind.ADD, "1", Row("ana@example.com"), told(odd, []))


def test_a_removal_is_a_bare_array_of_ids_for_one_list() -> None:
    request = requests.remove("345579", [35212311, 35210001])
    assert (request.method, request.path) == ("POST", "/v2/address-books/345579/contacts/delete")
    assert json.loads(request.body or b"") == [35212311, 35210001]


def test_making_a_list_is_not_repeated_blindly_and_it_is_private() -> None:
    request = requests.create_list("Loyal customers")
    assert (request.method, request.path, request.idempotent) == ("POST", "/v2/address-books", False)
    assert json.loads(request.body or b"") == {"name": "Loyal customers", "visibility": "Private"}


def test_an_address_in_a_path_is_escaped_and_never_shown() -> None:
    request = requests.contact("o'brien+a/b@example.com")
    assert request.path == "/contacts/v3/email/o%27brien%2Ba%2Fb%40example.com"
    assert "brien" not in repr(request)


def test_members_are_asked_for_by_list_and_marker() -> None:
    assert requests.members("345579", None).query == {"~listId": "345579", "limit": "5000"}
    assert requests.members("345579", "MzU=").query["marker"] == "MzU="


@pytest.mark.parametrize(
    ("question", "target"),
    [
        (requests.account_info(), "/v2/account-info"),
        (requests.probe(), "/contacts/v3?limit=1"),
        (requests.lists(0), "/v2/address-books?select=1000&skip=0"),
        (requests.list_by_id("345579"), "/v2/address-books/345579"),
        (requests.fields(), "/v2/data-fields"),
        (
            requests.unsubscribed("345579", 999),
            "/v2/address-books/345579/contacts/unsubscribed-since/2000-01-01?select=1000&skip=999",
        ),
        (requests.members("345579", None), "/contacts/v3?~listId=345579&limit=5000"),
        (requests.members("345579", "MzU="), "/contacts/v3?~listId=345579&limit=5000&marker=MzU%3D"),
        (requests.contact("ana@example.com"), "/contacts/v3/email/ana%40example.com"),
        (requests.import_status("a/b"), "/contacts/v3/import/a%2Fb"),
        (requests.removal_status("a/b"), "/v2/contacts/deletion/a%2Fb"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_questions_are_gets_without_a_body(question: Request, target: str) -> None:
    assert (question.method, question.target, question.body, question.idempotent) == ("GET", target, None, True)


def test_a_field_of_ours_is_private_and_may_be_made_twice() -> None:
    request = requests.create_field("TIER", "Numeric")
    assert (request.method, request.path, request.idempotent) == ("POST", "/v2/data-fields", True)
    assert json.loads(request.body or b"") == {"name": "TIER", "type": "Numeric", "visibility": "Private"}
