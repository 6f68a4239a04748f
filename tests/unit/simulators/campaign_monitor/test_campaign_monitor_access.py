"""Campaign Monitor: keys, whose is what, wrong paths and bodies, rates (contract sections 1, 7 and 8)."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from dev.simulators.campaign_monitor import (
    ACCOUNT_KEY,
    CLIENT,
    CLIENT_KEY,
    OTHER_CLIENT,
    OTHER_KEY,
    OUTLET_CLIENT,
    CampaignMonitor,
    Key,
)
from dev.simulators.common.faults import Fault
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, code, row

IMPORT = "POST /api/v3.3/subscribers/{listid}/import.json"


def test_a_key_is_the_name_and_any_password_will_do(caller: Caller) -> None:
    for password in ("x", "", "anything:else"):
        caller.session.auth = (ACCOUNT_KEY, password)
        assert caller.call("GET", "/systemdate").json() == {"SystemDate": "2025-11-22 20:00:00"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, 50),
        ("Basic %%%", 50),
        ("Digest abc", 50),
        ("Basic bm9uc2Vuc2U6eA==", 100),
        ("Bearer nonsense", 120),
    ],
)
def test_refusals_of_credentials_are_told_apart_by_their_code(
    caller: Caller, header: str | None, expected: int
) -> None:
    caller.session.auth = None
    if header:
        caller.session.headers["Authorization"] = header
    assert code(caller.call("GET", "/clients")) == (401, expected)


def test_an_account_key_sees_all_clients_of_its_account(caller: Caller) -> None:
    assert caller.call("GET", "/clients").json() == [
        {"ClientID": CLIENT, "Name": "Acme"},
        {"ClientID": OUTLET_CLIENT, "Name": "Acme Outlet"},
    ]


def test_a_key_of_a_client_sees_that_client_only(caller: Caller) -> None:
    caller.session.auth = (CLIENT_KEY, "x")
    assert [each["ClientID"] for each in caller.call("GET", "/clients").json()] == [CLIENT]
    assert caller.call("GET", f"/clients/{CLIENT}/lists").status_code == 200
    assert code(caller.call("GET", f"/clients/{OUTLET_CLIENT}/lists")) == (401, 102)


@pytest.mark.parametrize("client", [OTHER_CLIENT, "0" * 32])
def test_an_id_of_somebody_else_is_a_401_that_has_nothing_to_do_with_the_key(caller: Caller, client: str) -> None:
    for method, path in [("GET", f"/clients/{client}/lists"), ("POST", f"/lists/{client}")]:
        assert code(caller.call(method, path, {"Title": "x"})) == (401, 102)


def test_a_list_of_somebody_else_is_an_unknown_list(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.session.auth = (OTHER_KEY, "x")
    assert code(caller.call("GET", f"/lists/{list_id}")) == (401, 101)
    assert code(caller.imports(list_id, row("ana@example.com"))) == (401, 101)


@pytest.mark.parametrize(("shape", "status", "body"), [("400_101", 400, 101), ("404_empty", 404, None)])
def test_an_unknown_list_may_be_answered_in_other_ways(
    simulator: Simulator[CampaignMonitor], caller: Caller, shape: Any, status: int, body: int | None
) -> None:
    simulator.vendor.settings.unknown_list = shape
    answer = caller.imports("f" * 32, row("ana@example.com"))
    assert answer.status_code == status
    assert (answer.json()["Code"] if answer.content else None) == body


def test_the_details_of_a_client_give_its_key_away(caller: Caller) -> None:
    assert caller.call("GET", f"/clients/{CLIENT}").json()["ApiKey"] == CLIENT_KEY


def test_a_key_can_be_taken_away(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.keys = {"new": Key()}
    assert code(caller.call("GET", "/clients")) == (401, 100)


def test_without_json_in_its_path_a_call_gets_xml(caller: Caller) -> None:
    answer = caller.session.get(f"{caller.url}/api/v3.3/clients", timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/xml; charset=utf-8")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v3.3/nothing.json"), ("PATCH", "/api/v3.3/clients.json"), ("GET", "/")]
)
def test_a_wrong_path_has_no_body(caller: Caller, method: str, path: str) -> None:
    answer = caller.session.request(method, f"{caller.url}{path}", timeout=20)
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_rate_holds_only_where_one_is_set_and_a_429_tells_nothing(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.inspect("settings", {"rates": {IMPORT: {"calls": 1, "seconds": 10}}})
    answers = [caller.imports(list_id, row("ana@example.com")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert answers[1].json() == {"Code": 429, "Message": "Rate limit exceeded"}
    assert not [name for name in answers[1].headers if "limit" in name.lower() or "retry" in name.lower()]


@pytest.mark.parametrize("header", ["x-ratelimit-reset", "retry-after"])
def test_a_429_may_tell_the_seconds_to_wait(simulator: Simulator[CampaignMonitor], caller: Caller, header: Any) -> None:
    simulator.vendor.settings.wait_header = header
    simulator.vendor.settings.retry_after = "seconds"
    caller.inspect("settings", {"rates": {"any": {"calls": 1, "seconds": 10}}})
    answers = [caller.call("GET", "/clients") for _ in range(2)]
    assert answers[1].headers[header] == "10"
    simulator.faults.set([Fault(kind="rate_limited", retry_after=348)])
    assert caller.call("GET", "/clients").headers[header] == "348"


def test_too_many_calls_at_once_are_refused(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.faults.set([Fault(kind="hang", call=1)])
    port = urlsplit(simulator.url).port
    with socket.create_connection(("127.0.0.1", port or 0)) as hanging:
        hanging.sendall(b"GET /api/v3.3/clients.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not caller.inspect("faults")["faults"][0]["fired"]:
            pass
        assert caller.call("GET", "/clients").status_code == 200
        simulator.vendor.settings.most_in_flight = 1
        assert code(caller.call("GET", "/clients")) == (429, 429)


def test_a_failure_of_the_vendor_is_json_or_a_page(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.faults.set([Fault(kind="error", call=1), Fault(kind="html", call=2)])
    assert caller.call("GET", "/clients").json() == {"Code": 500, "Message": "Sorry, we've run into a problem"}
    answer = caller.call("GET", "/clients")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b'{"Title"', "application/json"),
        (b"[]", "application/json"),
        (b'{"Title":"x"}', "text/plain"),
        (b'{"Title":7}', "application/json"),
        (b'{"Title":"x","ConfirmedOptIn":"false"}', "application/json; charset=utf-8"),
    ],
)
def test_a_body_of_another_shape_is_refused(caller: Caller, body: bytes, media: str) -> None:
    url = f"{caller.url}/api/v3.3/lists/{CLIENT}.json"
    answer = caller.session.post(url, data=body, headers={"Content-Type": media}, timeout=20)
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "Code": 400,
            "Message": "Failed to deserialize your request. Please check the documentation and try again. "
            "Fields in error: list",
        },
    )
