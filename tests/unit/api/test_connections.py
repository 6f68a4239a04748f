"""Connections over HTTP."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from shared.app import ROUTERS
from shared.catalog.models import RESERVED
from shared.errors import Blocked, Conflict, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.pages.router import ROUTERS as PAGES
from shared.vendors.contract import CheckResult
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import connection_body, export_body
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import ADMIN, LETTERBOX, connection

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


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_that_a_page_has_is_refused(client: Client, name: str) -> None:
    for path, body in (
        (f"/api/v1/connections/{name}", connection_body()),
        (f"/api/v1/exports/{name}", export_body()),
    ):
        answer = client.put(path, body)
        assert answer.status == 422
        assert f'"{name}" is taken' in answer.json["errors"][0]["message"]


def test_every_word_that_stands_where_names_do_is_reserved() -> None:
    addresses = [str(getattr(route, "path", "")) for router in (*ROUTERS, *PAGES) for route in router.routes]
    fixed = re.compile(r"(?:/api/v1)?/(?:connections|exports)/([^/{]+)")
    assert {found[1] for each in addresses if (found := fixed.match(each))} == RESERVED


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


def switched(client: Client, service: FakeService, *, keyed: bool = True) -> FakeService:
    """An export is on the connection, whose check finds another account from now on."""
    client.put("/api/v1/exports/vips", export_body())
    service.world.offer({"letterbox": replace(LETTERBOX, account_is_key=keyed)})
    service.check = lambda: CheckResult(True, "Fine.", "acc-2")
    return service


def check(client: Client, **query: str) -> Any:
    answer = client.post(f"{ONE}/check", query=query)
    assert answer.status == 200
    kept = client.get(ONE).json
    assert (kept["check_code"], kept["account"]) == (answer.json["code"], answer.json["account"])
    return answer.json


@pytest.mark.parametrize("keyed", [True, False])
def test_another_account_than_the_exports_is_not_taken_over_by_itself(
    client: Client, service: FakeService, keyed: bool
) -> None:
    switched(client, service, keyed=keyed)
    found = check(client)
    assert (found["ok"], found["code"], found["account"]) == (False, "account_switched", "acc-1")
    assert "do not run" in found["message"]


def test_the_same_account_with_a_new_key_is_kept(client: Client, service: FakeService) -> None:
    switched(client, service)
    check(client)
    kept = check(client, same_account="true")
    assert (kept["ok"], kept["account"], kept["warnings"]) == (True, "acc-1", [])


def test_another_account_is_taken_over_and_names_the_exports_that_have_to_follow(
    client: Client, service: FakeService
) -> None:
    switched(client, service)
    taken = check(client, other_account="true")
    assert (taken["ok"], taken["account"]) == (True, "acc-2")
    assert '"vips"' in taken["warnings"][0]
    assert check(client)["ok"]


def test_an_account_that_was_taken_over_by_mistake_is_given_back(client: Client, service: FakeService) -> None:
    switched(client, service)
    check(client, other_account="true")
    back = check(client, same_account="true")
    assert (back["account"], back["warnings"]) == ("acc-1", [])


def test_a_vendor_that_tells_its_accounts_apart_is_believed(client: Client, service: FakeService) -> None:
    switched(client, service, keyed=False)
    found = check(client, same_account="true")
    assert (found["code"], found["account"]) == ("account_switched", "acc-1")


def test_a_key_under_another_name_is_still_compared_with_the_account_of_the_exports(
    client: Client, service: FakeService
) -> None:
    switched(client, service)
    client.put(ONE, connection_body(secrets={"key": "second-key"}))
    assert client.get(ONE).json["account"] is None
    assert check(client)["code"] == "account_switched"
    assert check(client, same_account="true")["account"] == "acc-1"


def test_the_key_from_before_ends_the_question(client: Client, service: FakeService) -> None:
    switched(client, service)
    check(client)
    service.check = lambda: CheckResult(True, "Fine.", "acc-1")
    assert check(client)["ok"]


def test_without_exports_any_account_is_taken(client: Client, service: FakeService) -> None:
    service.check = lambda: CheckResult(True, "Fine.", "acc-2")
    assert check(client)["account"] == "acc-2"


def test_one_account_cannot_be_both(client: Client, service: FakeService) -> None:
    answer = client.post(f"{ONE}/check", query={"same_account": "true", "other_account": "true"})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "?other_account")


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
