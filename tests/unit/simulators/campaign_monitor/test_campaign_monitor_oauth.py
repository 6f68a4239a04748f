"""Campaign Monitor: OAuth, from the page that asks to the token that has run out (contract section 1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from dev.simulators.campaign_monitor import (
    ACCESS_TOKEN,
    APPLICATION,
    APPLICATION_SECRET,
    REFRESH_TOKEN,
    CampaignMonitor,
    Settings,
)
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, code, row

REDIRECT = "https://exports.example.com/back?from=cm"
EVERYTHING = "ManageLists,ImportSubscribers,ViewSubscribersInReports"


@pytest.fixture(autouse=True)
def nobody_is_asked(simulator: Simulator[CampaignMonitor]) -> None:
    simulator.vendor.settings.authorisation = "grant"


def authorise(caller: Caller, **more: str) -> requests.Response:
    query = {
        "type": "web_server",
        "client_id": APPLICATION,
        "redirect_uri": REDIRECT,
        "scope": EVERYTHING,
        "state": "s t&1",
        **more,
    }
    return caller.session.get(f"{caller.url}/oauth", params=query, allow_redirects=False, timeout=20)


def told(answer: requests.Response) -> dict[str, str]:
    """What the person is sent back with."""
    assert answer.status_code == 302
    target = answer.headers["Location"]
    assert target.startswith(REDIRECT)
    return dict(parse_qsl(urlsplit(target).query))


def exchange(caller: Caller, given: str, **more: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": APPLICATION,
        "client_secret": APPLICATION_SECRET,
        "redirect_uri": REDIRECT,
        "code": given,
        **more,
    }
    return caller.session.post(f"{caller.url}/oauth/token", data=form, timeout=20)


def refresh(caller: Caller, token: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return caller.session.post(f"{caller.url}/oauth/token", data=form, timeout=20)


def test_a_person_is_sent_back_with_a_code_and_the_state(caller: Caller) -> None:
    back = told(authorise(caller))
    assert back["state"] == "s t&1"
    answer = exchange(caller, back["code"])
    assert answer.status_code == 200
    pair = answer.json()
    assert pair["expires_in"] == 1_209_600
    caller.use_token(pair["access_token"])
    assert len(caller.call("GET", "/clients").json()) == 2


def test_a_person_may_be_asked_first_and_may_say_no(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings = Settings()
    page = authorise(caller)
    assert page.status_code == 200
    assert f"The application {APPLICATION} asks for: {EVERYTHING}" in page.text
    for decision, name in [("allow", "code"), ("deny", "error")]:
        answer = caller.session.post(page.url, data={"decision": decision}, allow_redirects=False, timeout=20)
        assert name in told(answer)
    simulator.vendor.settings.authorisation = "deny"
    assert told(authorise(caller)) == {
        "from": "cm",
        "error": "access_denied",
        "error_description": "The end-user did not grant authorisation",
        "state": "s t&1",
    }


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"type": "user_agent"}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"client_id": "0"}, "unknown_client"),
        ({"redirect_uri": "ftp://example.com"}, "invalid_redirect_uri"),
    ],
)
def test_a_wrong_application_is_not_sent_anywhere(caller: Caller, wrong: dict[str, str], error: str) -> None:
    answer = authorise(caller, **wrong)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_an_unknown_permission_is_told_to_the_application(caller: Caller) -> None:
    assert told(authorise(caller, scope="ManageLists,ManageAll"))["error"] == "unknown_scope"


@pytest.mark.parametrize("wrong", [{"code": "none"}, {"redirect_uri": "https://elsewhere.example.com"}])
def test_a_wrong_exchange_is_told_in_the_body_only(caller: Caller, wrong: dict[str, str]) -> None:
    answer = exchange(caller, told(authorise(caller))["code"], **wrong)
    assert answer.status_code == 200
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "Specified code was invalid or expired",
    }


def test_the_status_of_a_wrong_exchange_can_be_switched(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.oauth_error_status = 400
    assert exchange(caller, "none").status_code == 400
    assert refresh(caller, "none").json()["error"] == "invalid_grant"


def test_a_wrong_secret_and_a_body_that_is_no_form_are_refused(caller: Caller) -> None:
    assert exchange(caller, "any", client_secret="wrong").json()["error"] == "unknown_client"
    answer = caller.session.post(f"{caller.url}/oauth/token", json={"grant_type": "refresh_token"}, timeout=20)
    assert answer.json()["error"] == "invalid_request"


def test_a_code_opens_nothing_twice_and_not_for_long(caller: Caller) -> None:
    given = told(authorise(caller))["code"]
    assert "access_token" in exchange(caller, given).json()
    assert "error" in exchange(caller, given).json()
    late = told(authorise(caller))["code"]
    caller.advance(600)
    assert "error" in exchange(caller, late).json()


def test_an_access_token_runs_out_and_is_renewed(caller: Caller) -> None:
    caller.use_token(ACCESS_TOKEN)
    assert caller.call("GET", "/clients").status_code == 200
    caller.advance(1_209_600)
    assert code(caller.call("GET", "/clients")) == (401, 121)
    caller.use_token(refresh(caller, REFRESH_TOKEN).json()["access_token"])
    assert caller.call("GET", "/clients").status_code == 200
    assert caller.state()["token_refreshes"] == 1


def test_a_refresh_token_is_good_once_and_gives_the_next(caller: Caller) -> None:
    second = refresh(caller, REFRESH_TOKEN).json()["refresh_token"]
    assert second != REFRESH_TOKEN
    assert refresh(caller, REFRESH_TOKEN).json()["error"] == "invalid_grant"
    assert "access_token" in refresh(caller, second).json()


def test_a_refresh_token_may_stay(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.refresh_rotates = False
    assert [refresh(caller, REFRESH_TOKEN).json()["refresh_token"] for _ in range(2)] == [REFRESH_TOKEN] * 2


@pytest.mark.parametrize(("rule", "expected"), [("lives", None), ("expired", 121), ("revoked", 122)])
def test_what_becomes_of_the_old_access_token(
    simulator: Simulator[CampaignMonitor], caller: Caller, rule: Any, expected: int | None
) -> None:
    simulator.vendor.settings.refreshed_access = rule
    refresh(caller, REFRESH_TOKEN)
    caller.use_token(ACCESS_TOKEN)
    answer = caller.call("GET", "/clients")
    assert (answer.status_code == 200) if expected is None else (code(answer) == (401, expected))


def test_tokens_can_be_made_to_expire_and_be_revoked(caller: Caller) -> None:
    caller.use_token(ACCESS_TOKEN)
    caller.load(tokens="expire")
    assert code(caller.call("GET", "/clients")) == (401, 121)
    assert "access_token" in refresh(caller, REFRESH_TOKEN).json()
    caller.load(tokens="revoke")
    assert code(caller.call("GET", "/clients")) == (401, 122)
    assert refresh(caller, REFRESH_TOKEN).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("ManageLists", {"lists"}),
        ("ImportSubscribers", {"import"}),
        ("ViewSubscribersInReports", {"read"}),
        (EVERYTHING, {"lists", "import", "read"}),
    ],
)
def test_a_token_may_do_what_was_asked_for(caller: Caller, scope: str, allowed: set[str]) -> None:
    list_id = caller.create_list()
    pair = exchange(caller, told(authorise(caller, scope=scope))["code"]).json()
    caller.use_token(pair["access_token"])
    tried = {
        "lists": caller.call("GET", f"/lists/{list_id}"),
        "import": caller.imports(list_id, row("ana@example.com")),
        "read": caller.read(list_id),
    }
    assert {name for name, answer in tried.items() if answer.ok} == allowed
    assert {code(answer) for answer in tried.values() if not answer.ok} <= {(401, 60)}
    assert caller.call("GET", "/clients").status_code == 200


def test_reading_may_take_a_lesser_permission(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.reads_permission = "ManageLists"
    list_id = caller.create_list()
    caller.use_token(exchange(caller, told(authorise(caller, scope="ManageLists"))["code"]).json()["access_token"])
    assert caller.read(list_id).status_code == 200
