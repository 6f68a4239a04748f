"""Connections over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import Blocked, Conflict, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.contract import CheckResult
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import connection_body, export_body
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import ADMIN, connection

ONE = "/api/v1/connections/marketing"


def test_a_new_connection_is_created_where_it_says(client: Client) -> None:
    answer = client.put("/api/v1/connections/second", connection_body())
    assert (answer.status, answer.headers["location"]) == (201, "/api/v1/connections/second")
    read = client.get("/api/v1/connections/second")
    assert read.status == 200
    assert read.json == answer.json
    assert read.headers["etag"] == answer.headers["etag"]
    assert read.json["created_by"] == "ann"
    assert [each["name"] for each in client.get("/api/v1/connections").json] == ["marketing", "second"]


def test_an_answer_may_be_sent_back(client: Client) -> None:
    read = client.get(ONE)
    again = client.put(ONE, {**read.json, "display_name": "New"}, headers={"If-Match": read.headers["etag"]})
    assert again.status == 200
    assert again.json == {**read.json, "display_name": "New"}
    assert again.headers["etag"] != read.headers["etag"]


def test_only_the_version_that_if_match_names_is_replaced(client: Client) -> None:
    first = client.get(ONE).headers["etag"]
    assert client.put(ONE, connection_body(display_name="B"), headers={"If-Match": first}).status == 200
    stale = client.put(ONE, connection_body(display_name="C"), headers={"If-Match": first})
    assert (stale.status, stale.json["code"]) == (412, "precondition_failed")
    assert client.get(ONE).json["display_name"] == "B"
    assert client.put(ONE, connection_body(display_name="D"), headers={"If-Match": "*"}).status == 200
    assert client.put(ONE, connection_body(display_name="E")).status == 200
    assert client.delete(ONE, headers={"If-Match": first}).status == 412
    assert client.delete(ONE, headers={"If-Match": f'"x", {client.get(ONE).headers["etag"]}'}).status == 204


def test_if_none_match_only_creates(client: Client) -> None:
    new = {"If-None-Match": "*"}
    assert client.put(ONE, connection_body(), headers=new).status == 412
    assert client.put("/api/v1/connections/second", connection_body(), headers=new).status == 201
    missing = client.put("/api/v1/connections/third", connection_body(), headers={"If-Match": "*"})
    assert missing.status == 412


def test_somebody_faster_is_a_conflict(client: Client, service: FakeService) -> None:
    def slow() -> CheckResult:
        held = service.catalog.connection("marketing")
        service.catalog.save_connection("marketing", connection(secrets={"key": "new"}), ADMIN, held)
        return CheckResult(True, "Fine.", "acc-2")

    service.check = slow
    answer = client.post(f"{ONE}/check")
    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert client.get(ONE).json["account"] is None


def test_somebody_faster_breaks_the_condition_that_was_sent(
    client: Client, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(entity: dict[str, Any], etag: str) -> str:
        raise Conflict("somebody was faster")

    monkeypatch.setattr(service.world.connections, "replace", lose)
    assert client.put(ONE, connection_body(), headers={"If-Match": "*"}).status == 412
    assert client.put(ONE, connection_body()).status == 409


def test_every_issue_of_a_refused_connection_is_pointed_at(client: Client) -> None:
    answer = client.put(ONE, connection_body(settings={"region": "moon", "pages": 99}, secrets={"token": "x"}))
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json["type"] == "/api/docs#invalid"
    assert {each["pointer"] for each in answer.json["errors"]} == {
        "/settings/region",
        "/settings/pages",
        "/secrets/token",
    }


def test_a_secret_that_was_sent_is_not_sent_back(client: Client) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    for body in (connection_body(secrets={"key": secret}), connection_body(secrets=secret), connection_body(x=secret)):
        answer = client.put(ONE, body)
        assert answer.status == 422
        assert secret.encode() not in answer.body


def test_a_name_that_is_no_slug_is_refused(client: Client) -> None:
    for name in ("No%20Slug", "a%23", "a%00", "%C3%A4"):
        for path, body in (
            (f"/api/v1/connections/{name}", connection_body()),
            (f"/api/v1/exports/{name}", export_body()),
        ):
            answer = client.put(path, body)
            assert answer.status == 422
            assert "lower-case letters" in answer.json["errors"][0]["message"]
            assert client.get(path).status == client.delete(path).status == 404


def test_a_connection_in_use_is_not_deleted(client: Client) -> None:
    client.put("/api/v1/exports/vips", export_body())
    answer = client.delete(ONE)
    assert (answer.status, answer.json["code"]) == (409, "in_use")
    assert "vips" in answer.json["detail"]
    client.delete("/api/v1/exports/vips")
    assert client.delete(ONE).status == 204
    assert client.get(ONE).status == 404
    assert client.delete(ONE).status == 404


def test_a_check_is_answered_and_kept(client: Client, service: FakeService) -> None:
    client.put("/api/v1/connections/second", connection_body())
    answer = client.post("/api/v1/connections/second/check")
    assert answer.status == 200
    assert (answer.json["ok"], answer.json["account"], answer.json["details"]) == (True, "acc-1", {"contacts": "7"})
    kept = client.get("/api/v1/connections/second").json
    assert (kept["account"], kept["check_code"], kept["check_message"]) == ("acc-1", "ok", "Fine.")


def test_a_failed_check_is_an_answer(client: Client, service: FakeService) -> None:
    service.check = lambda: CheckResult(False, "The key is wrong.", code="bad_credentials")
    assert client.post(f"{ONE}/check").json["ok"] is False
    service.failure = UserMustAct("secret_missing", "Key Vault has no secret of that name.")
    answer = client.post(f"{ONE}/check")
    assert (answer.status, answer.json["code"]) == (200, "secret_missing")
    assert client.get(ONE).json["check_code"] == "secret_missing"


def test_a_check_that_finds_another_account_names_the_exports_that_have_to_follow(
    client: Client, service: FakeService
) -> None:
    client.put("/api/v1/exports/vips", export_body())
    service.check = lambda: CheckResult(True, "Fine.", "acc-2")
    [warning] = client.post(f"{ONE}/check").json["warnings"]
    assert '"vips"' in warning


def test_the_lists_of_a_connection_are_offered(client: Client) -> None:
    answer = client.get(f"{ONE}/targets")
    assert answer.json == [
        {"list_id": "7", "name": "VIP", "warnings": []},
        {"list_id": "9", "name": "Lapsed", "warnings": ["Everyone who is added gets an e-mail."]},
    ]
    assert client.get("/api/v1/connections/none/targets").status == 404
    assert client.post("/api/v1/connections/none/check").status == 404


def test_trouble_at_the_vendor_has_a_status_of_its_own(client: Client, service: FakeService) -> None:
    service.failure = RetryAfter(7.4, "The vendor is busy.")
    busy = client.get(f"{ONE}/targets")
    assert (busy.status, busy.headers["retry-after"], busy.json["detail"]) == (503, "7", "The vendor is busy.")
    service.failure = OutcomeUnknown("The vendor's answer made no sense.")
    assert client.get(f"{ONE}/targets").status == 502
    service.failure = UserMustAct("bad_credentials", "The key is wrong: change it.")
    wrong = client.get(f"{ONE}/targets")
    assert (wrong.status, wrong.json["code"]) == (422, "bad_credentials")
    service.failure = Blocked("account_changed", "The account changed.")
    assert client.get(f"{ONE}/targets").status == 409
    service.failure = LeaseLost()
    assert client.get(f"{ONE}/targets").status == 503


def test_contributors_read_connections_and_ask_vendors_only_over_shared_ones(
    client: Client, contributor: Client
) -> None:
    assert contributor.get(ONE).status == 200
    assert contributor.put(ONE, connection_body()).status == 403
    assert contributor.delete(ONE).status == 403
    assert contributor.post(f"{ONE}/check").status == 403
    assert contributor.get(f"{ONE}/targets").status == 403
    client.put(ONE, connection_body(shared_with="administrators and contributors"))
    assert contributor.post(f"{ONE}/check").status == 403
    assert contributor.get(f"{ONE}/targets").status == 200
