"""Omnisend under /_simulator: people put in place, the state, the journal, the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.simulators.common.simulator import Simulator
from dev.simulators.omnisend import BRAND, STANDARD_KEY, VERSION, Omnisend, Settings
from tests.unit.simulators.omnisend.conftest import Caller, item


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_people_can_be_put_in_place(caller: Caller) -> None:
    content = {
        "lists": [{"name": "empty"}],
        "people": [
            {"email": "ana@example.com", "dataFields": {"city": "Hoboken"}, "lists": ["ci loyal"]},
            {"email": "bo@example.com", "lists": ["ci loyal"], "status": "unsubscribed", "statusChangedAt": 1.0},
        ],
    }
    loaded = caller.post("/_simulator/people", content).json()
    lists = [{"id": name, "name": name} for name in ("empty", "ci loyal")]
    assert loaded == {"lists": lists, "people": 2}
    state = caller.state()
    assert (state["vendor"], state["account"], state["people"]) == ("omnisend", BRAND, 2)
    assert [(each["name"], each["members"]) for each in state["lists"]] == [("empty", 0), ("ci loyal", 2)]
    assert state["statuses"] == {"nonSubscribed": 1, "unsubscribed": 1}
    assert state["unsubscribed"] == ["bo@example.com"]
    assert (state["welcome_messages"], state["status_changes"]) == (0, {})
    ana, bo = lines(caller.get("/_simulator/lists/ci loyal/members").text)
    assert ana == {
        "address": "ana@example.com",
        "dataFields": {"city": "Hoboken"},
        "contactID": caller.contact("ana@example.com")["id"],
        "status": "nonSubscribed",
        "tags": ["ci loyal"],
    }
    assert (bo["address"], bo["status"]) == ("bo@example.com", "unsubscribed")
    assert caller.contact("bo@example.com")["statuses"][0]["statusChangedAt"] == "1970-01-01T00:00:01Z"


def test_the_members_of_a_tag_that_never_was_are_not_found(caller: Caller) -> None:
    assert caller.get("/_simulator/lists/none/members").status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        {"people": [{"email": "ana@@example.com"}]},
        {"people": [{"email": "ana@example.com", "dataFields": {"gender": "x"}}]},
        {"people": [{"email": "ana@example.com", "status": "active"}]},
        {"people": [{"email": "ana@example.com", "tags": ["a"]}]},
        {"members": []},
    ],
)
def test_content_that_does_not_fit_is_refused_without_repeating_it(caller: Caller, content: Any) -> None:
    answer = caller.post("/_simulator/people", content)
    assert answer.status_code == 400
    assert "example.com" not in answer.text


def test_the_state_tells_of_what_is_still_to_come(caller: Caller) -> None:
    caller.batch(item("ana@example.com", customProperties={"points": 1, "tier": "gold"}))
    caller.tag(["loyal"], emails=["ana@example.com"])
    state = caller.state()
    assert (state["pending"], state["batches"], state["people"]) == (2, {"pending": 1}, 0)
    caller.advance()
    caller.deliver(item("bo@example.com", customProperties={"tier": 2}))
    state = caller.state()
    assert (state["pending"], state["batches"], state["people"]) == (0, {"finished": 2}, 2)
    assert state["fields"] == {"points": "number", "tier": "mixed"}


def test_the_journal_tells_of_rows_and_whom_they_touched(caller: Caller) -> None:
    caller.batch(item("ana@example.com"), item("bad@@x"))
    caller.advance()
    caller.tag(["loyal"], emails=["ana@example.com", "nobody@example.com"])
    caller.tag(["a/b"], emails=["ana@example.com"])
    batch, tag, refused = lines(caller.get("/_simulator/requests/entries").text)
    assert (batch["endpoint"], batch["rows"], batch["account"]) == ("POST /api/batches", 2, BRAND)
    assert batch["touched"] == ["ana@example.com", "bad@@x"]
    assert (tag["endpoint"], tag["rows"], tag["touched"]) == ("POST /api/contacts/tags", 2, ["ana@example.com"])
    assert (refused["rows"], refused["worked"], refused["touched"]) == (1, False, [])


def test_reset_forgets_everything_also_what_is_still_to_come(simulator: Simulator[Omnisend], caller: Caller) -> None:
    caller.post("/api/contacts", item("ana@example.com"))
    first = caller.get("/api/contacts").json()["contacts"][0]["id"]
    caller.batch(item("bo@example.com"))
    caller.post("/_simulator/settings", {"keys": {STANDARD_KEY: None}})
    state = caller.post("/_simulator/reset", {}).json()
    assert (state["people"], state["pending"]) == (0, 0)
    caller.advance()
    assert caller.get("/api/contacts").json()["contacts"] == []
    assert caller.post("/api/contacts", item("cy@example.com")).json()["id"] == first
    assert [each["email"] for each in caller.get("/api/contacts").json()["contacts"]] == ["cy@example.com"]


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "dev.simulators", "omnisend", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            headers = {"Authorization": f"Omnisend-API-Key {STANDARD_KEY}", "Omnisend-Version": VERSION}
            answer = requests.get(f"{url}/api/brands/current", headers=headers, timeout=20)
            assert answer.json()["brandID"] == BRAND
        finally:
            process.terminate()


def test_the_readme_tells_of_every_switch() -> None:
    readme = Path(__file__).parents[4].joinpath("dev/simulators/README.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in readme] == []
