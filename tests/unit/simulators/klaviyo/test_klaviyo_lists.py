"""Klaviyo: lists, who is on them, and taking people off (contract sections 2, 5 and 6)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.klaviyo import FLOWS_KEY
from tests.unit.simulators.klaviyo.conftest import Caller, problem, profile


def test_a_list_is_made_and_read_back(caller: Caller) -> None:
    made = caller.post("/api/lists", {"data": {"type": "list", "attributes": {"name": "Loyal"}}}).json()["data"]
    assert made["attributes"]["opt_in_process"] == "single_opt_in"
    assert made["attributes"]["created"].endswith(".000000+00:00")
    read = caller.get(f"/api/lists/{made['id']}").json()["data"]
    assert read["attributes"]["name"] == "Loyal"
    assert "profile_count" not in read["attributes"]


def test_two_lists_may_have_one_name(caller: Caller) -> None:
    ids = {caller.create_list("Loyal"), caller.create_list("Loyal")}
    found = caller.get("/api/lists", filter='any(name,["Loyal"])').json()["data"]
    assert {each["id"] for each in found} == ids


@pytest.mark.parametrize(
    "data",
    [
        {"type": "lists", "attributes": {"name": "Loyal"}},
        {"type": "list", "attributes": {}},
        {"type": "list", "attributes": {"name": " "}},
        {"type": "list", "attributes": {"name": 7}},
        {"type": "list", "attributes": {"name": "Loyal", "colour": "red"}},
        {"type": "list", "attributes": {"name": "Loyal", "opt_in_process": "none"}},
        {"type": "list"},
        None,
    ],
)
def test_a_list_that_does_not_fit_is_refused(caller: Caller, data: Any) -> None:
    assert problem(caller.post("/api/lists", {"data": data}))[:2] == (400, "invalid")


def test_a_body_that_is_no_json_api_is_refused(caller: Caller) -> None:
    answer = caller.session.post(f"{caller.url}/api/lists", data="name=Loyal", timeout=20)
    assert problem(answer)[:2] == (415, "unsupported_media_type")


def test_ten_lists_are_a_page_and_the_last_one_ends_with_null(caller: Caller) -> None:
    caller.people(lists=[{"name": f"List {number}"} for number in range(25)])
    url, names, pages = "/api/lists", [], 0
    while url:
        body = caller.get(url).json()
        names += [each["attributes"]["name"] for each in body["data"]]
        assert len(body["data"]) <= 10
        url, pages = (body["links"]["next"] or "").removeprefix("https://a.klaviyo.com"), pages + 1
    assert (sorted(names), pages) == (sorted(f"List {number}" for number in range(25)), 3)
    assert body["links"]["prev"] is None


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"page[size]": "11"}, "page[size]"),
        ({"page[size]": "0"}, "page[size]"),
        ({"page[cursor]": "abc"}, "page[cursor]"),
        ({"fields[list]": "colour"}, "fields[list]"),
        ({"fields[profile]": "email"}, "fields[profile]"),
        ({"sort": "opt_in_process"}, "sort"),
        ({"limit": "10"}, "limit"),
        ({"filter": "any(name,[Loyal])"}, "filter"),
        ({"filter": 'equals(name,"Loyal")'}, "filter"),
        ({"filter": 'any(name,"Loyal")'}, "filter"),
        ({"filter": 'contains(name,["Loyal"])'}, "filter"),
        ({"filter": 'any(opt_in_process,["x"])'}, "filter"),
        ({"filter": 'any(name,["Loyal"]'}, "filter"),
        ({"filter": 'greater-than(created,"x")'}, "filter"),
        ({"filter": "Loyal"}, "filter"),
    ],
)
def test_a_query_that_does_not_fit_is_refused(caller: Caller, query: dict[str, str], parameter: str) -> None:
    assert problem(caller.get("/api/lists", **query)) == (400, "invalid", parameter)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ('any(name,["Loyal","New"])', ["Loyal", "New"]),
        ("any(name,['Loyal'])", ["Loyal"]),
        ('equals(name,["New"])', ["New"]),
        (r'any(name,["Say \"hi\", \\ and (bye)"])', ['Say "hi", \\ and (bye)']),
        ("any(name,['O\\'Neil'])", ["O'Neil"]),
        ('any(id,["YYYYYY"])', []),
        ("greater-than(created,2020-01-01T00:00:00Z)", ["Loyal", "New", "O'Neil", 'Say "hi", \\ and (bye)']),
        ('greater-than(created,2020-01-01),any(name,["New"])', ["New"]),
        ('and(greater-than(created,2020-01-01),any(name,["New"]))', ["New"]),
        ("greater-than(created,2040-01-01T00:00:00+01:00)", []),
    ],
)
def test_lists_are_filtered(caller: Caller, condition: str, names: list[str]) -> None:
    caller.people(lists=[{"name": name} for name in ("Loyal", "New", "O'Neil", 'Say "hi", \\ and (bye)')])
    found = caller.get("/api/lists", filter=condition).json()["data"]
    assert sorted(each["attributes"]["name"] for each in found) == names


def test_members_are_read_with_what_was_asked_for(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com", first_name="Ana"), lists=(list_id,))
    read = caller.get(f"/api/lists/{list_id}/profiles", **{"fields[profile]": "email,joined_group_at"}).json()["data"]
    assert [set(each["attributes"]) for each in read] == [{"email", "joined_group_at"}]
    whole = caller.get(f"/api/lists/{list_id}/profiles").json()["data"][0]["attributes"]
    assert (whole["first_name"], whole["last_name"], whole["location"]["city"]) == ("Ana", None, None)
    assert "anonymous_id" in whole


def test_members_come_in_pages_of_at_most_a_hundred_in_the_order_they_joined(caller: Caller) -> None:
    list_id = caller.create_list()
    for number in range(3):
        caller.advance(10)
        caller.bring(*(profile(f"p{number}-{each}@example.com") for each in range(50)), lists=(list_id,))
    path = f"/api/lists/{list_id}/relationships/profiles"
    assert len(caller.get(path).json()["data"]) == 20
    assert caller.get(path, **{"page[size]": 101}).status_code == 400
    for sort in ("joined_group_at", "-joined_group_at"):
        body = caller.get(path, sort=sort, **{"page[size]": 100}).json()
        rest = caller.get(body["links"]["next"].removeprefix("https://a.klaviyo.com")).json()
        assert (len(body["data"]), len(rest["data"]), rest["links"]["next"]) == (100, 50, None)
        assert len({each["id"] for each in body["data"] + rest["data"]}) == 150


def test_a_cursor_holds_to_its_call(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(*(profile(f"p{each}@example.com") for each in range(3)), lists=(list_id,))
    path = f"/api/lists/{list_id}/profiles"
    following = caller.get(path, **{"page[size]": 1}).json()["links"]["next"]
    cursor = following.partition("page%5Bcursor%5D=")[2].partition("&")[0]
    assert caller.get(path, **{"page[cursor]": cursor}).status_code == 200
    assert caller.get(path, **{"page[cursor]": f"={cursor}"}).status_code == 200
    assert caller.get(path, sort="joined_group_at", **{"page[cursor]": cursor}).status_code == 400


def test_a_filter_by_address_is_the_proof_of_membership(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com"), profile("bo@example.com"), lists=(list_id,))
    caller.bring(profile("cy@example.com"))
    asked = 'any(email,["ANA@example.com","cy@example.com","nobody@example.com"])'
    found = caller.get(f"/api/lists/{list_id}/profiles", filter=asked).json()["data"]
    assert [each["attributes"]["email"] for each in found] == ["ana@example.com"]
    late = f"{asked},greater-than(joined_group_at,2030-01-01)"
    assert caller.get(f"/api/lists/{list_id}/profiles", filter=late).json()["data"] == []


@pytest.mark.parametrize(("values", "status"), [(100, 200), (101, 400)])
def test_a_filter_takes_a_hundred_values(caller: Caller, values: int, status: int) -> None:
    asked = ",".join(f'"p{each}@example.com"' for each in range(values))
    assert caller.get("/api/profiles", filter=f"any(email,[{asked}])").status_code == status


def test_a_filter_that_makes_the_address_too_long_is_refused(caller: Caller) -> None:
    asked = ",".join(f'"{"x" * 80}{each}@example.com"' for each in range(90))
    assert problem(caller.get("/api/profiles", filter=f"any(email,[{asked}])"))[:2] == (414, "uri_too_long")


def test_the_count_is_told_where_it_is_asked_for(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com"), profile("bo@example.com"), lists=(list_id,))
    caller.people({"email": "bo@example.com", "suppressions": ["HARD_BOUNCE"]})
    asked = {"additional-fields[list]": "profile_count", "fields[list]": "name,profile_count"}
    attributes = caller.get(f"/api/lists/{list_id}", **asked).json()["data"]["attributes"]
    assert attributes == {"name": "Loyal customers", "profile_count": 2}


def test_reads_may_be_behind(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.settings(stale_seconds=60, limits={"GET /api/lists/{id}?additional-fields[list]=profile_count": None})
    caller.bring(profile("ana@example.com"), lists=(list_id,))

    def seen() -> tuple[int, int]:
        shown = caller.get(f"/api/lists/{list_id}", **{"additional-fields[list]": "profile_count"}).json()
        people = caller.get(f"/api/lists/{list_id}/profiles").json()["data"]
        return shown["data"]["attributes"]["profile_count"], len(people)

    assert seen() == (0, 0)
    caller.advance(60)
    assert seen() == (1, 1)
    caller.remove(list_id, caller.one("ana@example.com")["id"])
    assert seen() == (1, 1)
    caller.advance(61)
    assert seen() == (0, 0)


def test_people_are_taken_off_and_stay_profiles(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com"), profile("bo@example.com"), lists=(list_id,))
    caller.people({"email": "ana@example.com", "status": "subscribed"})
    answer = caller.remove(list_id, caller.one("ana@example.com")["id"])
    assert (answer.status_code, answer.content, caller.members(list_id)) == (204, b"", ["bo@example.com"])
    assert caller.state()["consents"] == {"SUBSCRIBED": 1, "NEVER_SUBSCRIBED": 1}


def test_an_unknown_id_refuses_the_whole_removal_and_is_named(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com"), lists=(list_id,))
    answer = caller.remove(list_id, caller.one("ana@example.com")["id"], "XYZABD", "QQQ")
    assert problem(answer) == (400, "invalid", "/data/")
    assert answer.json()["errors"][0]["detail"] == "Invalid profile IDs: XYZABD, QQQ"
    assert caller.members(list_id) == ["ana@example.com"]


@pytest.mark.parametrize("status", [204, 400])
def test_who_is_not_on_the_list_is_a_switch(caller: Caller, status: int) -> None:
    caller.settings(absent_removal=status)
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com"))
    assert caller.remove(list_id, caller.one("ana@example.com")["id"]).status_code == status


@pytest.mark.parametrize("count", [0, 1001])
def test_a_removal_names_up_to_a_thousand(caller: Caller, count: int) -> None:
    assert problem(caller.remove(caller.create_list(), *["X"] * count)) == (400, "invalid", "/data")


def test_flows_that_a_list_starts_are_told(caller: Caller) -> None:
    caller.people(lists=[{"id": "Ynew", "name": "New", "flows": [{"name": "Welcome", "status": "live"}]}])
    caller.bring(profile("ana@example.com"), lists=("Ynew",))
    caller.bring(profile("ana@example.com"), lists=("Ynew",))
    assert caller.state()["flows_started"] == 1
    caller.use_key(FLOWS_KEY)
    (flow,) = caller.get("/api/lists/Ynew/flow-triggers").json()["data"]
    assert (flow["attributes"]["name"], flow["attributes"]["trigger_type"]) == ("Welcome", "Added to List")


def test_deleting_and_renaming_a_list_are_done_and_counted(caller: Caller) -> None:
    list_id = caller.create_list()
    named = {"data": {"type": "list", "id": list_id, "attributes": {"name": "Other"}}}
    assert caller.call("PATCH", f"/api/lists/{list_id}", named).status_code == 200
    assert caller.call("DELETE", f"/api/lists/{list_id}").status_code == 204
    assert caller.get(f"/api/lists/{list_id}").status_code == 404
    assert (caller.state()["lists_deleted"], caller.state()["lists_renamed"]) == (1, 1)
