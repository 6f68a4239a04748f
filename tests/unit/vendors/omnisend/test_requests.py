"""A person as Omnisend takes them, from a table of cases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row
from shared.vendors.omnisend import requests
from shared.vendors.omnisend.definition import CUSTOM_NAME, DEFINITION
from shared.vendors.omnisend.requests import person

CASES = json.loads((Path(__file__).parent / "cases" / "people.json").read_text(encoding="utf-8"))
NOW = "2026-11-22T10:00:00Z"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_people(case: dict[str, Any]) -> None:
    values, entry = dict(case["values"]), dict(case["entry"])
    made = person(Row("ana@example.com", json.dumps(values), returning=case.get("returning", False)), NOW)
    identifier = {"type": "email", "id": "ana@example.com", "sendWelcomeMessage": False}
    if since := case.get("since"):
        identifier["channels"] = {"email": {"status": "subscribed", "statusChangedAt": since}}
        identifier["consent"] = {"source": "segment-exports", "createdAt": since}
    assert json.loads(made.entry) == {"identifiers": [identifier], **entry}
    assert len(made.warnings) == case.get("warnings", 0)


def test_every_field_of_the_definition_is_omnisends_own() -> None:
    for each in DEFINITION.fields:
        value = "2020-01-01" if each.type == "date" else "m"
        entry = json.loads(person(Row("ana@example.com", json.dumps({each.name: value})), NOW).entry)
        assert "customProperties" not in entry or each.name == "email"


def test_an_odd_address_survives() -> None:
    entry = json.loads(person(Row('o\'brien+"x"@example.com'), NOW).entry)
    assert entry["identifiers"][0]["id"] == 'o\'brien+"x"@example.com'


@pytest.mark.parametrize(
    ("name", "fits"), [("loyalty_tier", True), ("Größe", False), ("a b", False), ("x" * 129, False)]
)
def test_names_of_custom_properties(name: str, fits: bool) -> None:
    assert bool(re.fullmatch(CUSTOM_NAME, name)) is fits


OLDEST_FIRST = "sort=createdAt&direction=asc"


@pytest.mark.parametrize(
    ("question", "target"),
    [
        (requests.brand(), "/api/brands/current"),
        (requests.any_contact(), "/api/contacts?limit=1"),
        (requests.contact("ana+1@example.com"), "/api/contacts?email=ana%2B1%40example.com&limit=1"),
        (requests.tagged("loyal"), f"/api/contacts?tag=loyal&limit=250&{OLDEST_FIRST}"),
        (requests.tagged("loyal", "MzU=", 1), f"/api/contacts?tag=loyal&limit=1&{OLDEST_FIRST}&after=MzU%3D"),
        (requests.unsubscribed(), f"/api/contacts?status=unsubscribed&limit=250&{OLDEST_FIRST}"),
        (requests.unsubscribed("a"), f"/api/contacts?status=unsubscribed&limit=250&{OLDEST_FIRST}&after=a"),
        (requests.any_batch(), "/api/batches?endpoint=contacts&limit=1"),
        (requests.batches(None, 0), "/api/batches?endpoint=contacts&limit=250&offset=0"),
        (requests.batches("pending", 250), "/api/batches?endpoint=contacts&limit=250&offset=250&status=pending"),
        (requests.batch("b1"), "/api/batches/b1"),
        (requests.items("b1"), "/api/batches/b1/items"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_questions_are_gets_without_a_body(question: Request, target: str) -> None:
    assert (question.method, question.target, question.body, question.idempotent) == ("GET", target, None, True)


def test_contacts_are_created_or_updated_so_that_twice_is_as_good_as_once() -> None:
    request = requests.create_batch([b'{"a":1}', b'{"b":2}'])
    assert (request.method, request.path, request.idempotent) == ("POST", "/api/batches", True)
    body = {"method": "POST", "endpoint": "contacts", "origin": "segment-exports", "items": [{"a": 1}, {"b": 2}]}
    assert json.loads(request.body or b"") == body


@pytest.mark.parametrize(("kind", "method"), [(Kind.ADD, "POST"), (Kind.REMOVE, "DELETE")])
def test_a_tag_is_put_on_newcomers_and_taken_off_leavers(kind: Kind, method: str) -> None:
    request = requests.tag(kind, "loyal", ["ana@example.com"])
    assert (request.method, request.path, request.idempotent) == (method, "/api/contacts/tags", True)
    assert json.loads(request.body or b"") == {"tags": ["loyal"], "emails": ["ana@example.com"]}
