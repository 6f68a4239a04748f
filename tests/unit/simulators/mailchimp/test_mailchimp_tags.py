"""Mailchimp: tags, who has them, and reading people by status (contract sections 2, 3, 5 and 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dev.simulators.mailchimp import AUDIENCE
from tests.unit.simulators.mailchimp.conftest import LIST, Caller, member, problem, row

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived")


def _everybody(caller: Caller, **more: Any) -> None:
    """One person of each status."""
    caller.people(*({"email": f"{status}@example.com", "status": status, **more} for status in STATUSES))


def test_a_tag_is_made_found_and_counted(caller: Caller) -> None:
    tag = caller.create_tag("CI Loyal")
    caller.create_tag("Other")
    assert caller.get(f"{LIST}/tag-search", name="ci l").json()["tags"] == [{"id": tag, "name": "CI Loyal"}]
    found = caller.get(f"{LIST}/segments", type="static", fields="segments.id,segments.name,total_items").json()
    assert found["total_items"] == 2
    assert found["segments"][0] == {"id": tag, "name": "CI Loyal"}
    caller.bulk(row("ana@example.com"))
    caller.tag(tag, "ana@example.com")
    assert caller.get(f"{LIST}/segments/{tag}", fields="member_count").json() == {"member_count": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Loyal"},
        {"static_segment": []},
        {"name": "OTHER", "static_segment": []},
        {"name": " ", "static_segment": []},
        {"name": "x" * 101, "static_segment": []},
        {"name": "a\nb", "static_segment": []},
        {"name": "Loyal", "static_segment": [7]},
        {"name": 7, "static_segment": []},
    ],
)
def test_a_tag_that_does_not_fit_is_refused(caller: Caller, body: Any) -> None:
    caller.create_tag("Other")
    assert caller.post(f"{LIST}/segments", body).status_code == 400


def test_the_tag_call_tells_who_was_tagged_and_ignores_the_unknown(caller: Caller) -> None:
    tag = caller.create_tag()
    caller.bulk(row("ana@example.com"), row("bo@example.com", "transactional"))
    answer = caller.tag(tag, "ANA@example.com", "bo@example.com", "nobody@example.com")
    assert [each["email_address"] for each in answer["members_added"]] == ["ana@example.com", "bo@example.com"]
    assert (answer["total_added"], answer["error_count"]) == (2, 0)
    assert (caller.state()["unknown_in_tag_calls"], caller.status("nobody@example.com")) == (1, "nobody")
    assert caller.tag(tag, "ana@example.com")["members_added"] == []
    assert caller.untag(tag, "ana@example.com", "nobody@example.com")["total_removed"] == 1
    assert caller.untag(tag, "ana@example.com")["members_removed"] == []
    assert caller.members(tag) == ["bo@example.com"]


def test_who_is_already_tagged_may_be_listed(caller: Caller) -> None:
    caller.settings(already_tagged="listed")
    tag = caller.create_tag()
    caller.bulk(row("ana@example.com"))
    assert [caller.tag(tag, "ana@example.com")["total_added"] for _ in range(2)] == [1, 1]


@pytest.mark.parametrize("status", STATUSES)
def test_only_some_statuses_can_be_tagged_in_bulk_and_all_one_by_one(caller: Caller, status: str) -> None:
    tag = caller.create_tag("Loyal")
    address = f"{status}@example.com"
    _everybody(caller)
    answer = caller.tag(tag, address)
    can = status in ("subscribed", "transactional")
    assert (answer["total_added"], answer["error_count"]) == ((1, 0) if can else (0, 1))
    assert [each["email_addresses"] for each in answer["errors"]] == ([] if can else [[address]])
    wanted = {"tags": [{"name": "loyal", "status": "active"}], "is_syncing": True}
    assert caller.post(f"{member(address)}/tags", wanted).status_code == 204
    assert caller.members(tag) == [address]
    gone = {"tags": [{"name": "Loyal", "status": "inactive"}]}
    assert [caller.post(f"{member(address)}/tags", gone).status_code for _ in range(2)] == [204, 204]
    assert caller.members(tag) == []
    assert (caller.state()["status_changes"], caller.state()["automations_started"]) == ({}, int(can))


def test_a_tag_of_one_is_made_by_name_and_read_back(caller: Caller) -> None:
    caller.bulk(row("ana@example.com"))
    caller.post(f"{member('ana@example.com')}/tags", {"tags": [{"name": "New", "status": "active"}]})
    (tag,) = caller.get(f"{member('ana@example.com')}/tags").json()["tags"]
    assert tag["name"] == "New"
    shown = caller.member("ana@example.com")
    assert (shown["tags_count"], shown["tags"]) == (1, [{"id": tag["id"], "name": "New"}])
    nobody = caller.post(f"{member('nobody@example.com')}/tags", {"tags": [{"name": "New", "status": "inactive"}]})
    assert problem(nobody) == (404, "Resource Not Found")


@pytest.mark.parametrize("tags", [None, [{"name": "New"}], [{"name": "New", "status": "on"}], ["New"]])
def test_tags_of_one_that_do_not_fit_are_refused(caller: Caller, tags: Any) -> None:
    caller.bulk(row("ana@example.com"))
    assert caller.post(f"{member('ana@example.com')}/tags", {"tags": tags}).status_code == 400


@pytest.mark.parametrize("key", ["members_to_add", "members_to_remove"])
@pytest.mark.parametrize(("count", "status"), [(500, 200), (501, 400)])
def test_a_tag_call_names_up_to_500(caller: Caller, key: str, count: int, status: int) -> None:
    addresses = [f"p{number}@example.com" for number in range(count)]
    assert caller.post(f"{LIST}/segments/{caller.create_tag()}", {key: addresses}).status_code == status


def test_an_address_cannot_be_in_both_keys(caller: Caller) -> None:
    both = {"members_to_add": ["ana@example.com"], "members_to_remove": ["ANA@example.com"]}
    assert caller.post(f"{LIST}/segments/{caller.create_tag()}", both).status_code == 400


def test_nobody_can_be_put_into_a_saved_segment_or_a_deleted_one(caller: Caller) -> None:
    saved = caller.post(f"{LIST}/segments", {"name": "Saved", "options": {"match": "all"}}).json()["id"]
    answer = caller.post(f"{LIST}/segments/{saved}", {"members_to_add": ["ana@example.com"]})
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"A Static Segment with an id of {saved} does not exist for this list."
    tag = caller.create_tag()
    assert caller.call("DELETE", f"{LIST}/segments/{tag}").status_code == 204
    assert problem(caller.post(f"{LIST}/segments/{tag}", {"members_to_add": []})) == (404, "Resource Not Found")
    assert caller.state()["segments_deleted"] == 1


def test_emptying_a_tag_is_done_and_counted(caller: Caller) -> None:
    caller.people({"email": "ana@example.com", "lists": ["Loyal"]}, lists=[{"id": 10297, "name": "Loyal"}])
    caller.call("PATCH", f"{LIST}/segments/10297", {"name": "Loyal", "static_segment": []})
    assert (caller.members(10297), caller.state()["segments_emptied"]) == ([], 1)


@pytest.mark.parametrize(
    ("flags", "statuses"),
    [
        ({}, {"subscribed"}),
        ({"include_cleaned": "true"}, {"subscribed", "cleaned"}),
        ({"include_transactional": "true", "include_unsubscribed": "false"}, {"subscribed", "transactional"}),
        (
            dict.fromkeys(("include_cleaned", "include_transactional", "include_unsubscribed"), "true"),
            {"subscribed", "cleaned", "transactional", "unsubscribed"},
        ),
    ],
)
def test_people_of_a_tag_are_active_ones_and_those_that_flags_ask_for(
    caller: Caller, flags: dict[str, str], statuses: set[str]
) -> None:
    caller.people(lists=[{"id": 10297, "name": "Loyal"}])
    _everybody(caller, lists=["Loyal"])
    body = caller.get(f"{LIST}/segments/10297/members", count=1000, **flags).json()
    assert {each["status"] for each in body["members"]} == statuses
    assert body["total_items"] == len(statuses)
    assert caller.get(f"{LIST}/segments/10297", **flags).json()["member_count"] == 1
    caller.settings(count_flags="honoured")
    assert caller.get(f"{LIST}/segments/10297", **flags).json()["member_count"] == len(statuses)


def test_a_count_may_be_old(caller: Caller) -> None:
    caller.settings(count_stale_seconds=600)
    tag = caller.create_tag()
    caller.bulk(row("ana@example.com"))
    caller.tag(tag, "ana@example.com")

    def count() -> int:
        number: int = caller.get(f"{LIST}/segments/{tag}").json()["member_count"]
        return number

    assert count() == 0
    caller.advance(600)
    assert count() == 1


@pytest.mark.parametrize("status", STATUSES)
def test_people_are_read_by_status(caller: Caller, status: str) -> None:
    _everybody(caller)
    body = caller.get(f"{LIST}/members", status=status, count=1000).json()
    assert [each["email_address"] for each in body["members"]] == [f"{status}@example.com"]


def test_without_a_status_nobody_archived_is_read(caller: Caller) -> None:
    _everybody(caller)
    found = {each["status"] for each in caller.get(f"{LIST}/members").json()["members"]}
    assert found == set(STATUSES) - {"archived"}


def test_since_is_after_and_not_at(caller: Caller) -> None:
    caller.people(
        {"email": "ana@example.com", "status": "unsubscribed", "statusChangedAt": 1000},
        {"email": "bo@example.com", "status": "unsubscribed", "statusChangedAt": 1001},
    )
    at = "1970-01-01T00:16:40+00:00"
    for name in ("since_last_changed", "unsubscribed_since"):
        found = caller.get(f"{LIST}/members", status="unsubscribed", **{name: at}).json()["members"]
        assert [each["email_address"] for each in found] == ["bo@example.com"]
    found = caller.get(f"{LIST}/members", sort_field="last_changed", sort_dir="DESC").json()["members"]
    assert [each["email_address"] for each in found] == ["bo@example.com", "ana@example.com"]


def test_pages_shift_when_people_change_between_them(caller: Caller) -> None:
    caller.people(*({"email": f"p{number:02}@example.com", "status": "unsubscribed"} for number in range(12)))
    first = caller.get(f"{LIST}/members", status="unsubscribed").json()
    assert (len(first["members"]), first["total_items"]) == (10, 12)
    caller.people({"email": "p00@example.com", "status": "subscribed"})
    second = caller.get(f"{LIST}/members", status="unsubscribed", offset=10).json()["members"]
    assert [each["email_address"] for each in second] == ["p11@example.com"]


@pytest.mark.parametrize(
    "query",
    [
        {"count": 1001},
        {"count": -1},
        {"offset": "x"},
        {"status": "active"},
        {"sort_field": "email"},
        {"sort_dir": "UP"},
        {"since_last_changed": "yesterday"},
        {"unsubscribed_since": "2026-01-01T00:00:00+00:00"},
        {"fields": "email_address"},
        {"fields": "members.colour"},
        {"fields": "members.id", "exclude_fields": "_links"},
    ],
)
def test_a_query_that_does_not_fit_is_refused(caller: Caller, query: dict[str, Any]) -> None:
    assert problem(caller.get(f"{LIST}/members", **query)) == (400, "Invalid Resource")


def test_answers_are_cut_to_what_was_asked(caller: Caller) -> None:
    caller.bulk(row("ana@example.com", FNAME="Ana"))
    asked = "members.id,members.merge_fields.FNAME,total_items"
    body = caller.get(f"{LIST}/members", fields=asked).json()
    assert (set(body), set(body["members"][0])) == ({"members", "total_items"}, {"id", "merge_fields"})
    assert body["members"][0]["merge_fields"] == {"FNAME": "Ana"}
    rest = caller.get(f"{LIST}/members", exclude_fields="members._links,members.merge_fields,list_id").json()
    assert "list_id" not in rest
    assert not {"_links", "merge_fields"} & set(rest["members"][0])


def test_an_audience_tells_of_itself_with_numbers_that_are_old(caller: Caller) -> None:
    caller.people(audiences=[{"id": "aaaaaaaaaa", "name": "Outlet", "double_optin": True}])
    _everybody(caller)
    lists = caller.get("/lists", fields="lists.id,lists.double_optin,total_items").json()
    assert lists["lists"] == [{"id": AUDIENCE, "double_optin": False}, {"id": "aaaaaaaaaa", "double_optin": True}]
    stats = caller.get(LIST).json()["stats"]
    assert (stats["member_count"], stats["unsubscribe_count"], stats["cleaned_count"]) == (1, 1, 1)
    caller.bulk(row("ana@example.com"))
    assert caller.get(LIST).json()["stats"]["member_count"] == 1
    caller.advance(300)
    assert caller.get(LIST).json()["stats"]["member_count"] == 2


def test_the_inspection_tells_everybody_who_has_a_tag(caller: Caller) -> None:
    caller.people(lists=[{"id": 10297, "name": "Loyal"}])
    _everybody(caller, lists=["Loyal"])
    state = caller.state()
    assert (state["lists"][0]["members"], state["lists"][0]["unsubscribed"], state["people"]) == (6, 3, 6)
    assert state["unsubscribed"] == sorted(f"{each}@example.com" for each in ("archived", "cleaned", "unsubscribed"))
    lines = caller.get("/_simulator/lists/10297/members").text.splitlines()
    assert {json.loads(line)["status"] for line in lines} == set(STATUSES)
    assert caller.get("/_simulator/lists/1/members").status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        {"people": [{"email": "ana@@example.com"}]},
        {"people": [{"email": "ana@example.com", "status": "active"}]},
        {"people": [{"email": "ana@example.com", "dataFields": {"COLOUR": "red"}}]},
        {"people": [{"email": "ana@example.com", "lists": [1]}]},
        {"audience": "none"},
        {"members": []},
    ],
)
def test_content_that_does_not_fit_is_refused_without_repeating_it(caller: Caller, content: Any) -> None:
    answer = caller.post("/_simulator/people", content)
    assert (answer.status_code, "example.com" in answer.text) == (400, False)


def test_people_can_be_erased_and_renamed(caller: Caller) -> None:
    caller.people({"email": "ana@example.com"}, {"email": "bo@example.com", "lists": ["Loyal"]})
    caller.people(erased=["bo@example.com"], renamed={"ana@example.com": "anna@example.com"})
    assert [caller.status(f"{name}@example.com") for name in ("ana", "anna", "bo")] == [
        "nobody",
        "subscribed",
        "nobody",
    ]
    assert caller.bulk(row("bo@example.com")).json()["total_created"] == 1
