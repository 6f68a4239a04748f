"""Dotdigital: credentials, regions, wrong paths (contract section 1)."""

from __future__ import annotations

import pytest
import requests

from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from dev.simulators.dotdigital import PASSWORD, USER_R1, USER_R2, USER_R3, ApiUser, Dotdigital
from tests.unit.simulators.dotdigital.conftest import Caller


def info(simulator: Simulator[Dotdigital], user: str, region: str = "r1") -> requests.Response:
    return requests.get(f"{simulator.url}/{region}/v2/account-info", auth=(user, PASSWORD), timeout=20)


def properties(answer: requests.Response) -> dict[str, str]:
    return {each["name"]: each["value"] for each in answer.json()["properties"]}


@pytest.mark.parametrize(
    ("user", "account", "region"), [(USER_R1, 4711, "r1"), (USER_R2, 4712, "r2"), (USER_R3, 4713, "r3")]
)
def test_the_account_tells_its_endpoint_to_whoever_asks_in_r1(
    simulator: Simulator[Dotdigital], user: str, account: int, region: str
) -> None:
    answer = info(simulator, user)
    assert (answer.status_code, answer.json()["id"]) == (200, account)
    assert properties(answer)["ApiEndpoint"] == f"https://{region}-api.dotdigital.com/"
    assert all(isinstance(value, str) for value in properties(answer).values())


def test_another_region_than_r1_tells_only_its_own(simulator: Simulator[Dotdigital]) -> None:
    assert info(simulator, USER_R2, "r2").status_code == 200
    assert info(simulator, USER_R1, "r2").status_code == 403
    assert info(simulator, USER_R3, "r2").status_code == 403


@pytest.mark.parametrize("path", ["/v2/address-books", "/v2/data-fields", "/contacts/v3"])
def test_the_wrong_region_is_forbidden_not_unauthorized(simulator: Simulator[Dotdigital], path: str) -> None:
    def status(region: str) -> int:
        return requests.get(f"{simulator.url}/{region}{path}", auth=(USER_R2, PASSWORD), timeout=20).status_code

    assert [status(region) for region in ("r1", "r2", "r3")] == [403, 200, 403]


@pytest.mark.parametrize(
    ("form", "media"), [("html", "text/html"), ("json", "application/json"), ("empty", "text/plain")]
)
def test_the_body_of_a_403_is_anybodys_guess(
    simulator: Simulator[Dotdigital], caller: Caller, form: str, media: str
) -> None:
    caller.settings(forbidden_body=form)
    answer = info(simulator, USER_R1, "r2")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (403, media)


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({"Host": "r2-api.dotdigital.com"}, "/v2/address-books", 200),
        ({"Host": "r1-api.dotdigital.com"}, "/v2/address-books", 403),
        ({"Host": "r1-api.dotdigital.com"}, "/r2/v2/address-books", 200),
        ({"Host": "r2-api.dotdigital.com", "X-Forwarded-Host": "r1-api.dotdigital.com"}, "/v2/address-books", 200),
        ({}, "/v2/address-books", 403),
    ],
)
def test_the_region_is_the_paths_or_else_the_hosts_or_else_r1(
    simulator: Simulator[Dotdigital], headers: dict[str, str], path: str, expected: int
) -> None:
    answer = requests.get(f"{simulator.url}{path}", auth=(USER_R2, PASSWORD), headers=headers, timeout=20)
    assert answer.status_code == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic",
        "Basic nonsense",
        "Basic /w==",
        "Bearer dG9rZW4=",
        requests.auth._basic_auth_str(USER_R1, "wrong"),
        requests.auth._basic_auth_str("nobody@apiconnector.com", PASSWORD),
        requests.auth._basic_auth_str(USER_R1, ""),
    ],
)
def test_credentials_that_are_not_good_are_unauthorized(caller: Caller, header: str | None) -> None:
    caller.session.auth = None
    caller.session.headers.update({"Authorization": header} if header else {})
    answer = caller.get("/v2/address-books")
    assert (answer.status_code, answer.json()) == (401, {"message": "Authorization has been denied for this request."})
    answer = caller.get("/contacts/v3")
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_user_can_be_taken_away_while_in_use(caller: Caller) -> None:
    assert caller.get("/v2/address-books").status_code == 200
    caller.settings(users={USER_R1: None})
    assert caller.get("/v2/address-books").status_code == 401


def test_accounts_do_not_see_each_other(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    list_id = caller.create_list()
    caller.people({"email": "ana@example.com", "lists": [list_id]})
    other = ApiUser(account=9000)
    simulator.vendor.settings.users = {**simulator.vendor.settings.users, "other": other}
    caller.session.auth = ("other", PASSWORD)
    assert caller.get(f"/v2/address-books/{list_id}").status_code == 404
    assert caller.get("/contacts/v3").json()["_items"] == []
    assert caller.get("/contacts/v3/email/ana@example.com").status_code == 404
    assert {each["name"] for each in caller.get("/v2/address-books").json()} == {"All contacts", "Test"}


def test_two_users_of_one_account_share_it(simulator: Simulator[Dotdigital], caller: Caller) -> None:
    list_id = caller.create_list()
    simulator.vendor.settings.users = {**simulator.vendor.settings.users, "second": ApiUser()}
    caller.session.auth = ("second", PASSWORD)
    assert caller.get(f"/v2/address-books/{list_id}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/v2/nothing", True), ("PATCH", "/v2/address-books", True), ("PATCH", "/contacts/v3", False)],
)
def test_a_wrong_path_or_method_is_not_found(caller: Caller, method: str, path: str, body: bool) -> None:
    answer = caller.call(method, path)
    assert (answer.status_code, bool(answer.content)) == (404, body)


def test_the_server_tells_the_time(caller: Caller) -> None:
    answer = caller.get("/v2/server-time")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == "2025-11-22 10:00:00+00:00"


@pytest.mark.parametrize(
    ("status", "message"),
    [(500, "An error has occurred."), (503, "Error: ERROR_SYSTEM_SERVICETEMPORARILYUNAVAILABLE")],
)
def test_a_failure_of_its_own_is_told_in_v2_form(
    simulator: Simulator[Dotdigital], caller: Caller, status: int, message: str
) -> None:
    simulator.faults.set([Fault(kind="error", status=status)])
    answer = caller.get("/contacts/v3")
    assert (answer.status_code, answer.json()) == (status, {"message": message})
