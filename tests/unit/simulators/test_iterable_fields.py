"""Iterable: values and the types of fields (contract section 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import Iterable
from tests.unit.simulators.conftest import Caller


def fields(caller: Caller, address: str = "ana@example.com") -> dict[str, Any]:
    """A person's own fields, without those that the vendor adds."""
    (member,) = [one for one in _members(caller) if one["address"] == address]
    found: dict[str, Any] = member["dataFields"]
    return found


def _members(caller: Caller) -> list[dict[str, Any]]:
    text = caller.get("/_simulator/lists/4411201/members").text
    return [json.loads(line) for line in text.splitlines()]


def write(caller: Caller, address: str = "ana@example.com", merge: bool = False, **values: Any) -> Any:
    row = {"email": address, "dataFields": values, "mergeNestedObjects": merge}
    return caller.subscribe(4411201, row).json()


@pytest.fixture(autouse=True)
def _list(caller: Caller) -> None:
    assert caller.create_list() == 4411201


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("07030", "string"),
        ("2026-11-22", "date"),
        ("2026-11-22 10:00:00", "date"),
        ("2026-11-22 10:00:00 +00:00", "date"),
        ("2026-11-22T10:00:00.123Z", "date"),
        ("2026-11-22 or so", "string"),
        ("2026-13-45", "string"),
        (7, "long"),
        (7.5, "double"),
        (True, "boolean"),
        ([1, 2], "long"),
        (["a"], "string"),
        ({"street": "River"}, "object"),
    ],
)
def test_the_first_value_gives_a_field_its_type(caller: Caller, value: Any, kind: str) -> None:
    assert "field" in write(caller, field=value)["createdFields"]
    assert caller.get("/api/users/getFields").json()["fields"]["field"] == kind
    assert fields(caller)["field"] == value


def test_what_is_inside_an_object_has_a_type_and_a_dotted_name(caller: Caller) -> None:
    assert write(caller, home={"street": "River", "number": 1})["createdFields"] == [
        "home",
        "home.number",
        "home.street",
    ]
    known = caller.get("/api/users/getFields").json()["fields"]
    assert (known["home.street"], known["home.number"]) == ("string", "long")


def test_a_place_is_a_type_of_its_own(caller: Caller) -> None:
    assert write(caller, shop_geo_location={"lat": 40.7, "lon": -74.0})["createdFields"] == ["shop_geo_location"]
    assert caller.get("/api/users/getFields").json()["fields"]["shop_geo_location"] == "geo_location"


@pytest.mark.parametrize("value", [None, []])
def test_a_value_without_a_type_creates_no_field(caller: Caller, value: Any) -> None:
    assert write(caller, field=value)["createdFields"] == []


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [
        ("text", "2026-11-22", True),
        ("2026-11-22", "text", False),
        ("07030", 7030, False),
        (7030, "07030", False),
        (7, 7.5, False),
        (7.5, 7, True),
        (True, "true", False),
        (True, 1, False),
        ("a", ["a", "b"], True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, "a", False),
        ("text", None, True),
    ],
)
def test_later_values_must_be_of_that_type(caller: Caller, first: Any, second: Any, fits: bool) -> None:
    write(caller, field=first)
    answer = write(caller, address="bo@example.com", field=second)
    assert answer["failedUpdates"]["invalidDataEmails"] == ([] if fits else ["bo@example.com"])
    assert answer["successCount"] == (1 if fits else 0)


def test_a_row_of_another_type_leaves_the_rest_of_its_batch_alone(caller: Caller) -> None:
    write(caller, signupDay="2026-11-22")
    rows = [
        {"email": "Bo@example.com", "dataFields": {"signupDay": "GGG", "other": 1}},
        {"email": "cy@example.com", "dataFields": {"signupDay": "2026-11-23"}},
    ]
    answer = caller.subscribe(4411201, *rows).json()
    assert (answer["successCount"], answer["failCount"]) == (1, 1)
    assert answer["failedUpdates"]["invalidDataEmails"] == ["bo@example.com"]
    assert answer["createdFields"] == []
    assert caller.members(4411201) == ["ana@example.com", "cy@example.com"]


