"""Exports over HTTP."""

from __future__ import annotations

import pytest

from shared.app import create_app
from shared.catalog.issues import Issue
from shared.delivery.state.records import State
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import connection_body, export_body
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService, run

ONE = "/api/v1/exports/vips"
DAILY = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "Europe/Berlin"}


def test_a_saved_export_is_answered_with_its_next_five_times_and_is_not_run(
    client: Client, service: FakeService
) -> None:
    answer = client.put(ONE, export_body(schedule=DAILY))
    assert (answer.status, answer.headers["location"]) == (201, ONE)
    assert answer.json["next_times"] == [f"2026-11-{day}T06:00:00+01:00" for day in range(23, 28)]
    assert answer.json["last_run"] is None
    assert answer.json["account"] == "acc-1"
    assert client.get(ONE).json == answer.json
    assert client.get("/api/v1/exports").json == [answer.json]


def test_a_paused_export_has_no_next_times(client: Client) -> None:
    assert client.put(ONE, export_body(schedule=DAILY, paused=True)).json["next_times"] == []


def test_warnings_come_with_the_stored_export(client: Client) -> None:
    answer = client.put(ONE, export_body(targets=[{"segments": ["blob/ci:Soon"]}]))
    assert answer.status == 201
    assert [warning["pointer"] for warning in answer.json["warnings"]] == ["/targets/0/segments/0"]
    assert client.get(ONE).json["warnings"] == []


def test_what_the_vendor_tells_of_the_targets_is_a_warning(client: Client, service: FakeService) -> None:
    service.forewarned = [Issue("/targets/0", "The list is confirmed opt-in.")]
    answer = client.put(ONE, export_body())
    assert answer.status == 201
    assert answer.json["warnings"] == [{"pointer": "/targets/0", "message": "The list is confirmed opt-in."}]


def test_an_answer_may_be_sent_back_also_as_a_copy(client: Client) -> None:
    first = client.put(ONE, export_body(schedule=DAILY))
    assert client.put(ONE, first.json, headers={"If-Match": first.headers["etag"]}).status == 200
    copy = {**first.json, "targets": [{"segments": ["blob/ci:VIP"], "list_name": "Copy"}]}
    assert client.put("/api/v1/exports/copy", copy).json["name"] == "copy"


def test_a_target_of_another_export_is_refused_with_an_offer(client: Client) -> None:
    client.put(ONE, export_body())
    answer = client.put("/api/v1/exports/second", export_body(display_name="Second"))
    assert answer.status == 422
    [error] = answer.json["errors"]
    assert error["pointer"] == "/targets/0"
    assert '"VIP (Second)"' in error["message"]
    assert client.get("/api/v1/exports/second").status == 404


def test_mistakes_in_the_shape_and_in_the_meaning_look_alike(client: Client) -> None:
    shape = client.put(ONE, export_body(mode="sync", targets=[{"segments": []}]))
    assert [error["pointer"] for error in shape.json["errors"]] == ["/targets/0/segments", "/mode"]
    meaning = client.put(ONE, export_body(address_column="Nope"))
    assert [error["pointer"] for error in meaning.json["errors"]] == ["/address_column"]
    assert shape.status == meaning.status == 422
    assert shape.json["type"] == meaning.json["type"] == "/api/docs#invalid"


def test_the_last_run_is_told(client: Client, service: FakeService) -> None:
    client.put(ONE, export_body())
    service.past = [run("r2", State.WARNINGS), run("r1")]
    [listed] = client.get("/api/v1/exports").json
    assert listed["last_run"]["run"] == "r2"
    assert listed["last_run"]["state"] == "succeeded with warnings"
    assert "targets" not in listed["last_run"]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.BLOCKED])
