"""Omnisend: keys, scopes, versions, wrong paths, rates (contract sections 1, 6 and 7)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from dev.simulators.omnisend import BRAND, CONTACTS_KEY, READING_KEY, STANDARD_KEY, VERSION, Key, Omnisend
from tests.unit.simulators.omnisend.conftest import Caller, item

PROBLEMS = "https://problems.omnisend.com"


def test_the_brand_is_the_identity_of_the_account(caller: Caller) -> None:
    answer = caller.get("/api/brands/current")
    assert answer.status_code == 200
    assert answer.json()["brandID"] == BRAND
    assert answer.json()["connected"] is True


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Omnisend-API-Key nonsense"},
        {"Authorization": STANDARD_KEY},
        {"Authorization": f"Bearer {STANDARD_KEY}"},
        {"X-API-KEY": STANDARD_KEY},
    ],
)
def test_a_missing_key_and_a_wrong_one_look_the_same(caller: Caller, header: dict[str, str]) -> None:
    caller.session.headers = {"Omnisend-Version": VERSION, **header}
    answer = caller.get("/api/brands/current")
    assert answer.status_code == 401
    assert answer.json() == {"type": f"{PROBLEMS}/unauthorized", "title": "Unauthorized", "status": 401}


def test_a_key_can_be_revoked_while_in_use(simulator: Simulator[Omnisend], caller: Caller) -> None:
    assert caller.get("/api/contacts").status_code == 200
    simulator.vendor.settings.keys = {}
    assert caller.get("/api/contacts").status_code == 401


def test_a_key_does_only_what_its_scopes_say(caller: Caller) -> None:
    caller.use_key(READING_KEY)
    assert caller.get("/api/contacts").status_code == 200
    answer = caller.post("/api/contacts", item("ana@example.com"))
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["title"], body["status"]) == (f"{PROBLEMS}/forbidden", "Forbidden", 403)
    assert "contacts.write" in body["detail"]
    assert body["instance"].startswith("urn:omnisend:request:")
    assert caller.tag(["a"], emails=["ana@example.com"]).status_code == 403
    assert caller.untag(["a"], emails=["ana@example.com"]).status_code == 403
    assert caller.contact("ana@example.com") == {}


def test_a_key_for_contacts_alone_gets_at_no_batch(simulator: Simulator[Omnisend], caller: Caller) -> None:
    caller.use_key(CONTACTS_KEY)
    assert caller.get("/api/batches", endpoint="contacts", limit=1).status_code == 403
    assert caller.batch(item("ana@example.com")).status_code == 403
    assert caller.get("/api/segments").status_code == 403
    simulator.vendor.settings.batch_scopes = "contacts"
    assert caller.get("/api/batches", endpoint="contacts", limit=1).status_code == 200
    assert caller.batch(item("ana@example.com")).status_code == 201


def test_a_version_has_to_be_named(simulator: Simulator[Omnisend], caller: Caller) -> None:
    del caller.session.headers["Omnisend-Version"]
    answer = caller.get("/api/contacts")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Omnisend-Version")
    simulator.vendor.settings.missing_version = "current"
    assert caller.get("/api/contacts").status_code == 200


def test_an_unknown_version_is_refused_and_a_retired_one_is_gone(caller: Caller) -> None:
    caller.session.headers["Omnisend-Version"] = "2025-01-01"
    assert caller.get("/api/contacts").status_code == 400
    caller.post("/_simulator/settings", {"versions": {"2025-01-01": "retired"}})
    assert caller.get("/api/contacts").status_code == 410


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/api/lists"), ("DELETE", "/api/contacts"), ("POST", "/v3/contacts"), ("GET", "/v5/brands")],
)
def test_a_wrong_path_is_not_found(caller: Caller, method: str, path: str) -> None:
    answer = caller.call(method, path)
    assert (answer.status_code, answer.json()["type"]) == (404, f"{PROBLEMS}/not-found")


def test_brands_do_not_see_each_other(simulator: Simulator[Omnisend], caller: Caller) -> None:
    contact = caller.post("/api/contacts", item("ana@example.com", tags=["loyal"])).json()
    simulator.vendor.settings.keys = {"other": Key(brand="60a6170920d91c215e949b5d")}
    caller.use_key("other")
    assert caller.get("/api/brands/current").json()["brandID"] == "60a6170920d91c215e949b5d"
    assert caller.get("/api/contacts").json()["contacts"] == []
    assert caller.members("loyal") == []
    assert caller.get(f"/api/contacts/{contact['id']}").status_code == 404
    assert caller.post("/api/contacts", item("ana@example.com")).json()["id"] != contact["id"]


def test_a_brand_has_400_calls_a_minute_for_everything(simulator: Simulator[Omnisend], caller: Caller) -> None:
    other = "of-another-app"
    simulator.vendor.settings.keys = {**simulator.vendor.settings.keys, other: Key()}
    for number in range(400):
        caller.use_key(other if number % 2 else STANDARD_KEY)
        assert caller.get("/api/brands/current" if number % 3 else "/api/contacts").status_code == 200
    caller.advance(29.5)
    answer = caller.get("/api/contacts")
    assert answer.status_code == 429
    assert answer.json() == {
        "type": f"{PROBLEMS}/rate-limit-exceeded",
        "title": "Rate limit exceeded",
        "status": 429,
        "retryAfter": 31,
    }
    assert "Retry-After" not in answer.headers
    caller.advance(30.5)
    assert caller.get("/api/contacts").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "calls", "body"),
    [
        ("POST", "/api/contacts/tags", 60, {}),
        ("DELETE", "/api/contacts/tags", 60, {}),
        ("POST", "/api/segments", 15, {}),
        ("PUT", "/api/segments/1", 15, {}),
        ("GET", "/api/segments", 100, None),
        ("GET", "/api/segments/1", 100, None),
        ("GET", "/api/segments/1/statistics", 100, None),
        ("DELETE", "/api/segments/1", 100, None),
    ],
)
def test_published_rates_hold(caller: Caller, method: str, path: str, calls: int, body: Any) -> None:
    statuses = [caller.call(method, path, body).status_code for _ in range(calls + 1)]
    assert 429 not in statuses[:-1]
    assert statuses[-1] == 429
    caller.advance(60)
    assert caller.call(method, path, body).status_code != 429


def test_how_long_to_wait_may_be_left_out_or_be_in_a_header(simulator: Simulator[Omnisend], caller: Caller) -> None:
    for _ in range(60):
        caller.tag([])
    simulator.vendor.settings.retry_after = "absent"
    assert "retryAfter" not in caller.tag([]).json()
    simulator.vendor.settings.retry_after = "http_date"
    moment = parsedate_to_datetime(caller.tag([]).headers["Retry-After"])
    assert int(moment.timestamp() - caller.clock.epoch()) in (59, 60)


def test_a_fault_may_say_how_long_to_wait(simulator: Simulator[Omnisend], caller: Caller) -> None:
    simulator.faults.set([Fault(kind="rate_limited", retry_after=7, call=1), Fault(kind="rate_limited", call=1)])
    answer = caller.get("/api/contacts")
    assert (answer.status_code, answer.json()["retryAfter"]) == (429, 7)
    assert "retryAfter" not in caller.get("/api/contacts").json()


@pytest.mark.parametrize("status", [408, 500, 503, 524])
def test_a_failure_of_the_vendor_is_a_problem_too(simulator: Simulator[Omnisend], caller: Caller, status: int) -> None:
    simulator.faults.set([Fault(kind="error", status=status)])
    answer = caller.get("/api/contacts")
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["instance"].startswith("urn:omnisend:request:")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/contacts"),
        ("POST", "/api/batches"),
        ("POST", "/api/contacts/tags"),
        ("DELETE", "/api/contacts/tags"),
        ("POST", "/api/segments"),
    ],
)
@pytest.mark.parametrize(
    ("data", "media"),
    [(b'{"tags"', "application/json"), (b"[]", "application/json"), (b"", "application/json"), (b"{}", "text/plain")],
)
def test_a_body_that_is_no_json_object_is_refused(
    caller: Caller, method: str, path: str, data: bytes, media: str
) -> None:
    headers = {"Content-Type": media}
    answer = caller.session.request(method, f"{caller.url}{path}", data=data, headers=headers, timeout=20)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "body", "code": "invalid_format", "message": "Must be a JSON object"},
    ]
