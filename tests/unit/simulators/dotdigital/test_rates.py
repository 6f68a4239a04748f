"""Dotdigital: rates of both schemes, and the headers that tell of them (contract section 9)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
import requests

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import PASSWORD, ApiUser, Dotdigital
from tests.unit.simulators.dotdigital.conftest import Caller, row


def told(answer: requests.Response) -> dict[str, str]:
    return {name: answer.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Scope")}


def test_low_calls_are_35_a_minute_together(caller: Caller) -> None:
    list_id = caller.create_list()
    statuses = [caller.get("/contacts/v3", **{"~listId": list_id}).status_code for _ in range(20)]
    statuses += [caller.put_import(row(f"p{number}@example.com")).status_code for number in range(15)]
    assert statuses == [200] * 20 + [202] * 15
    refused = caller.get("/contacts/v3")
    assert (refused.status_code, refused.content) == (429, b"")
    assert told(refused) == {"Limit": "35", "Remaining": "0", "Scope": "lowCallRate"}
    assert "Retry-After" not in refused.headers
    assert caller.get("/v2/address-books").status_code == 200
    caller.advance(60)
    assert caller.get("/contacts/v3").status_code == 200


def test_every_answer_tells_what_is_left(caller: Caller) -> None:
    assert told(caller.get("/contacts/v3")) == {"Limit": "35", "Remaining": "34", "Scope": "lowCallRate"}
    assert told(caller.get("/contacts/v3", limit=0)) == {"Limit": "35", "Remaining": "33", "Scope": "lowCallRate"}
    assert told(caller.get("/v2/address-books/1")) == {"Limit": "150", "Remaining": "149", "Scope": "mediumCallRate"}


@pytest.mark.parametrize(("form", "expected"), [("delta", 50), ("epoch", 1763805660), ("epoch_ms", 1763805660000)])
def test_the_reset_comes_in_three_forms(caller: Caller, form: str, expected: int) -> None:
    caller.settings(rate_reset=form, tiers={"low": {"calls": 1, "seconds": 60}})
    caller.get("/contacts/v3")
    caller.advance(10)
    refused = caller.get("/contacts/v3")
    assert (refused.status_code, int(refused.headers["X-RateLimit-Reset"])) == (429, expected)


@pytest.mark.parametrize("form", ["seconds", "http_date"])
def test_retry_after_can_be_switched_on(caller: Caller, form: str) -> None:
    caller.settings(retry_after=form, tiers={"low": {"calls": 1, "seconds": 60}})
    caller.get("/contacts/v3")
    caller.advance(20)
    text = caller.get("/contacts/v3").headers["Retry-After"]
    seconds = int(text) if form == "seconds" else parsedate_to_datetime(text).timestamp() - caller.clock.epoch()
    assert seconds == 40


def test_limits_are_the_accounts_not_the_users(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    caller.settings(tiers={"low": {"calls": 1, "seconds": 60}})
    simulator.vendor.settings.users = {**simulator.vendor.settings.users, "second": ApiUser()}
    assert caller.get("/contacts/v3").status_code == 200
    caller.session.auth = ("second", PASSWORD)
    assert caller.get("/contacts/v3").status_code == 429


def test_a_tier_without_a_rate_is_unlimited_and_tells_nothing(caller: Caller) -> None:
    caller.settings(endpoint_tiers={"GET /contacts/v3/import/{importId}": "unlimited"})
    import_id = caller.start(row("ana@example.com"))
    answers = [caller.get(f"/contacts/v3/import/{import_id}") for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers


def test_a_refused_call_does_nothing(caller: Caller) -> None:
    caller.settings(tiers={"low": {"calls": 1, "seconds": 60}})
    caller.get("/contacts/v3")
    assert caller.put_import(row("ana@example.com")).status_code == 429
    assert caller.state()["open_imports"] == 0


def test_a_fault_can_stand_in_for_the_rate(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    simulator.faults.set([Fault(endpoint="PUT /contacts/v3/import", kind="rate_limited", call=1)])
    refused = caller.put_import(row("ana@example.com"))
    assert (refused.status_code, refused.content) == (429, b"")
    assert told(refused) == {"Limit": "35", "Remaining": "0", "Scope": "lowCallRate"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prose", "Your account has generated excess API activity and is being temporarily capped."),
        ("token", "Error: ERROR_APIUSAGE_EXCEEDED"),
    ],
)
def test_the_flat_scheme_caps_an_hour_with_a_400(caller: Caller, text: str, message: str) -> None:
    caller.settings(rate_scheme="flat", flat_calls=3, flat_cap_text=text)
    answers = [caller.get(path) for path in ("/contacts/v3", "/v2/address-books", "/v2/data-fields", "/contacts/v3")]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    assert answers[3].json() == {"message": message}
    assert "X-RateLimit-Limit" not in answers[0].headers
    caller.advance(3600)
    properties = caller.get("/v2/account-info").json()["properties"]
    shown = {each["name"]: each["value"] for each in properties}
    assert (shown["ApiCallsInLastHour"], shown["ApiCallsRemaining"]) == ("1", "2")


def test_the_flat_cap_is_2000_by_default(simulator: Simulator[Dotdigital]) -> None:
    assert simulator.vendor.settings.flat_calls == 2000
