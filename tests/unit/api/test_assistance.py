"""What the API offers to who defines exports, and what it does to several of them at once."""

from __future__ import annotations

from dataclasses import replace

from shared.delivery.state.records import State
from tests.unit.api.asgi import Client
from tests.unit.api.service import FakeService, run

V1 = "/api/v1"


def test_data_matching_is_suggested_from_the_columns_that_all_segments_have(client: Client) -> None:
    answer = client.get(f"{V1}/suggestions", query={"vendor": "letterbox", "segment": "blob/ci:VIP"})
    assert answer.json["address_column"] == "EMail"
    assert [(each["field"], each["column"]) for each in answer.json["matching"]] == [
        ("FIRSTNAME", "FirstName"),
        ("BORN", "Birthday"),
    ]
    assert client.get(f"{V1}/suggestions", query={"vendor": "nobody", "segment": "VIP"}).status == 404
    assert client.get(f"{V1}/suggestions", query={"vendor": "letterbox", "segment": "None"}).status == 404


def test_a_schedule_tells_its_next_five_times_before_it_is_saved(client: Client) -> None:
    schedule = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "Europe/Stockholm"}
    times = client.post(f"{V1}/schedule/next", schedule).json["next_times"]
    assert times[0] == "2026-11-23T06:00:00+01:00"
    assert len(times) == 5
    assert client.post(f"{V1}/schedule/next", {"kind": "manual"}).json["next_times"] == []
    assert client.post(f"{V1}/schedule/next", {"kind": "cron"}).status == 422


def test_a_preview_needs_a_connection_that_the_caller_may_use(client: Client, contributor: Client) -> None:
    sent = {"connection": "marketing", "segments": ["VIP"], "address_column": "EMail"}
    assert client.post(f"{V1}/preview", sent).headers["cache-control"] == "no-store"
    assert contributor.post(f"{V1}/preview", sent).status == 403
    assert client.post(f"{V1}/preview", sent | {"connection": "none"}).status == 404


def test_a_duplicate_is_proposed_and_not_saved(client: Client, service: FakeService) -> None:
    service.world.save(function_key_starts=("withdraw",))
    proposal = client.post(f"{V1}/exports/vips/duplicate").json
    assert proposal["name"] == "vips-copy"
    assert client.get(f"{V1}/exports/vips-copy").status == 404
    saved = client.put(f"{V1}/exports/vips-copy", proposal["definition"])
    assert (saved.status, saved.json["function_key_starts"]) == (201, [])


def test_several_exports_each_answer_for_themselves(client: Client, service: FakeService) -> None:
    service.world.save()
    answer = client.post(f"{V1}/several", {"exports": ["vips", "none"], "do": "pause"})
    assert [(each["export"], each["ok"]) for each in answer.json] == [("vips", True), ("none", False)]
    assert client.get(f"{V1}/exports/vips").json["paused"]
    daily = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "UTC"}
    assert client.post(f"{V1}/several", {"exports": ["vips"], "do": "schedule"}).status == 422
    assert client.post(f"{V1}/several", {"exports": ["vips"], "do": "pause", "schedule": daily}).status == 422
    assert client.post(f"{V1}/several", {"exports": ["vips"], "do": "schedule", "schedule": daily}).json[0]["ok"]
    assert [each["export"] for each in client.post(f"{V1}/run-all").json] == ["vips"]


def test_history_is_of_runs_that_ended(client: Client, service: FakeService) -> None:
    service.world.save()
    service.past = [run("r2", State.SUCCEEDED), run("r1", State.FAILED)]
    assert [each["run"] for each in client.get(f"{V1}/exports/vips/history").json] == ["r2", "r1"]


def test_a_connection_is_removed_with_a_word_about_each_export(client: Client, service: FakeService) -> None:
    service.world.save()
    where = f"{V1}/connections/marketing/remove"
    refused = client.post(where, {"exports": {}})
    assert refused.status == 422
    assert refused.json["errors"][0]["pointer"] == "/exports/vips"
    assert client.post(where, {"exports": {"vips": "detach"}}).status == 204
    assert client.get(f"{V1}/exports/vips").json["connection"] == ""
    assert client.get(f"{V1}/connections/marketing").status == 404


def test_segments_tell_which_exports_carry_them(client: Client, service: FakeService) -> None:
    service.world.save()
    listed = {each["name"]: each["exports"] for each in client.get(f"{V1}/segments").json}
    assert listed["VIP"] == ["vips"]
    assert listed["Lapsed"] == []


def test_a_name_that_two_segments_have_says_nothing_about_either(client: Client, service: FakeService) -> None:
    service.found.append(replace(service.found[-1], container="elsewhere", folder=""))
    service.world.columns["VIP"] = service.world.columns["blob/ci:VIP"]
    service.world.save(targets=[{"segments": ["VIP"]}])
    assert [each["exports"] for each in client.get(f"{V1}/segments").json if each["name"] == "VIP"] == [[], []]
    service.found.pop()
    assert [each["exports"] for each in client.get(f"{V1}/segments").json if each["name"] == "VIP"] == [["vips"]]
