"""Klaviyo: single profiles, and the inspection (contract section 4)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.simulators.klaviyo import ACCOUNT, REVISION, STANDARD_KEY, Settings
from tests.unit.simulators.klaviyo.conftest import Caller, problem, profile


def test_a_profile_is_made_then_changed(caller: Caller) -> None:
    made = caller.post("/api/profile-import", {"data": profile("Ana@example.com", first_name="Ana", title="Dr")})
    again = caller.post("/api/profile-import", {"data": profile("ana@example.com", title=None)})
    assert (made.status_code, again.status_code) == (201, 200)
    attributes = again.json()["data"]["attributes"]
    assert (attributes["email"], attributes["first_name"], attributes["title"]) == ("ana@example.com", "Ana", None)
    assert made.json()["data"]["id"] == again.json()["data"]["id"]


def test_absent_stays_null_clears_and_unset_takes_away(caller: Caller) -> None:
    has: dict[str, Any] = {"location": {"city": "Hoboken", "zip": "07030"}, "properties": {"Tier": "Gold", "Points": 1}}
    found = caller.post("/api/profile-import", {"data": profile("ana@example.com", **has)}).json()["data"]
    path = f"/api/profiles/{found['id']}"
    row = {"type": "profile", "id": found["id"], "attributes": {"location": {"zip": None}}}
    changed = caller.call("PATCH", path, {"data": {**row, "meta": {"patch_properties": {"unset": ["Tier"]}}}})
    attributes = changed.json()["data"]["attributes"]
    assert (attributes["location"]["city"], attributes["location"]["zip"]) == ("Hoboken", None)
    assert attributes["properties"] == {"Points": 1}
    assert problem(caller.call("PATCH", path, {"data": {**row, "id": "other"}})) == (400, "invalid", "/data/id")


def test_a_phone_of_somebody_else_is_a_conflict(caller: Caller) -> None:
    other = caller.post("/api/profile-import", {"data": profile("ana@example.com", phone_number="+15005550006")}).json()
    caller.post("/api/profile-import", {"data": profile("bo@example.com")})
    answer = caller.post("/api/profile-import", {"data": profile("bo@example.com", phone_number="+15005550006")})
    assert problem(answer) == (409, "duplicate_profile", "/data/attributes")
    assert answer.json()["errors"][0]["meta"] == {"duplicate_profile_id": other["data"]["id"]}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (profile("ana@@example.com"), 400),
        ({"type": "profile", "attributes": {"title": "x"}}, 400),
        ({"type": "profile"}, 400),
        ([], 400),
        (profile("ana@example.com", properties={"Text": "x" * 100_000}), 413),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(caller: Caller, data: Any, status: int) -> None:
    assert caller.post("/api/profile-import", {"data": data}).status_code == status


def test_people_are_found_by_what_names_them(caller: Caller) -> None:
    caller.bring(*(profile(f"p{each}@example.com", external_id=f"x{each}") for each in range(30)))
    assert caller.one("P1@example.com")["attributes"]["external_id"] == "x1"
    assert caller.one("nobody@example.com") == {}
    asked = ",".join(f'"p{each}@example.com"' for each in range(25))
    assert len(caller.get("/api/profiles", filter=f"any(email,[{asked}])").json()["data"]) == 20
    every = caller.get("/api/profiles", filter=f"any(email,[{asked}])", **{"page[size]": 100}).json()["data"]
    assert len(every) == 25
    by_id = caller.get("/api/profiles", filter=f'equals(id,"{every[0]["id"]}")').json()["data"]
    assert [each["id"] for each in by_id] == [every[0]["id"]]
    assert len(caller.get("/api/profiles", filter='any(external_id,["x1","x2"])').json()["data"]) == 2


def test_people_are_found_by_the_list_that_they_left_and_by_why_they_get_nothing(caller: Caller) -> None:
    list_id, other = caller.create_list(), caller.create_list("Others")
    left = {"email": "ana@example.com", "unsubscribedFrom": [list_id]}
    caller.people(left, {"email": "bo@example.com", "unsubscribedFrom": [other], "suppressions": ["HARD_BOUNCE"]})

    def found(condition: str) -> list[str]:
        entries = caller.get("/api/profiles", filter=f"equals(subscriptions.email.marketing.{condition})").json()[
            "data"
        ]
        return [each["attributes"]["email"] for each in entries]

    assert found(f'list_suppressions.list_id,"{list_id}"') == ["ana@example.com"]
    assert found('suppression.reason,"HARD_BOUNCE"') == ["bo@example.com"]
    wrong = caller.get("/api/profiles", filter='any(subscriptions.email.marketing.suppression.reason,["HARD_BOUNCE"])')
    assert problem(wrong) == (400, "invalid", "filter")


def test_a_profile_tells_its_lists(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.bring(profile("ana@example.com"), lists=(list_id,))
    found = caller.one("ana@example.com")["id"]
    lists = caller.get(f"/api/profiles/{found}/relationships/lists").json()["data"]
    assert lists == [{"type": "list", "id": list_id}]
    read = caller.get(f"/api/profiles/{found}", **{"fields[profile]": "email,location.city"}).json()["data"]
    assert read["attributes"] == {"email": "ana@example.com", "location": {"city": None}}


def test_people_can_be_put_in_place_erased_and_renamed(caller: Caller) -> None:
    caller.people(
        {"email": "ana@example.com", "dataFields": {"first_name": "Ana"}, "lists": ["Loyal"], "status": "subscribed"},
        {"email": "bo@example.com", "lists": ["Loyal"], "status": "unsubscribed", "statusChangedAt": 1.0},
        {"email": "cy@example.com", "lists": ["Loyal"]},
        lists=[{"id": "Yloyal", "name": "Loyal", "flows": [{"name": "Welcome"}]}],
        erased=["cy@example.com"],
        renamed={"ana@example.com": "anna@example.com"},
    )
    state = caller.state()
    assert (state["vendor"], state["account"], state["people"]) == ("klaviyo", ACCOUNT, 2)
    assert (state["lists"][0]["members"], state["unsubscribed"]) == (2, ["bo@example.com"])
    assert (state["flows_started"], state["recreated"]) == (0, 0)
    assert (caller.one("cy@example.com"), caller.one("ana@example.com")) == ({}, {})
    lines = caller.get("/_simulator/lists/Yloyal/members").text.splitlines()
    anna = json.loads(lines[0])
    assert (anna["address"], anna["dataFields"], anna["consent"]) == (
        "anna@example.com",
        {"first_name": "Ana"},
        "SUBSCRIBED",
    )
    caller.bring(profile("cy@example.com"))
    assert caller.state()["recreated"] == 1


@pytest.mark.parametrize(
    "content",
    [
        {"people": [{"email": "ana@@example.com"}]},
        {"people": [{"email": "ana@example.com", "status": "active"}]},
        {"people": [{"email": "ana@example.com", "lists": ["none"]}]},
        {"people": [{"email": "ana@example.com", "dataFields": {"colour": "red"}}]},
        {"members": []},
    ],
)
def test_content_that_does_not_fit_is_refused_without_repeating_it(caller: Caller, content: Any) -> None:
    answer = caller.post("/_simulator/people", content)
    assert (answer.status_code, "example.com" in answer.text) == (400, False)


def test_the_journal_tells_of_rows_and_whom_they_touched(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.send(profile("ana@example.com"), profile("bo@example.com"), lists=(list_id,))
    caller.send(profile("ana@example.com"), profile("bad@"))
    caller.advance()
    caller.remove(list_id, caller.one("ana@example.com")["id"])
    entries = [json.loads(line) for line in caller.get("/_simulator/requests/entries").text.splitlines()]
    told = [(each["rows"], each["worked"], each["touched"]) for each in entries if each["method"] != "GET"]
    both = ["ana@example.com", "bo@example.com"]
    assert told == [(0, True, []), (2, True, both), (2, False, []), (1, True, ["ana@example.com"])]


def test_reset_forgets_everything(caller: Caller) -> None:
    caller.bring(profile("ana@example.com"))
    caller.settings(keys={STANDARD_KEY: None})
    state = caller.post("/_simulator/reset", {}).json()
    assert (state["people"], state["jobs"]) == (0, {})
    assert caller.get("/api/lists").status_code == 200


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "dev.simulators", "klaviyo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            headers = {"Authorization": f"Klaviyo-API-Key {STANDARD_KEY}", "revision": REVISION}
            answer = requests.get(f"{url}/api/accounts", headers=headers, timeout=20)
            assert answer.json()["data"][0]["id"] == ACCOUNT
        finally:
            process.terminate()


def test_the_readme_tells_of_every_switch() -> None:
    readme = Path(__file__).parents[4].joinpath("dev/simulators/README.md").read_text()
    section = readme.partition("## Klaviyo\n")[2].partition("\n## ")[0]
    own = Settings.model_fields.keys() - {"latency_fixed", "latency_per_row", "rates", "most_in_flight", "journal"}
    assert [name for name in own if f"`{name}`" not in section] == []
