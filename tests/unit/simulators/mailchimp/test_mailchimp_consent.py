"""Mailchimp: what a write does to consent, state by state (contract sections 4a to 4c)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulators.mailchimp.conftest import LIST, Caller, member, problem, row

ANA = "ana@example.com"

# How somebody is there before: what is put in place, and the status that is shown.
BEFORE: dict[str, dict[str, Any]] = {
    "subscribed": {"status": "subscribed"},
    "unsubscribed by admin": {"status": "unsubscribed", "by": "admin"},
    "unsubscribed by self": {"status": "unsubscribed", "by": "self"},
    "cleaned": {"status": "cleaned"},
    "pending": {"status": "pending"},
    "transactional": {"status": "transactional"},
    "archived": {"status": "archived"},
}


def _place(caller: Caller, before: str) -> None:
    if before == "forgotten":
        caller.people(forgotten=[ANA])
    elif before != "nobody":
        caller.people({"email": ANA, **BEFORE[before]})


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_write_without_status_changes_fields_and_nobodys_consent(caller: Caller, before: str, method: str) -> None:
    _place(caller, before)
    body = {"email_address": ANA, "status_if_new": "subscribed"} if method == "PUT" else {}
    answer = caller.call(method, member(ANA), {**body, "merge_fields": {"FNAME": "Ana"}})
    assert (answer.status_code, answer.json()["merge_fields"]["FNAME"]) == (200, "Ana")
    assert answer.json()["status"] == BEFORE[before]["status"]
    assert (caller.state()["status_changes"], caller.state()["resubscribes"]) == ({}, 0)


@pytest.mark.parametrize(
    ("before", "method", "status", "title"),
    [
        ("nobody", "PATCH", 404, "Resource Not Found"),
        ("forgotten", "PATCH", 404, "Resource Not Found"),
        ("forgotten", "PUT", 400, "Forgotten Email Not Subscribed"),
    ],
)
def test_a_write_makes_nobody_who_must_not_be(
    caller: Caller, before: str, method: str, status: int, title: str
) -> None:
    _place(caller, before)
    body = {"email_address": ANA, "status_if_new": "transactional"} if method == "PUT" else {}
    assert problem(caller.call(method, member(ANA), body)) == (status, title)
    assert caller.status(ANA) == "nobody"


def test_a_put_of_somebody_new_wants_to_know_their_status(caller: Caller) -> None:
    assert problem(caller.call("PUT", member(ANA), {"email_address": ANA})) == (400, "Invalid Resource")
    body = {"email_address": ANA, "status_if_new": "transactional"}
    assert caller.call("PUT", member(ANA), body).json()["status"] == "transactional"


@pytest.mark.parametrize(
    ("before", "title", "after"),
    [
        ("subscribed", None, "subscribed"),
        ("unsubscribed by admin", None, "subscribed"),
        ("unsubscribed by self", "Member In Compliance State", "unsubscribed"),
        ("cleaned", "Member In Compliance State", "cleaned"),
        ("pending", None, "subscribed"),
        ("transactional", None, "subscribed"),
        ("archived", None, "subscribed"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_write_with_status_resubscribes_whom_the_vendor_lets(
    caller: Caller, before: str, title: str | None, after: str, method: str
) -> None:
    _place(caller, before)
    body = {"status": "subscribed", "email_address": ANA, "status_if_new": "subscribed"}
    answer = caller.call(method, member(ANA), body)
    assert (answer.json().get("title"), caller.status(ANA)) == (title, after)
    resubscribed = before in ("unsubscribed by admin", "archived")
    assert (caller.state()["resubscribes"], caller.state()["revived"]) == (int(resubscribed), int(before == "archived"))


def test_a_patch_knows_no_transactional(caller: Caller) -> None:
    _place(caller, "subscribed")
    assert problem(caller.call("PATCH", member(ANA), {"status": "transactional"})) == (400, "Invalid Resource")


@pytest.mark.parametrize(
    ("before", "status", "title", "after"),
    [
        ("nobody", 200, None, "subscribed"),
        ("subscribed", 400, "Member Exists", "subscribed"),
        ("unsubscribed by admin", 400, "Member Exists", "unsubscribed"),
        ("archived", 200, None, "subscribed"),
        ("forgotten", 400, "Forgotten Email Not Subscribed", "nobody"),
    ],
)
def test_a_post_of_one_makes_new_people(
    caller: Caller, before: str, status: int, title: str | None, after: str
) -> None:
    _place(caller, before)
    answer = caller.post(f"{LIST}/members", row(ANA))
    assert (answer.status_code, answer.json().get("title"), caller.status(ANA)) == (status, title, after)


@pytest.mark.parametrize("before", [each for each in BEFORE if each != "archived"])
def test_a_bulk_call_leaves_alone_who_is_there(caller: Caller, before: str) -> None:
    _place(caller, before)
    answer = caller.bulk(row(ANA, FNAME="Ana")).json()
    assert [each["error_code"] for each in answer["errors"]] == ["ERROR_CONTACT_EXISTS"]
    assert (caller.status(ANA), caller.member(ANA)["merge_fields"]["FNAME"]) == (BEFORE[before]["status"], "")
    assert caller.state()["status_changes"] == {}


@pytest.mark.parametrize(("switch", "after"), [("revived", "transactional"), ("exists", "archived")])
def test_archived_people_count_as_new_in_bulk(caller: Caller, switch: str, after: str) -> None:
    caller.settings(archived_in_batch=switch)
    _place(caller, "archived")
    answer = caller.bulk(row(ANA, "transactional")).json()
    assert (answer["total_created"], answer["error_count"]) == ((1, 0) if after != "archived" else (0, 1))
    assert (caller.status(ANA), caller.state()["revived"]) == (after, int(after != "archived"))


def test_the_forgotten_cannot_be_brought_back(caller: Caller) -> None:
    _place(caller, "forgotten")
    (error,) = caller.bulk(row(ANA)).json()["errors"]
    assert error["error_code"] == "ERROR_GENERIC"
    assert "was permanently deleted and cannot be re-imported" in error["error"]


@pytest.mark.parametrize(
    ("before", "switch", "error", "after"),
    [
        ("unsubscribed by admin", "resubscribes", None, "subscribed"),
        ("unsubscribed by admin", "ignored", None, "unsubscribed"),
        ("unsubscribed by self", "resubscribes", "compliance state", "unsubscribed"),
        ("cleaned", "resubscribes", "compliance state", "cleaned"),
        ("transactional", "resubscribes", None, "subscribed"),
    ],
)
def test_updating_in_bulk_changes_consent_and_is_counted(
    caller: Caller, before: str, switch: str, error: str | None, after: str
) -> None:
    caller.settings(batch_status=switch)
    _place(caller, before)
    answer = caller.bulk(row(ANA), update_existing=True).json()
    assert [error or "" in each["error"] for each in answer["errors"]] == ([error] if error else [])
    assert (caller.status(ANA), caller.state()["updating_calls"]) == (after, 1)


def test_leaving_update_existing_out_updates(caller: Caller) -> None:
    _place(caller, "unsubscribed by admin")
    caller.post(LIST, {"members": [row(ANA)]})
    assert (caller.status(ANA), caller.state()["resubscribes"]) == ("subscribed", 1)


def test_syncing_tags_takes_the_others_away_and_is_counted(caller: Caller) -> None:
    caller.people({"email": ANA, "lists": ["Loyal", "New"]})
    caller.bulk({**row(ANA), "tags": ["New", "Gold"]}, update_existing=True, sync_tags=True)
    assert sorted(each["name"] for each in caller.member(ANA)["tags"]) == ["Gold", "New"]
    assert (caller.state()["tags_overwritten"], caller.state()["tag_syncing_calls"]) == (1, 1)


def test_mails_that_go_out_are_counted(caller: Caller) -> None:
    caller.people(audiences=[{"id": "57afe96172", "double_optin": True, "has_welcome": True}])
    caller.bulk(row(ANA), row("bo@example.com", "pending"), row("cy@example.com", "transactional"))
    state = caller.state()
    counts = [state[name] for name in ("welcome_mails", "unconfirmed", "confirmation_mails")]
    assert counts == [1, 1, 1]
    assert state["status_changes"] == {"new -> subscribed": 1, "new -> pending": 1, "new -> transactional": 1}


def test_archiving_and_deleting_are_done_and_counted(caller: Caller) -> None:
    caller.bulk(row(ANA), row("bo@example.com"))
    assert caller.call("DELETE", member(ANA)).status_code == 204
    assert caller.call("DELETE", member(ANA)).status_code == 405
    assert caller.call("POST", f"{member('bo@example.com')}/actions/delete-permanent").status_code == 204
    assert (caller.status(ANA), caller.status("bo@example.com")) == ("archived", "nobody")
    assert (caller.state()["members_archived"], caller.state()["members_deleted"]) == (1, 1)
    assert caller.bulk(row("bo@example.com")).json()["error_count"] == 1


def test_an_address_is_changed_by_hash_and_must_be_free(caller: Caller) -> None:
    caller.bulk(row(ANA), row("bo@example.com"))
    put = {"status_if_new": "subscribed"}
    taken = caller.call("PUT", member(ANA), {**put, "email_address": "bo@example.com"})
    assert problem(taken) == (400, "Member Exists")
    assert caller.call("PUT", member(ANA), {**put, "email_address": "anna@example.com"}).status_code == 200
    assert (caller.status(ANA), caller.status("anna@example.com")) == ("nobody", "subscribed")
    assert caller.state()["addresses_changed"] == 1
