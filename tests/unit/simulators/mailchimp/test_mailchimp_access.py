"""Mailchimp: keys, data centres, roles, OAuth, limits (contract sections 1, 8 and 9)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from dev.simulators.common.clock import Clock
from dev.simulators.common.faults import Fault
from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from dev.simulators.mailchimp import ACCESS, ACCOUNT, AUDIENCE, OTHER_KEY, STANDARD_KEY, VIEWER_KEY, Mailchimp, Settings
from dev.simulators.mailchimp.settings import CLIENT, CLIENT_PASSWORD
from tests.unit.simulators.mailchimp.conftest import LIST, Caller, problem, row


def test_the_root_tells_the_account(caller: Caller) -> None:
    asked = "account_id,account_name,login_id,role,pricing_plan_type,total_subscribers"
    assert caller.get("/", fields=asked).json() == {
        "account_id": ACCOUNT,
        "account_name": "Contoso Coffee",
        "login_id": "7654321",
        "role": "admin",
        "pricing_plan_type": "monthly",
        "total_subscribers": 0,
    }
    assert caller.get("/ping").json() == {"health_status": "Everything's Chimpy!"}
    assert caller.get("").json()["account_id"] == ACCOUNT
    assert "X-Request-Id" in caller.get("/ping").headers


@pytest.mark.parametrize(
    ("headers", "auth", "status", "title"),
    [
        ({}, None, 401, "API Key Missing"),
        ({}, ("any", "nobody-us6"), 401, "API Key Invalid"),
        ({}, (STANDARD_KEY, ""), 401, "API Key Invalid"),
        ({"Authorization": "Bearer nobody"}, None, 401, "API Key Invalid"),
        ({"Authorization": "Basic ???"}, None, 401, "API Key Invalid"),
        ({"X-Trigger-Error": "APIKeyMissing"}, ("any", STANDARD_KEY), 401, "API Key Missing"),
        ({}, ("any", OTHER_KEY), 403, "Forbidden"),
    ],
)
def test_who_may_not_in_is_told_why(
    caller: Caller, headers: dict[str, str], auth: tuple[str, str] | None, status: int, title: str
) -> None:
    answer = requests.get(f"{caller.url}/ping", headers=headers, auth=auth, timeout=20)
    assert problem(answer) == (status, title)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert status == 401 or "linked to datacenter 'us20'" in answer.json()["detail"]


@pytest.mark.parametrize("prefix", ["", "/us6"])
@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {STANDARD_KEY}"}, {"Authorization": f"Bearer {ACCESS}"}]
)
def test_keys_and_tokens_open_alike(caller: Caller, prefix: str, headers: dict[str, str]) -> None:
    answer = requests.get(f"{caller.root}{prefix}/3.0/ping", headers=headers, timeout=20)
    assert answer.status_code == 200


def test_the_host_names_the_data_centre_too(caller: Caller) -> None:
    headers = {"Host": "us20.api.mailchimp.com"}
    answer = requests.get(f"{caller.root}/3.0/ping", headers=headers, auth=("any", STANDARD_KEY), timeout=20)
    assert problem(answer) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", "/ping", 405),
        ("DELETE", f"{LIST}/tag-search", 405),
        ("GET", "/lists/0000000000", 404),
        ("GET", f"{LIST}/segments/1", 404),
        ("GET", f"{LIST}/members/00000000000000000000000000000000", 404),
    ],
)
def test_what_is_not_there_is_not_found(caller: Caller, method: str, path: str, status: int) -> None:
    assert caller.call(method, path).status_code == status


def test_a_viewer_reads_and_writes_nothing(caller: Caller) -> None:
    caller.session.auth = ("any", VIEWER_KEY)
    assert caller.get("/").json()["role"] == "viewer"
    assert problem(caller.bulk(row("ana@example.com"))) == (403, "Authorization Failure")


def test_a_disabled_user_is_told_so(caller: Caller) -> None:
    caller.settings(keys={STANDARD_KEY: {"disabled": True}})
    assert problem(caller.get("/ping")) == (403, "User Disabled")


def test_another_account_has_another_audience(caller: Caller) -> None:
    caller.session.auth = ("any", OTHER_KEY)
    answer = caller.session.get(f"{caller.root}/us20/3.0/lists", timeout=20).json()
    assert [each["id"] for each in answer["lists"]] != [AUDIENCE]
    assert caller.session.get(f"{caller.root}/us20/3.0{LIST}", timeout=20).status_code == 404


def _code(caller: Caller, **more: str) -> requests.Response:
    query = {"response_type": "code", "client_id": CLIENT, "redirect_uri": "http://127.0.0.1/back", "state": "s"}
    url = f"{caller.root}/login/oauth2/authorize"
    return requests.get(url, params={**query, **more}, allow_redirects=False, timeout=20)


def _exchange(caller: Caller, code: str, more: dict[str, str] | None = None) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT,
        "client_secret": CLIENT_PASSWORD,
        "redirect_uri": "http://127.0.0.1/back",
        "code": code,
        **(more or {}),
    }
    return requests.post(f"{caller.root}/login/oauth2/token", data=form, timeout=20)


def test_a_code_becomes_a_token_that_never_expires(caller: Caller) -> None:
    back = parse_qs(urlsplit(_code(caller).headers["Location"]).query)
    assert back["state"] == ["s"]
    answer = _exchange(caller, back["code"][0]).json()
    assert (answer["expires_in"], answer["scope"]) == (0, None)
    headers = {"Authorization": f"OAuth {answer['access_token']}"}
    metadata = requests.get(f"{caller.root}/login/oauth2/metadata", headers=headers, timeout=20).json()
    assert (metadata["dc"], metadata["api_endpoint"]) == ("us6", "https://us6.api.mailchimp.com")
    caller.session.auth = ("any", answer["access_token"])
    assert caller.get("/ping").status_code == 200
    assert _exchange(caller, back["code"][0]).json() == {"error": "invalid_grant"}
    assert caller.state()["token_exchanges"] == 1


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_id": "1"}, "invalid_client"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"redirect_uri": "http://127.0.0.1/other"}, "invalid_grant"),
        ({"code": "x"}, "invalid_grant"),
    ],
)
def test_an_exchange_that_does_not_fit_is_refused(caller: Caller, more: dict[str, str], error: str) -> None:
    code = parse_qs(urlsplit(_code(caller).headers["Location"]).query)["code"][0]
    assert _exchange(caller, code, more).json() == {"error": error}


def test_metadata_of_a_bad_token_is_a_200(caller: Caller) -> None:
    answer = requests.get(f"{caller.root}/login/oauth2/metadata", headers={"Authorization": "OAuth nobody"}, timeout=20)
    assert (answer.status_code, answer.json()) == (200, {"error": "invalid_token"})
    assert _code(caller, client_id="1").status_code == 400


class Patient(Clock):
    """No answer goes out before all calls have come."""

    def __init__(self, calls: int) -> None:
        self.awaited = calls

    async def sleep(self, seconds: float) -> None:
        self.awaited -= 1
        while self.awaited > 0:
            await asyncio.sleep(0.01)


def test_the_eleventh_call_at_a_time_is_refused_without_saying_when_to_come_back() -> None:
    statuses: list[int] = []
    with serve(Simulator(Mailchimp(Settings(latency_fixed=1), clock=Patient(calls=12)))) as simulator:

        def ask() -> None:
            answer = requests.get(f"{simulator.url}/us6/3.0/ping", auth=("any", STANDARD_KEY), timeout=60)
            statuses.append(answer.status_code)
            assert "Retry-After" not in answer.headers

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses.count(200) == 10
    assert statuses.count(429) == 2


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"kind": "html", "status": 403}, 403), ({"kind": "html", "status": 503}, 503), ({"kind": "html"}, 502)],
)
def test_throttling_without_json_can_be_put_on(
    caller: Caller, simulator: Simulator[Mailchimp], fault: dict[str, Any], status: int
) -> None:
    simulator.faults.set([Fault.model_validate({"endpoint": "GET /ping", **fault})])
    answer = caller.get("/ping")
    assert (answer.status_code, answer.headers["content-type"].startswith("text/html")) == (status, True)
