"""A person as Omnisend takes them, from a table of cases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.vendors.contract import Row
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
