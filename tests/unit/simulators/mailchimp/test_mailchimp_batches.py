"""Mailchimp: many operations in one call (contract section 4d), the journal, and the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.simulators.mailchimp import ACCOUNT, STANDARD_KEY, Settings
from tests.unit.simulators.mailchimp.conftest import Caller, member, problem, row


def patch(address: str, number: int, **more: Any) -> dict[str, Any]:
    body = json.dumps({"merge_fields": {"FNAME": f"Name {number}"}})
    return {"method": "PATCH", "path": member(address), "operation_id": str(number), "body": body, **more}


def test_a_batch_goes_through_its_states_and_is_carried_out_at_its_end(caller: Caller) -> None:
    caller.bulk(row("ana@example.com"))
    batch = caller.batch(patch("ana@example.com", 1), patch("nobody@example.com", 2))
    assert (batch["status"], batch["total_operations"], batch["response_body_url"]) == ("pending", 2, "")
    states = []
    for _ in range(4):
        caller.advance(0.06)
        states.append(caller.get(f"/batches/{batch['id']}").json()["status"])
    assert states == ["preprocessing", "started", "started", "finalizing"]
    assert caller.member("ana@example.com")["merge_fields"]["FNAME"] == ""
    caller.advance()
    ended = caller.get(f"/batches/{batch['id']}").json()
    assert (ended["status"], ended["finished_operations"], ended["errored_operations"]) == ("finished", 2, 1)
    assert caller.member("ana@example.com")["merge_fields"]["FNAME"] == "Name 1"
    results, _ = caller.results(batch)
    assert [(each["operation_id"], each["status_code"]) for each in results] == [("1", 200), ("2", 404)]
    assert json.loads(results[0]["response"])["merge_fields"]["FNAME"] == "Name 1"


def test_results_come_in_several_files(caller: Caller) -> None:
    caller.settings(results_per_file=2)
    caller.bulk(*(row(f"p{number}@example.com") for number in range(5)))
    batch = caller.batch(*(patch(f"p{number}@example.com", number) for number in range(5)))
    caller.advance()
    results, files = caller.results(batch)
    assert (len(results), files) == (5, 3)


def test_the_address_of_results_is_good_for_ten_minutes_and_without_a_key(caller: Caller) -> None:
    batch = caller.batch(patch("ana@example.com", 1))
    caller.advance()
    url = caller.get(f"/batches/{batch['id']}").json()["response_body_url"]
    here = f"{caller.root}/results/{url.partition('/results/')[2]}"
    assert requests.get(here, auth=("any", STANDARD_KEY), timeout=20).status_code == 400
    assert caller.state()["results_with_key"] == 1
    assert requests.get(here, timeout=20).status_code == 200
    caller.advance(600)
    assert requests.get(here, timeout=20).status_code == 403
    assert caller.results(batch)[0][0]["status_code"] == 404


def test_one_batch_runs_at_a_time(caller: Caller) -> None:
    ids = [caller.batch(patch("ana@example.com", 1))["id"] for _ in range(3)]

    def states() -> list[str]:
        return [caller.get(f"/batches/{each}").json()["status"] for each in ids]

    caller.advance(0.2)
    assert states() == ["finalizing", "pending", "pending"]
    caller.advance(0.25)
    assert states() == ["finished", "finalizing", "pending"]
    caller.advance(10)
    assert states() == ["finished"] * 3
    caller.settings(batches_at_once=None)
    ids = [caller.batch(patch("ana@example.com", 1))["id"] for _ in range(3)]
    caller.advance(0.3)
    assert states() == ["finished"] * 3


def test_too_many_pending_batches_are_refused(caller: Caller) -> None:
    caller.settings(most_pending=2)
    for _ in range(2):
        caller.batch(patch("ana@example.com", 1))
    refused = caller.post("/batches", {"operations": [patch("ana@example.com", 1)]})
    assert (refused.status_code, "more than 2 pending batches" in refused.json()["detail"]) == (429, True)


@pytest.mark.parametrize(("switch", "status"), [("get_only", 400), ("all", 200)])
def test_whether_params_reach_a_patch_is_a_switch(caller: Caller, switch: str, status: int) -> None:
    caller.settings(batch_params=switch)
    caller.people({"email": "ana@example.com"}, fields=[{"tag": "TIER", "required": True}])
    batch = caller.batch(patch("ana@example.com", 1, params={"skip_merge_validation": "true"}))
    caller.advance()
    assert caller.results(batch)[0][0]["status_code"] == status


def test_a_query_in_the_path_reaches_every_method(caller: Caller) -> None:
    caller.people({"email": "ana@example.com"}, fields=[{"tag": "TIER", "required": True}])
    path = f"{member('ana@example.com')}?skip_merge_validation=true"
    batch = caller.batch({**patch("ana@example.com", 1), "path": path})
    caller.advance()
    assert caller.results(batch)[0][0]["status_code"] == 200


def test_operations_can_be_made_to_fail(caller: Caller) -> None:
    caller.settings(fail_operations_every=2, fail_operations_status=429)
    caller.bulk(*(row(f"p{number}@example.com") for number in range(4)))
    batch = caller.batch(*(patch(f"p{number}@example.com", number) for number in range(4)))
    caller.advance()
    assert [each["status_code"] for each in caller.results(batch)[0]] == [200, 429, 200, 429]


@pytest.mark.parametrize(
    "operation",
    [
        {"method": "PATCH"},
        {"method": "HEAD", "path": "/ping"},
        {"method": "PATCH", "path": "/ping", "body": {"merge_fields": {}}},
        {"method": "PATCH", "path": "/ping", "operation_id": 7},
        7,
    ],
)
def test_an_operation_that_does_not_fit_is_refused(caller: Caller, operation: Any) -> None:
    assert problem(caller.post("/batches", {"operations": [operation]})) == (400, "Invalid Resource")


def test_batches_are_listed_for_seven_days_and_deleted(caller: Caller) -> None:
    first, second = caller.batch(patch("ana@example.com", 1)), caller.batch(patch("ana@example.com", 1))
    assert [each["id"] for each in caller.get("/batches").json()["batches"]] == [first["id"], second["id"]]
    assert caller.call("DELETE", f"/batches/{first['id']}").status_code == 204
    assert caller.get(f"/batches/{first['id']}").status_code == 404
    caller.advance(7 * 86_400)
    assert caller.get("/batches").json()["total_items"] == 0


def test_the_journal_tells_of_rows_and_whom_they_touched(caller: Caller) -> None:
    tag = caller.create_tag()
    caller.bulk(row("ana@example.com"), row("bad@@"))
    caller.tag(tag, "ana@example.com", "nobody@example.com")
    caller.bulk(row("ana@example.com"), row("ana@example.com"))
    entries = [json.loads(line) for line in caller.get("/_simulator/requests/entries").text.splitlines()]
    told = [(each["endpoint"], each["rows"], each["worked"], each["touched"]) for each in entries[1:]]
    assert told == [
        ("POST /lists/{list_id}", 2, True, ["ana@example.com"]),
        ("POST /lists/{list_id}/segments/{segment_id}", 2, True, ["ana@example.com"]),
        ("POST /lists/{list_id}", 2, False, []),
    ]
    assert entries[0]["account"] == ACCOUNT


def test_unknown_members_of_a_body_are_counted(caller: Caller) -> None:
    caller.bulk({**row("ana@example.com"), "colour": "red"}, update="no")
    assert caller.state()["ignored_keys"] == {"members.0.colour": 1, "update": 1}


def test_reset_forgets_everything(caller: Caller) -> None:
    caller.bulk(row("ana@example.com"))
    caller.create_tag()
    caller.settings(keys={STANDARD_KEY: None})
    state = caller.post("/_simulator/reset", {}).json()
    assert (state["people"], state["lists"], caller.get("/ping").status_code) == (0, [], 200)


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "dev.simulators", "mailchimp", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            answer = requests.get(f"{url}/us6/3.0/", auth=("any", STANDARD_KEY), timeout=20)
            assert answer.json()["account_id"] == ACCOUNT
        finally:
            process.terminate()


def test_the_readme_tells_of_every_switch() -> None:
    readme = Path(__file__).parents[4].joinpath("dev/simulators/README.md").read_text()
    section = readme.partition("## Mailchimp\n")[2].partition("\n## ")[0]
    common = {"latency_fixed", "latency_per_row", "rates", "retry_after", "journal"}
    assert [name for name in Settings.model_fields.keys() - common if f"`{name}`" not in section] == []
