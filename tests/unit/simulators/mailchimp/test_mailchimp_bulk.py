"""Mailchimp: 500 members in a call, and what merge fields take (contract sections 4a and 7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulators.mailchimp.conftest import LIST, Caller, member, problem, row

ANA = "ana@example.com"


def test_new_people_are_made_and_told_whole(caller: Caller) -> None:
    answer = caller.bulk(row(ANA, "transactional", FNAME="Ana", LNAME="Diaz")).json()
    (made,) = answer["new_members"]
    assert (made["email_address"], made["status"], made["merge_fields"]["FNAME"]) == (ANA, "transactional", "Ana")
    assert (answer["total_created"], answer["total_updated"], answer["errors"]) == (1, 0, [])
    assert (made["merge_fields"]["PHONE"], made["merge_fields"]["ADDRESS"]) == ("", "")


@pytest.mark.parametrize(
    ("rows", "query"),
    [
        ([row(f"p{number}@example.com") for number in range(501)], {}),
        ([row(ANA), {"email_address": "bo@example.com"}], {}),
        ([row(ANA), row("ANA@example.com")], {}),
        ([row(ANA, "archived")], {}),
        ([row(ANA), {**row("bo@example.com"), "merge_fields": []}], {}),
        ([row(ANA), row("bo@example.com", ADDRESS="1 High Street")], {}),
        ([row(ANA), {**row("bo@example.com"), "vip": "yes"}], {}),
        ([row(ANA), 7], {}),
        ([row(ANA)], {"skip_merge_validation": "perhaps"}),
    ],
)
def test_some_things_refuse_the_whole_call(caller: Caller, rows: list[Any], query: dict[str, str]) -> None:
    assert caller.bulk(*rows, **query).status_code == 400
    assert caller.state()["people"] == 0


@pytest.mark.parametrize("body", [{}, {"members": {}}, {"members": [], "sync_tags": "no"}, []])
def test_a_body_that_does_not_fit_is_refused(caller: Caller, body: Any) -> None:
    assert caller.post(LIST, body).status_code == 400


def test_a_body_that_is_too_large_is_refused(caller: Caller) -> None:
    caller.settings(most_bytes=200)
    assert caller.bulk(row(ANA, FNAME="x" * 200)).status_code == 413
    assert caller.bulk(row(ANA)).status_code == 200


def test_a_body_that_is_no_json_is_refused(caller: Caller) -> None:
    answer = caller.session.post(f"{caller.url}{LIST}", data="{", timeout=20)
    assert problem(answer) == (400, "JSON Parse Exception")


def test_the_first_of_duplicates_may_be_kept(caller: Caller) -> None:
    answer = caller.bulk(row(ANA, FNAME="Ana"), row(ANA, FNAME="Anna"), skip_duplicate_check="true").json()
    assert (answer["total_created"], answer["new_members"][0]["merge_fields"]["FNAME"]) == (1, "Ana")


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("ana@@example.com", "Please provide a valid email address."),
        ("", "This value should not be blank."),
        ("ana@fake.example", "looks fake or invalid"),
        ("bo@example.com", "has signed up to a lot of lists very recently"),
    ],
)
def test_a_bad_address_fails_alone(caller: Caller, address: str, text: str) -> None:
    caller.settings(
        fake_domains=["fake.example"],
        row_failures={"bo@example.com": "bo@example.com has signed up to a lot of lists very recently"},
    )
    answer = caller.bulk(row(ANA), row(address)).json()
    assert (answer["total_created"], answer["error_count"]) == (1, 1)
    (error,) = answer["errors"]
    assert (error["error_code"], error["email_address"], text in error["error"]) == ("ERROR_GENERIC", address, True)


FIELDS = [
    {"tag": "POINTS", "type": "number"},
    {"tag": "SINCE", "type": "date"},
    {"tag": "BIRTH", "type": "birthday"},
    {"tag": "TIER", "type": "dropdown", "options": {"choices": ["Gold", "Silver"]}},
    {"tag": "SITE", "type": "url"},
    {"tag": "POST", "type": "zip"},
]
PLACE = {"addr1": "1 High Street", "city": "Hoboken", "state": "NJ", "zip": "07030"}


@pytest.mark.parametrize(
    ("tag", "value", "stored"),
    [
        ("FNAME", "Ana", "Ana"),
        ("FNAME", "é" * 200, "é" * 127),
        ("FNAME", 7, "7"),
        ("PHONE", "+5583999999999", "+5583999999999"),
        ("POINTS", 7, 7),
        ("POINTS", "7.5", 7.5),
        ("SINCE", "2018-12-27", "2018-12-27"),
        ("SINCE", "12/27/2018", "2018-12-27"),
        ("SINCE", "27-12-2018", "2018-12-27"),
        ("BIRTH", "02/29", "02/29"),
        ("TIER", "Gold", "Gold"),
        ("SITE", "https://example.com/a", "https://example.com/a"),
        ("POST", "07030", "07030"),
        ("ADDRESS", PLACE, {**PLACE, "addr2": "", "country": "US"}),
    ],
)
def test_a_value_that_fits_is_read_back_and_cleared_with_nothing(
    caller: Caller, tag: str, value: Any, stored: Any
) -> None:
    caller.people(fields=FIELDS)
    assert caller.bulk(row(ANA, **{tag: value})).json()["total_created"] == 1
    assert caller.member(ANA)["merge_fields"][tag] == stored
    caller.call("PATCH", member(ANA), {"merge_fields": {tag: ""}})
    assert caller.member(ANA)["merge_fields"][tag] == ""


@pytest.mark.parametrize(
    ("tag", "value", "message"),
    [
        ("POINTS", "many", "Please enter a number"),
        ("SINCE", "yesterday", "Please enter the date"),
        ("SINCE", "2018-02-30", "Please enter the date"),
        ("BIRTH", "2018-12-27", "Please enter a month and a day"),
        ("TIER", "gold", "Value must be one of the choices"),
        ("SITE", "example.com", "Please enter a valid URL"),
        ("POST", "SW1A 1AA", "Please enter a zip code (5 digits)"),
        ("ADDRESS", {**PLACE, "zip": ""}, "Please enter a complete address"),
        ("FNAME", None, "Please enter a value"),
        ("FNAME", True, "Please enter a value"),
        ("FNAME", ["Ana"], "Please enter a text value"),
    ],
)
def test_a_value_that_does_not_fit_fails_the_person(caller: Caller, tag: str, value: Any, message: str) -> None:
    caller.people(fields=FIELDS)
    (error,) = caller.bulk(row(ANA, **{tag: value})).json()["errors"]
    assert (error["error"], error["field"], error["field_message"]) == ("Your merge fields were invalid.", tag, message)
    caller.people({"email": ANA})
    answer = caller.call("PATCH", member(ANA), {"merge_fields": {tag: value}})
    assert problem(answer) == (400, "Invalid Resource")
    assert answer.json()["errors"] == [{"field": tag, "message": message}]


def test_an_unknown_merge_tag_is_dropped_without_a_word(caller: Caller) -> None:
    assert caller.bulk(row(ANA, COLOUR="red")).json()["total_created"] == 1
    assert "COLOUR" not in caller.member(ANA)["merge_fields"]
    assert caller.state()["dropped_fields"]["COLOUR"] >= 1


@pytest.mark.parametrize(("skip", "created"), [("false", 0), ("true", 1)])
def test_required_fields_may_be_skipped(caller: Caller, skip: str, created: int) -> None:
    caller.people(fields=[{"tag": "TIER", "required": True}])
    answer = caller.bulk(row(ANA), skip_merge_validation=skip).json()
    assert answer["total_created"] == created
    assert [each["field"] for each in answer["errors"]] == ([] if created else ["TIER"])
    caller.people({"email": "bo@example.com"})
    patched = caller.call(
        "PATCH", member("bo@example.com"), {"merge_fields": {"FNAME": "Bo"}}, skip_merge_validation=skip
    )
    assert patched.ok == bool(created)


def test_merge_fields_are_made_and_found(caller: Caller) -> None:
    made = caller.post(f"{LIST}/merge-fields", {"tag": "TIER", "name": "Tier", "type": "text", "public": False}).json()
    assert (made["merge_id"], made["tag"], made["required"]) == (5, "TIER", False)
    found = caller.get(f"{LIST}/merge-fields", count=1000).json()
    assert [each["tag"] for each in found["merge_fields"]] == ["FNAME", "LNAME", "ADDRESS", "PHONE", "TIER"]
    assert caller.post(f"{LIST}/merge-fields", {"name": "Other", "type": "text"}).json()["tag"] == "MMERGE6"


@pytest.mark.parametrize(
    "body",
    [
        {"tag": "FNAME", "name": "First", "type": "text"},
        {"tag": "EMAIL", "name": "Mail", "type": "text"},
        {"tag": "ELEVENCHARS", "name": "Long", "type": "text"},
        {"tag": "lower", "name": "Lower", "type": "text"},
        {"tag": "TIER", "name": "Tier", "type": "colour"},
        {"tag": "TIER", "name": " ", "type": "text"},
        {"tag": "TIER", "type": "text"},
        {"tag": "TIER", "name": "Tier", "type": "text", "public": "no"},
    ],
)
def test_a_merge_field_that_does_not_fit_is_refused(caller: Caller, body: Any) -> None:
    assert caller.post(f"{LIST}/merge-fields", body).status_code == 400


def test_an_audience_has_so_many_merge_fields(caller: Caller) -> None:
    caller.settings(most_fields=4)
    assert caller.post(f"{LIST}/merge-fields", {"tag": "TIER", "name": "Tier", "type": "text"}).status_code == 400
