"""Omnisend: tags on and off, in bulk and with a contact (contract section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.omnisend import Omnisend
from tests.unit.simulators.omnisend.conftest import Caller, item


@pytest.fixture(autouse=True)
def people(caller: Caller) -> list[str]:
    """The ids of ana and bo, who are there from the start."""
    return [caller.post("/api/contacts", item(f"{name}@example.com")).json()["id"] for name in ("ana", "bo")]


def test_tags_are_accepted_at_once_and_set_later(caller: Caller) -> None:
    answer = caller.tag(["loyal", "ci"], emails=["ana@example.com", "bo@example.com"])
    assert (answer.status_code, answer.content) == (202, b"")
    assert caller.members("loyal") == []
    caller.advance()
    assert caller.members("loyal") == ["ana@example.com", "bo@example.com"]
    assert caller.contact("ana@example.com")["tags"] == ["loyal", "ci"]


def test_a_tag_is_taken_off_whom_it_is_asked_for(caller: Caller) -> None:
    caller.tag(["loyal", "ci"], emails=["ana@example.com", "bo@example.com"])
    caller.advance()
    answer = caller.untag(["loyal"], emails=["ana@example.com"])
    assert (answer.status_code, answer.content) == (202, b"")
    assert "loyal" in caller.contact("ana@example.com")["tags"]
    caller.advance()
    assert caller.contact("ana@example.com")["tags"] == ["ci"]
    assert caller.members("loyal") == ["bo@example.com"]


def test_who_is_not_there_is_passed_over(caller: Caller) -> None:
    caller.batch(item("new@example.com"))
    caller.tag(["loyal"], emails=["new@example.com", "ana@example.com", "nobody@example.com"])
    caller.advance()
    assert caller.contact("new@example.com")["tags"] == []
    assert caller.members("loyal") == ["ana@example.com"]
    assert caller.state()["selected_nobody"] == 2


def test_people_may_be_looked_for_when_the_tags_are_set(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.tag_selects = "when_applied"
    simulator.vendor.settings.tag_seconds = 0.5
    caller.batch(item("new@example.com"))
    caller.tag(["loyal"], emails=["new@example.com"])
    caller.advance()
    assert caller.members("loyal") == ["new@example.com"]


def test_who_cannot_be_seen_yet_cannot_be_tagged(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.visible_seconds = 10
    caller.deliver(item("new@example.com"))
    caller.tag(["loyal"], emails=["new@example.com"])
    caller.advance(20)
    assert caller.members("loyal") == []
    caller.tag(["loyal"], emails=["new@example.com"])
    caller.advance()
    assert caller.members("loyal") == ["new@example.com"]


def test_selectors_add_up_and_count_each_person_once(caller: Caller, people: list[str]) -> None:
    phone = {"type": "phone", "id": "+37060000000", "sendWelcomeMessage": False}
    caller.post("/api/contacts", {"identifiers": [*item("cy@example.com")["identifiers"], phone]})
    caller.tag(["loyal"], emails=["ana@example.com"], contactIDs=people, phones=["+37060000000"])
    caller.advance()
    assert caller.members("loyal") == ["ana@example.com", "bo@example.com", "cy@example.com"]
    caller.untag(["loyal"], contactIDs=people[:1], phones=["+37060000000"])
    caller.advance()
    assert caller.members("loyal") == ["bo@example.com"]


def test_a_segment_selects_whoever_is_in_it(caller: Caller) -> None:
    caller.tag(["loyal"], emails=["ana@example.com"])
    filters = [{"property": "tags", "operator": "anyOf", "value": ["loyal"]}]
    groups = [{"conditions": [{"entity": "contact", "junction": "and", "filters": filters}]}]
    segment_id = caller.post("/api/segments", {"name": "Loyal", "conditionGroups": groups}).json()["segmentID"]
    caller.advance()
    caller.untag(["loyal"], segmentID=segment_id)
    caller.advance()
    assert caller.members("loyal") == []


@pytest.mark.parametrize(
    "body",
    [
        {"emails": ["ana@example.com"]},
        {"tags": [], "emails": ["ana@example.com"]},
        {"tags": "loyal", "emails": ["ana@example.com"]},
        {"tags": [7], "emails": ["ana@example.com"]},
        {"tags": [f"t{number}" for number in range(101)], "emails": ["ana@example.com"]},
        {"tags": ["loyal"]},
        {"tags": ["loyal"], "emails": []},
        {"tags": ["loyal"], "emails": "ana@example.com"},
        {"tags": ["loyal"], "emails": [None]},
        {"tags": ["loyal"], "emails": ["ana@example.com"] * 251},
        {"tags": ["loyal"], "contactIDs": ["60a6170920d91c215e949b5c"] * 251},
        {"tags": ["loyal"], "contactIDs": ["ana@example.com"]},
        {"tags": ["loyal"], "segmentID": "60a6170920d91c215e949b5c"},
        {"tags": ["loyal"], "segmentID": []},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_call_of_the_wrong_shape_is_refused_whole(caller: Caller, method: str, body: dict[str, Any]) -> None:
    answer = caller.call(method, "/api/contacts/tags", body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "https://problems.omnisend.com/validation-failed"
    caller.advance()
    assert caller.state()["lists"] == []


def test_250_of_each_kind_fit_in_a_call(caller: Caller, people: list[str]) -> None:
    addresses = [f"p{number}@example.com" for number in range(249)]
    answer = caller.tag(["loyal"], emails=["ana@example.com", *addresses], contactIDs=people[1:] * 250)
    assert answer.status_code == 202
    caller.advance()
    assert caller.members("loyal") == ["ana@example.com", "bo@example.com"]


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ("Loyal_customers - 2026", 202),
        ("x" * 128, 202),
        ("x" * 129, 400),
        ("", 400),
        ("  ", 400),
        ("source: dynamics", 400),
        ("größe", 400),
        ("a/b", 400),
        ("a\n", 400),
    ],
)
def test_a_tag_is_of_letters_digits_spaces_and_dashes(caller: Caller, tag: str, status: int) -> None:
    assert caller.tag([tag], emails=["ana@example.com"]).status_code == status
    assert caller.post("/api/contacts", item("ana@example.com", tags=[tag])).status_code == (
        200 if status == 202 else 400
    )


def test_other_letters_can_be_allowed(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.tag_characters = "any"
    caller.tag(["source: größe"], emails=["ana@example.com"])
    caller.advance()
    assert caller.members("source: größe") == ["ana@example.com"]


def test_capital_letters_make_another_tag_unless_switched_off(simulator: Simulator[Omnisend], caller: Caller) -> None:
    caller.tag(["Loyal"], emails=["ana@example.com"])
    caller.advance()
    caller.untag(["loyal"], emails=["ana@example.com"])
    caller.advance()
    assert (caller.members("Loyal"), caller.members("loyal")) == (["ana@example.com"], [])
    simulator.vendor.settings.tag_case = "insensitive"
    caller.tag(["Gone"], emails=["ana@example.com", "bo@example.com"])
    caller.advance()
    assert caller.contact("bo@example.com")["tags"] == ["gone"]
    caller.untag(["GONE"], emails=["ana@example.com"])
    caller.advance()
    assert caller.members("Gone") == ["bo@example.com"]


@pytest.mark.parametrize(("rule", "tags", "lost"), [("replace", ["new"], 2), ("merge", ["a", "b", "new"], 0)])
def test_tags_of_an_upsert_replace_or_join_those_that_are_there(
    simulator: Simulator[Omnisend], caller: Caller, rule: Any, tags: list[str], lost: int
) -> None:
    simulator.vendor.settings.upsert_tags = rule
    caller.deliver(item("ana@example.com", tags=["a", "b"]))
    caller.deliver(item("ana@example.com", city="Hoboken"))
    caller.deliver(item("ana@example.com", tags=["new"]))
    assert caller.contact("ana@example.com")["tags"] == tags
    assert caller.members("a") == (["ana@example.com"] if "a" in tags else [])
    assert caller.state()["tags_overwritten"] == lost


def test_a_contact_keeps_so_many_tags_and_no_more(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.vendor.settings.most_stored_tags = 3
    caller.tag(["a", "b", "c", "d"], emails=["ana@example.com"])
    caller.advance()
    assert caller.contact("ana@example.com")["tags"] == ["a", "b", "c"]
    assert caller.state()["stored_tags_full"] == 1


def test_a_tag_changes_when_a_contact_was_updated_only_where_it_changes_something(caller: Caller) -> None:
    caller.advance(60)
    caller.tag(["loyal"], emails=["ana@example.com"])
    caller.untag(["loyal"], emails=["bo@example.com"])
    caller.advance()
    assert caller.contact("ana@example.com")["updatedAt"] == "2025-11-22T10:01:00Z"
    assert caller.contact("bo@example.com")["updatedAt"] == "2025-11-22T10:00:00Z"