def test_what_a_run_writes_to_is_not_taken_away(client: Client, service: FakeService, state: State) -> None:
    client.put(ONE, export_body())
    service.past = [run("r1", state)]
    assert client.delete(ONE).status == 409
    assert client.put(ONE, export_body(targets=[{"segments": ["blob/ci:VIP"], "list_name": "B"}])).status == 409
    assert client.put(ONE, export_body(display_name="Renamed")).status == 200
    service.past = [run("r1", State.CANCELLED)]
    gone = client.delete(ONE)
    assert (gone.status, gone.body) == (204, b"")
    assert client.get(ONE).status == 404


def test_conditions_hold_for_exports_too(client: Client) -> None:
    first = client.put(ONE, export_body(), headers={"If-None-Match": "*"})
    assert client.put(ONE, export_body(), headers={"If-None-Match": "*"}).status == 412
    client.put(ONE, export_body(display_name="B"))
    assert client.put(ONE, export_body(), headers={"If-Match": first.headers["etag"]}).status == 412
    assert client.delete(ONE, headers={"If-Match": first.headers["etag"]}).status == 412
    assert client.delete(ONE).status == 204


def test_contributors_need_a_shared_connection(client: Client, contributor: Client) -> None:
    assert contributor.put(ONE, export_body()).status == 403
    client.put("/api/v1/connections/marketing", connection_body(shared_with="administrators and contributors"))
    assert contributor.put(ONE, export_body()).status == 201
    assert contributor.get(ONE).json["created_by"] == "carl"
    assert contributor.delete(ONE).status == 204


def test_deleting_an_export_offers_to_withdraw_people_first(client: Client, service: FakeService) -> None:
    client.put(ONE, export_body())
    service.left = {"name:VIP": 1234}
    refused = client.delete("/api/v1/exports/vips")
    assert (refused.status, refused.json["code"]) == (409, "members_left")
    assert "1,234 people" in refused.json["detail"]
    assert client.delete(ONE, query={"keep_members": "true"}).status == 204


def test_retargeting_an_export_offers_to_withdraw_people_first(client: Client, service: FakeService) -> None:
    client.put(ONE, export_body())
    service.left = {"name:VIP": 3}
    elsewhere = export_body(targets=[{"segments": ["blob/ci:VIP"], "list_name": "Elsewhere"}])
    refused = client.put("/api/v1/exports/vips", elsewhere)
    assert (refused.status, refused.json["code"]) == (409, "members_left")
    assert client.put(ONE, elsewhere, query={"keep_members": "true"}).status == 200


def test_changing_the_data_matching_says_how_many_are_sent_again(client: Client, service: FakeService) -> None:
    client.put(ONE, export_body())
    service.left = {"name:VIP": 48_538}
    changed = client.put(ONE, export_body(matching=[{"field": "FIRSTNAME", "column": "EMail"}]))
    assert changed.status == 200, changed.json
    assert [each["message"] for each in changed.json["warnings"] if each["pointer"] == "/matching"] == [
        "The data matching changed: 48,538 people are sent again by the next run."
    ]


def test_checking_an_export_says_what_saving_would_and_saves_nothing(client: Client, service: FakeService) -> None:
    service.forewarned = [Issue("/targets/0", "The list is confirmed opt-in.")]
    answer = client.post(f"{ONE}/validate", export_body())
    assert answer.status == 200
    assert answer.json["warnings"] == [{"pointer": "/targets/0", "message": "The list is confirmed opt-in."}]
    assert client.get(ONE).status == 404
    wrong = client.post(f"{ONE}/validate", export_body(address_column="Nowhere"))
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "/address_column")
    assert wrong.json["errors"] == client.put(ONE, export_body(address_column="Nowhere")).json["errors"]


def test_checking_is_for_those_who_may_save(service: FakeService) -> None:
    viewer = Client(create_app(service, KnownCallers()), {"x-test-caller": "vera"})
    assert viewer.post(f"{ONE}/validate", export_body()).status == 403
    body = {"display_name": "C", "vendor": "letterbox", "settings": {"region": "eu"}}
    assert viewer.post("/api/v1/connections/other/validate", body).status == 403
