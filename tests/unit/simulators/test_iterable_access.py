"""Iterable: keys, wrong paths, rates (contract sections 1, 7 and 8)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from dev.simulators.common.simulator import Simulator
from dev.simulators.iterable import EU_KEY, MOBILE_KEY, STANDARD_KEY, Iterable, Key, Settings
from tests.unit.simulators.conftest import Caller

SUBSCRIBE = "POST /api/lists/subscribe"


@pytest.mark.parametrize("header", ["Api-Key", "api-key", "API-KEY", "Api_Key", "api_key"])
def test_the_key_is_taken_from_its_header_in_any_case(caller: Caller, header: str) -> None:
    caller.session.headers = {header: STANDARD_KEY}
    assert caller.get("/api/lists").status_code == 200


@pytest.mark.parametrize("key", ["nonsense", "", EU_KEY])
def test_an_unknown_key_and_one_of_the_other_data_centre_look_the_same(caller: Caller, key: str) -> None:
    caller.session.headers["Api-Key"] = key
    answer = caller.get("/api/lists")
    assert answer.status_code == 401
    assert answer.json() == {
        "msg": "Invalid API key",
        "code": "BadApiKey",
        "params": {"ip": "127.0.0.1", "endpoint": "/api/lists"},
    }


def test_in_the_eu_the_eu_key_is_the_good_one(simulator: Simulator[Iterable], caller: Caller) -> None:
    simulator.vendor.settings.data_center = "EU"
    assert caller.get("/api/lists").status_code == 401
    caller.session.headers["Api-Key"] = EU_KEY
    assert caller.get("/api/lists").status_code == 200


def test_a_key_of_the_wrong_type_is_told_so(caller: Caller) -> None:
    caller.session.headers["Api-Key"] = MOBILE_KEY
    answer = caller.get("/api/lists")
    body = answer.json()
    assert answer.status_code == 401
    assert (body["msg"], body["code"]) == ("Disabled API key or insufficient privileges", "BadApiKey")
    assert body["params"]["apiKeyType"] == "Mobile"
    assert len(body["params"]["apiKeyIdentifier"]) == 8


def test_a_key_can_be_disabled_while_in_use(simulator: Simulator[Iterable], caller: Caller) -> None:
    assert caller.get("/api/lists").status_code == 200
    simulator.vendor.settings = Settings(keys={STANDARD_KEY: Key(disabled=True)})
    assert caller.get("/api/lists").status_code == 401


def test_projects_do_not_see_each_other(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    caller.subscribe(list_id, {"email": "ana@example.com", "dataFields": {"city": "Hoboken"}})
    simulator.vendor.settings.keys = {"other": Key(project=20)}
    caller.session.headers["Api-Key"] = "other"
    assert caller.get("/api/lists").json() == {"lists": []}
    assert "city" not in caller.get("/api/users/getFields").json()["fields"]
    assert caller.profile("ana@example.com") == {}
    answer = caller.subscribe(list_id, {"email": "ana@example.com"})
    assert answer.json()["params"] == {"projectId": 20, "listId": list_id}


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/nothing"), ("PUT", "/api/lists"), ("GET", "/")])
def test_a_wrong_path_is_an_html_page(caller: Caller, method: str, path: str) -> None:
    answer = caller.session.request(method, f"{caller.url}{path}", timeout=20)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Action not found" in answer.text


@pytest.mark.parametrize(
    ("path", "calls", "seconds"),
    [
        ("/api/lists", 100, 1),
        ("/api/channels", 100, 1),
        ("/api/users/getFields", 3, 1),
        ("/api/users/getByEmail?email=a%40example.com", 100, 1),
        ("/api/lists/4411201/size", 5, 60),
        ("/api/lists/getUsers?listId=4411201", 5, 60),
        ("/api/lists/previewUsers?listId=4411201", 5, 60),
    ],
)
def test_published_rates_hold(caller: Caller, path: str, calls: int, seconds: float) -> None:
    caller.create_list()
    assert [caller.get(path).status_code for _ in range(calls + 1)] == [200] * calls + [429]
    caller.advance(seconds)
    assert caller.get(path).status_code == 200


def test_bulk_updates_are_five_a_second(caller: Caller) -> None:
    assert [caller.bulk_update().status_code for _ in range(6)] == [200] * 5 + [429]


def test_subscribe_has_a_rate_only_where_one_is_set(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    assert {caller.subscribe(list_id).status_code for _ in range(50)} == {200}
    caller.post("/_simulator/settings", {"rates": {SUBSCRIBE: {"calls": 4, "seconds": 1}}})
    caller.advance(1)
    answers = [caller.subscribe(list_id) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[-1].json() == {
        "msg": "Exceeded rate limit for endpoint: /api/lists/subscribe, project: 10216 ",
        "code": "RateLimitExceeded",
        "params": {},
    }
    assert "Retry-After" not in answers[-1].headers


def test_retry_after_can_be_switched_on(simulator: Simulator[Iterable], caller: Caller) -> None:
    list_id = caller.create_list()
    for _ in range(5):
        caller.get(f"/api/lists/{list_id}/size")
    caller.advance(17.5)
    simulator.vendor.settings.retry_after = "seconds"
    assert caller.get(f"/api/lists/{list_id}/size").headers["Retry-After"] == "43"
    simulator.vendor.settings.retry_after = "http_date"
    moment = parsedate_to_datetime(caller.get(f"/api/lists/{list_id}/size").headers["Retry-After"])
    assert int(moment.timestamp() - caller.clock.epoch()) in (42, 43)


@pytest.mark.parametrize(
    "path", ["/api/lists", "/api/lists/subscribe", "/api/lists/unsubscribe", "/api/users/bulkUpdate"]
)
def test_a_body_that_is_not_json_is_refused(caller: Caller, path: str) -> None:
    answer = caller.session.post(
        f"{caller.url}{path}", data=b'{"name"', headers={"Content-Type": "application/json"}, timeout=20
    )
    assert answer.status_code == 400
    assert (answer.json()["msg"], answer.json()["code"]) == (f"[{path}] Invalid JSON body", "BadJsonBody")


def test_a_body_that_does_not_say_it_is_json_is_refused(caller: Caller) -> None:
    answer = caller.session.post(f"{caller.url}/api/lists", data=b'{"name":"Loyal"}', timeout=20)
    assert answer.json()["code"] == "BadJsonBody"


def test_a_wrong_type_is_named_with_its_place(caller: Caller) -> None:
    rows = [{"email": "ana@example.com"}, {"email": "bo@example.com", "preferUserId": "yes"}]
    assert caller.bulk_update(*rows).json() == {
        "msg": "[/api/users/bulkUpdate] Invalid JSON body",
        "code": "BadJsonBody",
        "params": {"obj.users[1].preferUserId": "Boolean value expected"},
    }
    assert caller.profile("ana@example.com") == {}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"subscribers": []}, "obj.listId"),
        ({"listId": "7", "subscribers": []}, "obj.listId"),
        ({"listId": 7}, "obj.subscribers"),
        ({"listId": 7, "subscribers": [3]}, "obj.subscribers[0]"),
        ({"listId": 7, "subscribers": [{"dataFields": {}}]}, "obj.subscribers[0]"),
        ({"listId": 7, "subscribers": [], "updateExistingUsersOnly": 1}, "obj.updateExistingUsersOnly"),
    ],
)
def test_a_member_of_the_wrong_type_is_refused(caller: Caller, body: object, place: str) -> None:
    answer = caller.post("/api/lists/subscribe", body)
    assert answer.status_code == 400
    assert list(answer.json()["params"]) == [place]