def test_the_whole_batch_can_be_refused_instead(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.type_mismatch = "batch"
    write(caller, signupDay="2026-11-22")
    rows = [
        {"email": "bo@example.com", "dataFields": {"signupDay": "GGG"}},
        {"email": "cy@example.com", "dataFields": {"signupDay": "2026-11-23", "other": 1}},
    ]
    answer = caller.subscribe(4411201, *rows)
    assert answer.status_code == 400
    assert answer.json() == {
        "msg": "Project 10216: The request does not have the same data types as the data previously submitted. "
        "Field 'signupDay' already exists for type 'user' and has a data type of 'date' but possible types "
        "'string, keyword' in the request.",
        "code": "RequestFieldsTypesMismatched",
        "params": {
            "validationErrors": {
                "signupDay": {
                    "incomingTypes": ["string", "keyword"],
                    "expectedType": "date",
                    "_type": "UnexpectedType",
                    "offendingValue": "GGG",
                    "category": "user",
                }
            }
        },
    }
    assert caller.members(4411201) == ["ana@example.com"]
    assert "other" not in caller.get("/api/users/getFields").json()["fields"]


def test_within_one_batch_the_first_row_gives_the_type(caller: Caller) -> None:
    rows = [{"email": f"{name}@example.com", "dataFields": {"n": n}} for name, n in (("a", 1), ("b", "x"), ("c", 2))]
    answer = caller.subscribe(4411201, *rows).json()
    assert answer["failedUpdates"]["invalidDataEmails"] == ["b@example.com"]


def test_names_of_fields_are_told_apart_by_case_and_spaces(caller: Caller) -> None:
    row = {"email": "ana@example.com", "dataFields": {"City": "a", "city": 1, "city ": True}}
    assert caller.subscribe(4411201, row).json()["createdFields"] == ["City", "city", "city "]


def test_values_are_kept_unless_sent_and_cleared_by_null(caller: Caller) -> None:
    write(caller, city="Hoboken", state="NJ", country="US")
    write(caller, city="Newark", state=None)
    assert fields(caller) == {"city": "Newark", "country": "US"}


def test_an_object_is_overwritten_unless_merged(caller: Caller) -> None:
    write(caller, settings={"mobile": True, "email": False})
    write(caller, merge=True, settings={"email": True})
    assert fields(caller)["settings"] == {"mobile": True, "email": True}
    write(caller, settings={"email": False})
    assert fields(caller)["settings"] == {"email": False}


def test_unknown_fields_are_dropped_where_the_project_says_so(simulator: Simulator[Iterable], caller: Caller) -> None:
    write(caller, city="Hoboken", home={"street": "River"})
    simulator.vendor.settings.drop_unknown_fields = True
    answer = write(caller, city="Newark", new="x", home={"street": "Lake", "floor": 2})
    assert answer["filteredOutFields"] == ["home.floor", "new"]
    assert (answer["createdFields"], answer["successCount"]) == ([], 1)
    assert fields(caller) == {"city": "Newark", "home": {"street": "Lake"}}


@pytest.mark.parametrize(("drops", "asked", "created"), [(True, True, ["new"]), (False, False, [])])
def test_a_bulk_update_may_decide_on_new_fields_itself(
    simulator: Simulator[Iterable], caller: Caller, drops: bool, asked: bool, created: list[str]
) -> None:
    simulator.vendor.settings.drop_unknown_fields = drops
    row = {"email": "ana@example.com", "dataFields": {"new": "x"}}
    answer = caller.bulk_update(row, createNewFields=asked).json()
    assert (answer["createdFields"], answer["filteredOutFields"]) == (created, [] if created else ["new"])


def test_a_value_that_is_too_long_is_invalid_data(caller: Caller) -> None:
    write(caller, note="x")
    assert write(caller, note="x" * 32_001)["failedUpdates"]["invalidDataEmails"] == ["ana@example.com"]
    assert write(caller, note="x" * 32_000)["successCount"] == 1


def test_a_project_takes_so_many_fields_and_no_more(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.unique_fields = len(simulator.vendor.project().types) + 1
    assert write(caller, one=1)["successCount"] == 1
    assert write(caller, two=2)["code"] == "UniqueFieldsLimitExceeded"
    assert fields(caller) == {"one": 1}
