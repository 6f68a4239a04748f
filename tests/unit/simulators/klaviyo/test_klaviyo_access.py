"""Klaviyo: keys, scopes, revisions, rates (contract sections 1 and 8)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from dev.simulators.klaviyo import ACCESS, ACCOUNT, FLOWS_KEY, READING_KEY, REVISION, STANDARD_KEY, Klaviyo
from tests.unit.simulators.klaviyo.conftest import JOBS, Caller, problem, profile


def test_the_check_tells_the_account(caller: Caller) -> None:
    answer = caller.get("/api/accounts")
    assert answer.headers["content-type"] == "application/vnd.api+json"
    (account,) = answer.json()["data"]
    assert (account["id"], account["attributes"]["public_api_key"]) == (ACCOUNT, ACCOUNT)
    assert (answer.headers["cid"], answer.headers["x-klaviyo-api-revision"]) == (ACCOUNT, REVISION)


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "not_authenticated"),
        ("Basic abc", "not_authenticated"),
        (STANDARD_KEY, "not_authenticated"),
        ("Klaviyo-API-Key pk_nobody", "authentication_failed"),
        ("Bearer nobody", "authentication_failed"),
    ],
)
def test_a_key_that_is_none_is_refused(caller: Caller, authorization: str | None, code: str) -> None:
    headers = {"revision": REVISION, **({"Authorization": authorization} if authorization else {})}
    answer = requests.get(f"{caller.url}/api/accounts", headers=headers, timeout=20)
    assert problem(answer) == (401, code, "/data/")


def test_an_access_token_opens_as_a_key_does(caller: Caller) -> None:
    caller.session.headers["Authorization"] = f"Bearer {ACCESS}"
    assert caller.get("/api/accounts").status_code == 200


@pytest.mark.parametrize(
    ("key", "method", "path", "allowed"),
    [
        (READING_KEY, "GET", "/api/lists", True),
        (READING_KEY, "GET", "/api/profiles", True),
        (READING_KEY, "POST", "/api/lists", False),
        (READING_KEY, "POST", JOBS, False),
        (READING_KEY, "POST", "/api/profile-import", False),
        (STANDARD_KEY, "GET", "/api/lists/X/flow-triggers", False),
        (FLOWS_KEY, "GET", "/api/lists/X/flow-triggers", True),
        (FLOWS_KEY, "POST", "/api/profile-subscription-bulk-create-jobs", False),
        (FLOWS_KEY, "POST", "/api/profile-suppression-bulk-delete-jobs", False),
        (FLOWS_KEY, "POST", "/api/data-privacy-deletion-jobs", False),
    ],
)
def test_a_call_wants_its_scopes(caller: Caller, key: str, method: str, path: str, allowed: bool) -> None:
    caller.use_key(key)
    answer = caller.call(method, path)
    assert (answer.status_code != 403) == allowed
    assert allowed or problem(answer)[:2] == (403, "permission_denied")


def test_calls_that_touch_consent_are_counted(caller: Caller) -> None:
    caller.post("/api/profile-subscription-bulk-delete-jobs", {})
    assert caller.state()["forbidden_calls"] == 1


@pytest.mark.parametrize(
    ("revision", "opt_out", "status", "served"),
    [
        (REVISION, None, 200, REVISION),
        ("2026-10-15", None, 200, "2026-10-15"),
        ("2024-10-15", None, 200, "2026-10-15"),
        ("2024-10-15", "1", 410, "2026-10-15"),
        ("2031-01-15", None, 400, "2026-10-15"),
        ("yesterday", None, 400, "2026-10-15"),
        ("", None, 400, "2026-10-15"),
    ],
)
def test_a_revision_is_served_or_falls_forward(
    caller: Caller, revision: str, opt_out: str | None, status: int, served: str
) -> None:
    caller.settings(revisions={"2024-10-15": "retired"})
    caller.session.headers["revision"] = revision
    if opt_out:
        caller.session.headers["X-Klaviyo-Revision-Fall-Forward-Opt-Out"] = opt_out
    answer = caller.get("/api/accounts")
    assert (answer.status_code, answer.headers["x-klaviyo-api-revision"]) == (status, served)


def test_a_missing_revision_is_refused(caller: Caller) -> None:
    del caller.session.headers["revision"]
    assert problem(caller.get("/api/lists")) == (400, "invalid", "revision")


def test_paths_with_a_slash_at_the_end_are_the_same(caller: Caller) -> None:
    assert caller.get("/api/lists/").status_code == 200


def test_what_is_not_there_is_not_found(caller: Caller) -> None:
    answers = [caller.get(path) for path in ("/api/segments", "/api/lists/Nope", "/api/profiles/Nope", f"{JOBS}/Nope")]
    assert [problem(answer)[:2] for answer in answers] == [(404, "not_found")] * 4


def test_a_burst_ends_with_when_to_come_back(caller: Caller) -> None:
    assert caller.get("/api/accounts").headers["RateLimit-Limit"] == "1, 1;w=1, 15;w=60"
    refused = caller.get("/api/accounts")
    assert (problem(refused)[:2], refused.headers["Retry-After"]) == ((429, "throttled"), "1")
    assert "RateLimit-Limit" not in refused.headers
    caller.advance()
    assert caller.get("/api/accounts").status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "burst", "steady"),
    [
        ("/api/lists", {}, 75, 750),
        ("/api/lists/Y", {}, 75, 750),
        ("/api/lists/Y", {"additional-fields[list]": "profile_count"}, 1, 15),
        ("/api/profiles", {}, 75, 750),
        (JOBS, {}, 10, 150),
    ],
)
def test_every_answer_tells_the_windows(
    caller: Caller, path: str, query: dict[str, Any], burst: int, steady: int
) -> None:
    answer = caller.get(path, **query)
    assert answer.headers["RateLimit-Limit"] == f"{burst}, {burst};w=1, {steady};w=60"
    assert answer.headers["RateLimit-Remaining"] == str(burst - 1)


def test_methods_of_one_path_count_together(caller: Caller) -> None:
    for _ in range(10):
        caller.get(JOBS)
    assert caller.send(profile("ana@example.com")).status_code == 429
    caller.settings(methods_share=False)
    assert caller.send(profile("ana@example.com")).status_code == 202


def test_only_so_many_lists_a_day(caller: Caller) -> None:
    caller.settings(limits={"POST /api/lists": [{"calls": 2, "seconds": 86400}]})
    for _ in range(2):
        caller.create_list()
    refused = caller.post("/api/lists", {})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "86400")


@pytest.mark.parametrize(("form", "expected"), [("absent", None), ("seconds", "7")])
def test_a_429_may_be_put_on(caller: Caller, simulator: Simulator[Klaviyo], form: str, expected: str | None) -> None:
    after = int(expected) if expected else None
    simulator.faults.set([Fault(endpoint="GET /api/lists", kind="rate_limited", retry_after=after)])
    assert caller.get("/api/lists").headers.get("Retry-After") == expected
