"""What goes out to Dotdigital, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
    assert (request.path, request.idempotent) == ("/v2/address-books", False)
    assert json.loads(request.body or b"") == {"name": "Loyal customers", "visibility": "Private"}


def test_an_address_in_a_path_is_escaped_and_never_shown() -> None:
    request = requests.contact("o'brien+a/b@example.com")
    assert request.path == "/contacts/v3/email/o%27brien%2Ba%2Fb%40example.com"
    assert "brien" not in repr(request)


def test_members_are_asked_for_by_list_and_marker() -> None:
    assert requests.members("345579", None).query == {"~listId": "345579", "limit": "5000"}
    assert requests.members("345579", "MzU=").query["marker"] == "MzU="
