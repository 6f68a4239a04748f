"""Runs over HTTP: history, report, and steering."""

from __future__ import annotations

import pytest

from shared.control.runs import FirstRunView, PlannedView
from shared.delivery.state.records import State
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import connection_body, export_body
from tests.unit.api.service import FakeService, run

RUNS = "/api/v1/exports/vips/runs"


@pytest.fixture(autouse=True)
def _history(client: Client, service: FakeService) -> None:
    client.put("/api/v1/exports/vips", export_body())
    service.past = [run("r3", State.BLOCKED), run("r2"), run("r1", State.FAILED)]


def test_runs_are_paged_newest_first(client: Client) -> None:
    first = client.get(RUNS, query={"top": 2}).json
    assert [each["run"] for each in first["runs"]] == ["r3", "r2"]
    rest = client.get(RUNS, query={"top": 2, "continue": first["next"]}).json
    assert [each["run"] for each in rest["runs"]] == ["r1"]
    assert rest["next"] is None


@pytest.mark.parametrize("top", ["0", "101", "many"])
def test_a_page_has_a_sane_size(client: Client, top: str) -> None:
    answer = client.get(RUNS, query={"top": top})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["?top"]


def test_a_token_that_was_not_given_is_refused(client: Client) -> None:
    answer = client.get(RUNS, query={"continue": "guess"})
    assert (answer.status, answer.json["code"]) == (422, "bad_token")


def test_the_runs_of_a_deleted_export_can_be_read_but_not_of_one_that_never_was(
    client: Client, service: FakeService
) -> None:
    service.past = [run("r1")]
    client.delete("/api/v1/exports/vips")
    assert [each["run"] for each in client.get(RUNS).json["runs"]] == ["r1"]
    assert client.get("/api/v1/exports/never/runs").status == 404


def test_a_run_tells_its_state_progress_and_plan(client: Client) -> None:
    answer = client.get(f"{RUNS}/r3").json
    assert answer["state"] == "blocked"
    assert answer["progress"] == {"done": 1, "total": 2, "step": "deliver", "rate": None, "seconds_left": None}
    assert answer["targets"][0]["plan"] == "plan-1"
    assert set(answer["targets"][0]["counts"]) == {
        "rows_read", "duplicates", "refused_here", "unchanged", "held", "add", "change", "remove",
        "accepted", "rejected", "skipped", "unknown", "kept_back", "removed_by_rules", "later",
        "moved", "shared_addresses", "without_id",
    }  # fmt: skip
    assert client.get(f"{RUNS}/r9").status == 404


@pytest.mark.parametrize(
    "path", ["/api/v1/exports/a%23/runs", "/api/v1/exports/No/runs", f"{RUNS}/a%00", f"{RUNS}/..%5Cx"]
)
def test_no_store_is_asked_for_a_name_that_nothing_has(
    client: Client, service: FakeService, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "runs", None)
    assert client.get(path).status == 404


def test_a_report_is_there_when_the_run_ended(client: Client) -> None:
    assert client.get(f"{RUNS}/r2/report").json["run"]["run"] == "r2"
    assert client.get(f"{RUNS}/r3/report").status == 404


def test_refused_people_are_behind_a_short_lived_link(client: Client) -> None:
    redirect = client.get(f"{RUNS}/r2/rejected.csv")
    assert (redirect.status, redirect.headers["location"]) == (307, "https://blobs.example/rejected.csv?sig=x")
    assert redirect.headers["cache-control"] == "no-store"
    link = client.get(f"{RUNS}/r2/rejected.csv", query={"link": "json"})
    assert link.json == {"url": "https://blobs.example/rejected.csv?sig=x", "expires_at": "2026-11-22T12:05:00Z"}
    assert client.get(f"{RUNS}/r9/rejected.csv").status == 404
    values = client.get(f"{RUNS}/r2/left-out.csv")
    assert (values.status, values.headers["location"]) == (307, "https://blobs.example/left-out.csv?sig=x")
    assert client.get(f"{RUNS}/r2/rejected.csv", query={"target": 1}).status == 404
    assert client.get(f"{RUNS}/r2/rejected.csv", query={"link": "xml"}).status == 422


def test_a_run_is_cancelled_unless_it_ended(client: Client) -> None:
    assert client.post(f"{RUNS}/r3/cancel").status == 202
    ended = client.post(f"{RUNS}/r2/cancel")
    assert (ended.status, ended.json["code"]) == (409, "ended")
    assert client.post(f"{RUNS}/r9/cancel").status == 404


@pytest.mark.parametrize("decision", ["deliver", "start_small", "additions_only", "discard"])
def test_a_decision_names_the_plan_and_the_person(client: Client, service: FakeService, decision: str) -> None:
    assert client.post(f"{RUNS}/r3/decision", {"plan": "plan-1", "decision": decision}).status == 202
    assert service.decided == [{"export": "vips", "run": "r3", "decision": decision, "by": "ann"}]


def test_what_a_run_planned_is_told_with_the_numbers_of_its_question(client: Client, service: FakeService) -> None:
    assert client.get(f"{RUNS}/r3/plan").status == 404
    asked = FirstRunView(
        people=48_211, members=0, looked_up=200, new=181, starts=("Welcome",), minutes=3, requests=507, notes=("So.",)
    )
    service.plans[0] = PlannedView(members_before=0, first_run=asked)
    told = client.get(f"{RUNS}/r3/plan").json["first_run"]
    assert told == {
        "people": 48_211, "members": 0, "looked_up": 200, "new": 181, "starts": ["Welcome"], "minutes": 3,
        "requests": 507, "bills_by": "", "notes": ["So."],
    }  # fmt: skip
    assert client.get(f"{RUNS}/r3/plan", query={"target": "1"}).status == 404
    assert client.get(f"{RUNS}/r9/plan").status == 404


def test_a_decision_on_another_plan_is_refused(client: Client, service: FakeService) -> None:
    answer = client.post(f"{RUNS}/r3/decision", {"plan": "plan-0", "decision": "deliver"})
    assert (answer.status, answer.json["code"]) == (409, "superseded")
    wrong = client.post(f"{RUNS}/r3/decision", {"decision": "maybe"})
    assert [error["pointer"] for error in wrong.json["errors"]] == ["/plan", "/decision"]
    assert service.decided == []


def test_only_who_may_change_an_export_steers_its_runs(client: Client, contributor: Client) -> None:
    decision = {"plan": "plan-1", "decision": "deliver"}
    assert contributor.get(f"{RUNS}/r3").status == 200
    assert contributor.post(f"{RUNS}/r3/cancel").status == 403
    assert contributor.post(f"{RUNS}/r3/decision", decision).status == 403
    client.put("/api/v1/connections/marketing", connection_body(shared_with="administrators and contributors"))
    assert contributor.post(f"{RUNS}/r3/cancel").status == 202
