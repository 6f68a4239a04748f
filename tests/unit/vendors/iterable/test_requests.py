"""What goes out to Iterable, from a table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from shared.vendors.iterable import requests

CASES = json.loads((Path(__file__).parent / "cases" / "requests.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_bulk_requests(case: dict[str, Any]) -> None:
    kind = Kind(case["kind"])
    people = [requests.person(kind, Row(*row)) for row in case["rows"]]
    request = requests.bulk(kind, "4411201", people)
    assert (request.method, request.path, request.idempotent) == ("POST", case["path"], True)
    assert json.loads(request.body or b"") == case["body"]


def test_the_plans_json_goes_in_as_it_is() -> None:
    odd = '{"a": 1.0000000000000000001,  "b":1e400}'
    assert odd.encode() in requests.person(Kind.ADD, Row("ana@example.com", odd))


def test_making_a_list_is_not_repeated_blindly() -> None:
    request = requests.create_list("Loyal customers")
    assert (request.method, request.path, request.idempotent) == ("POST", "/api/lists", False)
    assert json.loads(request.body or b"") == {"name": "Loyal customers"}


@pytest.mark.parametrize(
    ("question", "target"),
    [
        (requests.lists(), "/api/lists"),
        (requests.members("4411201"), "/api/lists/getUsers?listId=4411201"),
        (requests.size("4411201"), "/api/lists/4411201/size"),
        (requests.profile("ana+1@example.com"), "/api/users/getByEmail?email=ana%2B1%40example.com"),
        (requests.fields(), "/api/users/getFields"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_questions_are_gets_without_a_body(question: Request, target: str) -> None:
    assert (question.method, question.target, question.body, question.idempotent) == ("GET", target, None, True)


def test_a_field_is_made_by_profiles_alone_so_that_nothing_that_waits_for_the_list_starts() -> None:
    request = requests.profiles([(Row("ana@example.com", '{"city":"Ulm"}'), {"note": "text"})])
    assert (request.method, request.path) == ("POST", "/api/users/bulkUpdate")
    assert json.loads(request.body or b"") == {"users": [{"email": "ana@example.com", "dataFields": {"note": "text"}}]}
