"""Klaviyo: bulk imports (contract section 3)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from dev.simulators.klaviyo import Klaviyo
from tests.unit.simulators.klaviyo.conftest import JOBS, Caller, problem, profile

ROWS = "/data/attributes/profiles/data"


def test_a_job_is_queued_then_processing_then_complete(caller: Caller) -> None:
    list_id = caller.create_list()
    sent = caller.send(profile("ana@example.com"), profile("bo@example.com"), lists=(list_id,))
    job = sent.json()["data"]
    assert (sent.status_code, job["attributes"]["status"], job["attributes"]["total_count"]) == (202, "queued", 2)
    assert job["relationships"]["lists"]["data"] == [{"type": "list", "id": list_id}]
    caller.advance(0.1)
    assert caller.job(job["id"])["attributes"]["status"] == "processing"
    assert caller.members(list_id) == []
    caller.advance()
    ended = caller.job(job["id"])["attributes"]
    assert (ended["status"], ended["completed_count"], ended["failed_count"]) == ("complete", 2, 0)
    assert caller.members(list_id) == ["ana@example.com", "bo@example.com"]
    assert caller.state()["consents"] == {"NEVER_SUBSCRIBED": 2}


def test_without_a_list_people_are_changed_and_put_on_none(caller: Caller) -> None:
    caller.bring(profile("ana@example.com", first_name="Ana", properties={"Tier": "Gold", "Points": 1}))
    caller.bring(profile("ANA@example.com ", last_name="Diaz", properties={"Points": 2}))
    attributes = caller.one("ana@example.com")["attributes"]
    assert (attributes["email"], attributes["first_name"], attributes["last_name"]) == (
        "ana@example.com",
        "Ana",
        "Diaz",
    )
    assert attributes["properties"] == {"Tier": "Gold", "Points": 2}


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        (profile("ana@@example.com"), "/attributes/email"),
        (profile("ana@localhost"), "/attributes/email"),
        (profile("a" * 90 + "@example.com"), "/attributes/email"),
        (profile("ana@example.com", phone_number="0044 123"), "/attributes/phone_number"),
        (profile("ana@example.com", first_name=7), "/attributes/first_name"),
        (profile("ana@example.com", first_name=None), "/attributes/first_name"),
        (profile("ana@example.com", properties={"Tier": None}), "/attributes/properties"),
        (profile("ana@example.com", properties=["Tier"]), "/attributes/properties"),
        (profile("ana@example.com", location={"zip": 7030}), "/attributes/location"),
        (profile("ana@example.com", location={"street": "x"}), "/attributes/location"),
        (profile("ana@example.com", anonymous_id="x"), "/attributes/anonymous_id"),
        (profile("ana@example.com", subscriptions={}), "/attributes/subscriptions"),
        ({"type": "profile", "id": 7, "attributes": {}}, "/id"),
        ({"type": "person", "attributes": {"email": "ana@example.com"}}, ""),
        ({"type": "profile"}, ""),
        ({**profile("ana@example.com"), "meta": {"patch_properties": {"append": {}}}}, "/meta"),
        (None, ""),
    ],
)
def test_one_bad_row_refuses_them_all_and_is_pointed_at(caller: Caller, row: Any, pointer: str) -> None:
    answer = caller.send(profile("bo@example.com"), row, profile("bad@"))
    assert problem(answer) == (400, "invalid", f"{ROWS}/1{pointer}")
    assert len(answer.json()["errors"]) == 1
    assert caller.state()["jobs"] == {}


def test_all_bad_rows_may_be_named(caller: Caller) -> None:
    caller.settings(named_rows="all")
    answer = caller.send(profile("bad@"), profile("bo@example.com"), profile("@bad"))
    pointers = [each["source"]["pointer"] for each in answer.json()["errors"]]
    assert pointers == [f"{ROWS}/0/attributes/email", f"{ROWS}/2/attributes/email"]


def test_an_address_can_be_barred(caller: Caller) -> None:
    caller.settings(barred=["odd@example.org"])
    assert problem(caller.send(profile("odd@example.org"))) == (400, "invalid", f"{ROWS}/0/attributes/email")
    caller.settings(bad_identifiers="row")
    assert caller.bring(profile("odd@example.org"))["attributes"]["failed_count"] == 1


@pytest.mark.parametrize(
    ("relationships", "pointer"),
    [
        ({"lists": {"data": [{"type": "list", "id": "Ynone"}]}}, "/data/relationships/lists/data/0/id"),
        ({"lists": {"data": [{"type": "lists", "id": "Ynone"}]}}, "/data/relationships/lists/data/0"),
        ({"lists": {}}, "/data/relationships"),
        ({"segments": {"data": []}}, "/data/relationships"),
    ],
)
def test_a_list_that_is_not_there_refuses_the_job(caller: Caller, relationships: Any, pointer: str) -> None:
    data = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": [profile("ana@example.com")]}}}
    answer = caller.post(JOBS, {"data": {**data, "relationships": relationships}})
    assert problem(answer) == (400, "invalid", pointer)


def test_a_list_named_elsewhere_is_passed_over(caller: Caller) -> None:
    list_id = caller.create_list()
    named = {"relationships": {"lists": {"data": [{"type": "list", "id": list_id}]}}}
    caller.bring({**profile("ana@example.com"), **named})
    assert (caller.members(list_id), caller.state()["people"]) == ([], 1)


def test_two_lists_are_a_switch(caller: Caller) -> None:
    lists = (caller.create_list("One"), caller.create_list("Two"))
    assert problem(caller.send(profile("ana@example.com"), lists=lists))[2] == "/data/relationships/lists/data"
    caller.settings(many_lists="accepted")
    caller.bring(profile("ana@example.com"), lists=lists)
    assert [caller.members(each) for each in lists] == [["ana@example.com"]] * 2


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"most_rows": 1}, 400), ({"most_bytes": 100}, 413), ({"most_rows": 2, "most_bytes": 1000}, 202)],
)
def test_a_job_has_its_sizes(caller: Caller, changes: dict[str, int], status: int) -> None:
    caller.settings(**changes)
    assert caller.send(profile("ana@example.com"), profile("bo@example.com")).status_code == status


@pytest.mark.parametrize("rows", [(), [[]]])
def test_a_job_without_rows_is_refused(caller: Caller, rows: Any) -> None:
    assert caller.send(*rows).status_code == 400


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ({"type": "profile", "attributes": {"first_name": "Ana"}}, "A profile must have at least one identifier."),
        (profile("bo@example.com", phone_number="+15005550006"), "A profile already exists with one of these"),
        (profile("ana@example.com", properties={"Text": "x" * 100_000}), "The profile is too large."),
        ({**profile("ana@example.com"), "id": "01GDDKASAP8TKDDA2GRZDSVP4H"}, "A profile must have at least one"),
    ],
)
def test_some_rows_fail_without_refusing_the_others(caller: Caller, row: Any, detail: str) -> None:
    caller.bring(profile("cy@example.com", phone_number="+15005550006"), profile("bo@example.com"))
    list_id = caller.create_list()
    job = caller.bring(profile("dee@example.com"), row, lists=(list_id,))
    counts = [job["attributes"][name] for name in ("total_count", "completed_count", "failed_count")]
    assert (counts, caller.members(list_id)) == ([2, 1, 1], ["dee@example.com"])
    (error,) = caller.errors(job)
    assert error["detail"].startswith(detail)
    assert (error["source"], error["original_payload"]) == ({"pointer": "/data"}, row["attributes"])


@pytest.mark.parametrize(
    ("changes", "pointer", "payload"),
    [
        ({"original_payload": "null"}, "/data", None),
        ({"original_payload": "nested"}, "/data", {"type": "profile", "attributes": {"title": "x"}}),
        ({"error_pointer": "row"}, f"{ROWS}/1", {"title": "x"}),
    ],
)
def test_how_errors_name_their_row_is_a_switch(
    caller: Caller, changes: dict[str, str], pointer: str, payload: Any
) -> None:
    caller.settings(**changes, completed_count="all")
    job = caller.bring(profile("ana@example.com"), {"type": "profile", "attributes": {"title": "x"}})
    (error,) = caller.errors(job)
    assert (error["source"]["pointer"], error["original_payload"]) == (pointer, payload)
    assert job["attributes"]["completed_count"] == 2


def test_the_same_person_in_two_open_jobs_is_dropped_without_a_word(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.send(profile("ana@example.com", first_name="Ana"))
    second = caller.bring(profile("Ana@example.com", first_name="Anna"), profile("bo@example.com"), lists=(list_id,))
    assert (second["attributes"]["failed_count"], caller.members(list_id)) == (0, ["bo@example.com"])
    assert (caller.one("ana@example.com")["attributes"]["first_name"], caller.state()["dropped_rows"]) == ("Ana", 1)
    caller.bring(profile("ana@example.com"), lists=(list_id,))
    assert len(caller.members(list_id)) == 2


def test_the_same_person_twice_in_a_job_is_written_once(caller: Caller) -> None:
    caller.bring(*(profile("ana@example.com", first_name=f"Ana {number}") for number in range(5)))
    assert caller.state()["dropped_rows"] == 4
    caller.settings(same_person="written")
    caller.bring(*(profile("ana@example.com") for _ in range(5)))
    assert caller.state()["dropped_rows"] == 4


@pytest.mark.parametrize(
    ("status", "writes", "members", "open_jobs"),
    [
        ("cancelled", "half", 2, 0),
        ("cancelled", "nothing", 0, 0),
        ("cancelled", "all", 4, 0),
        ("processing", "half", 0, 1),
    ],
)
def test_a_job_may_end_otherwise_or_never(
    caller: Caller, status: str, writes: str, members: int, open_jobs: int
) -> None:
    caller.settings(next_job_statuses=[status], cancelled_writes=writes)
    list_id = caller.create_list()
    job = caller.bring(*(profile(f"p{each}@example.com") for each in range(4)), lists=(list_id,))
    assert (job["attributes"]["status"], len(caller.members(list_id))) == (status, members)
    assert caller.state()["open_jobs"] == open_jobs
    assert caller.bring(profile("ana@example.com"))["attributes"]["status"] == "complete"


def test_jobs_are_listed_and_filtered_by_status(caller: Caller) -> None:
    done = caller.bring(profile("ana@example.com"))
    queued = caller.send(profile("bo@example.com")).json()["data"]
    listed = caller.get(JOBS, sort="-created_at", **{"page[size]": 100}).json()["data"]
    assert [each["id"] for each in listed] == [queued["id"], done["id"]]
    running = caller.get(JOBS, filter='any(status,["queued","processing"])').json()["data"]
    assert [each["id"] for each in running] == [queued["id"]]
    assert problem(caller.get(JOBS, filter='equals(status,"cancelled")')) == (400, "invalid", "filter")


def test_a_job_is_forgotten_after_seven_days(caller: Caller) -> None:
    job = caller.bring(profile("ana@example.com"))
    caller.advance(7 * 86_400)
    paths = [f"{JOBS}/{job['id']}", f"{JOBS}/{job['id']}/import-errors", f"{JOBS}/{job['id']}/profiles"]
    assert [caller.get(path).status_code for path in paths] == [404] * 3
    assert caller.get(JOBS).json()["data"] == []


def test_a_job_tells_whom_it_wrote_and_its_lists(caller: Caller) -> None:
    list_id = caller.create_list()
    job = caller.bring(profile("ana@example.com"), profile("bo@example.com"), lists=(list_id,))
    people = caller.get(f"{JOBS}/{job['id']}/profiles", **{"fields[profile]": "email"}).json()["data"]
    assert sorted(each["attributes"]["email"] for each in people) == ["ana@example.com", "bo@example.com"]
    ids = caller.get(f"{JOBS}/{job['id']}/relationships/profiles").json()["data"]
    assert {each["id"] for each in ids} == {each["id"] for each in people}
    body = caller.get(f"{JOBS}/{job['id']}", include="lists", **{"fields[list]": "name"}).json()
    assert [each["attributes"] for each in body["included"]] == [{"name": "Loyal customers"}]


@pytest.mark.parametrize(("switch", "left"), [("ignored", {"Tier": "Gold"}), ("honoured", {})])
def test_whether_bulk_unsets_is_a_switch(caller: Caller, switch: str, left: dict[str, str]) -> None:
    caller.settings(bulk_unset=switch)
    caller.bring(profile("ana@example.com", properties={"Tier": "Gold"}))
    caller.bring({**profile("ana@example.com"), "meta": {"patch_properties": {"unset": "Tier"}}})
    assert caller.one("ana@example.com")["attributes"]["properties"] == left


def test_nulls_may_be_passed_over(caller: Caller) -> None:
    caller.settings(bulk_null="ignored")
    caller.bring(profile("ana@example.com", first_name="Ana"))
    caller.bring(profile("ana@example.com", first_name=None))
    assert caller.one("ana@example.com")["attributes"]["first_name"] == "Ana"


@pytest.mark.parametrize(
    ("before", "can_receive", "consent"),
    [
        ({"status": "unsubscribed"}, False, "UNSUBSCRIBED"),
        ({"suppressions": ["HARD_BOUNCE"]}, False, "NEVER_SUBSCRIBED"),
        ({"status": "subscribed", "suppressions": ["USER_SUPPRESSED"]}, False, "SUBSCRIBED"),
        ({"status": "subscribed"}, True, "SUBSCRIBED"),
    ],
)
def test_an_import_changes_nobodys_consent_and_they_become_members(
    caller: Caller, before: dict[str, Any], can_receive: bool, consent: str
) -> None:
    list_id = caller.create_list()
    caller.people({"email": "ana@example.com", **before})
    caller.bring(profile("ana@example.com", first_name="Ana"), lists=(list_id,))
    assert caller.members(list_id) == ["ana@example.com"]
    read = caller.one("ana@example.com", **{"additional-fields[profile]": "subscriptions"})["attributes"]
    marketing = read["subscriptions"]["email"]["marketing"]
    assert (marketing["can_receive_email_marketing"], marketing["consent"]) == (can_receive, consent)
    assert read["first_name"] == "Ana"


def test_who_left_a_list_is_off_it_and_is_counted_when_put_back(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com"), lists=(list_id,))
    caller.people({"email": "ana@example.com", "unsubscribedFrom": [list_id]})
    assert (caller.members(list_id), caller.state()["lists"][0]["unsubscribed"]) == ([], 1)
    caller.bring(profile("ana@example.com", first_name="Ana"))
    assert (caller.members(list_id), caller.state()["readded_after_unsubscribe"]) == ([], 0)
    caller.bring(profile("ana@example.com"), lists=(list_id,))
    assert (caller.members(list_id), caller.state()["readded_after_unsubscribe"]) == (["ana@example.com"], 1)
    read = caller.one("ana@example.com", **{"additional-fields[profile]": "subscriptions"})["attributes"]
    assert read["subscriptions"]["email"]["marketing"]["list_suppressions"][0]["list_id"] == list_id


def test_a_job_whose_answer_was_lost_is_there(caller: Caller, simulator: Simulator[Klaviyo]) -> None:
    list_id = caller.create_list()
    simulator.faults.set([Fault(endpoint=f"POST {JOBS}", kind="drop", work=True, times=1)])
    with pytest.raises(requests.ConnectionError):
        caller.send(profile("ana@example.com"), lists=(list_id,))
    (job,) = caller.get(JOBS, sort="-created_at").json()["data"]
    assert (job["attributes"]["total_count"], job["relationships"]["lists"]["data"][0]["id"]) == (1, list_id)
    caller.advance()
    assert caller.members(list_id) == ["ana@example.com"]


def test_lists_of_two_accounts_have_different_ids_and_members(caller: Caller) -> None:
    caller.settings(keys={"pk_Other1_standard": {"account": "Other1"}})
    mine = caller.create_list()
    caller.use_key("pk_Other1_standard")
    other = caller.create_list()
    caller.bring(profile("ana@example.com"), lists=(other,))
    assert (mine != other, caller.members(mine), caller.members(other)) == (True, [], ["ana@example.com"])
    assert caller.get("/_simulator/state?account=Other1").json()["people"] == 1
    assert caller.state()["pending"] == 0
