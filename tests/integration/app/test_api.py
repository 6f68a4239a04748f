"""The app over HTTP, as an engineer's script meets it."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress
from urllib.parse import quote

import pytest
import requests
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from tests.integration.app.conftest import CONNECTION, EXPORT, PROBLEM, App

_RECORD = re.compile(r"\d{4}-\d\d-\d\d \S+ [A-Z]+ ")
ADA, BO = {"ada@example.com": "Ada"}, {"bo@example.com": "Bo"}


def test_on_one_machine_only_the_on_demand_trigger_needs_the_key(app: App) -> None:
    assert requests.post(f"{app.host.url}/api/v1/exports/x/run", timeout=120).status_code == 401
    me = requests.get(f"{app.host.url}/api/v1/me", timeout=120).json()
    assert (me["name"], me["roles"], me["how"]) == ("local", ["Administrator"], "local")


def test_an_export_runs_on_demand(app: App) -> None:
    app.land(ADA | BO | {"not an address": "x"}, "OnDemand")
    app.define("on-demand", targets=[{"segments": ["OnDemand"]}])
    started = app.call("POST", "/api/v1/exports/on-demand/run")
    assert started.status_code == 202
    assert started.headers["Retry-After"].isdigit()
    run = started.json()["run"]
    assert started.headers["Location"] == f"/api/v1/exports/on-demand/runs/{run}"
    app.host.wait_idle()
    view = app.call("GET", started.headers["Location"]).json()
    assert view["state"] == "succeeded with warnings"
    assert [view["progress"][part] for part in ("done", "total", "step")] == [2, 2, "done"]
    assert view["targets"][0]["counts"]["accepted"] == 2
    assert app.members("OnDemand") == {"ada@example.com", "bo@example.com"}
    report = app.call("GET", started.headers["Location"] + "/report").json()
    assert [(each["outcome"], each["people"]) for each in report["reasons"]] == [("refused here", 1)]
    assert app.call("GET", "/api/v1/exports/on-demand/runs").json()["runs"][0]["run"] == run


def test_rejected_rows_come_by_a_short_lived_link(app: App) -> None:
    app.land(ADA | {"=1+1@": "x"}, "Links")
    app.define("links", targets=[{"segments": ["Links"]}])
    run = app.run("links")["run"]
    path = f"/api/v1/exports/links/runs/{run}/rejected.csv"
    redirect = app.call("GET", path, allow_redirects=False)
    assert redirect.status_code == 307
    text = requests.get(redirect.headers["Location"], timeout=120).content.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["address"], row["code"], row["row"]) == ("'=1+1@", "address_invalid", "2")
    assert app.call("GET", path + "?target=7").status_code == 404


def test_asking_again_gives_the_active_run_back(app: App) -> None:
    app.land({f"many{number}@example.com": "" for number in range(300)}, "Again")
    app.define("again", targets=[{"segments": ["Again"]}])
    app.simulator.change_settings({"latency_fixed": 0.5})
    try:
        first, second = (app.call("POST", "/api/v1/exports/again/run").json() for _ in range(2))
        assert (first["run"], first["new"]) == (second["run"], True)
        assert second["new"] is False
    finally:
        app.simulator.change_settings({"latency_fixed": 0})
        app.host.wait_idle()
    assert len(app.members("Again")) == 300


@pytest.mark.parametrize("name", ["nobody", "no body", "%2e%2e", "x" * 200])
def test_running_what_does_not_exist_is_a_404(app: App, name: str) -> None:
    answer = app.call("POST", f"/api/v1/exports/{name}/run")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (404, PROBLEM)
    assert answer.json()["code"] == "not_found"


def test_running_on_a_disabled_connection_says_what_to_do(app: App) -> None:
    app.land(ADA, "Disabled")
    app.define("disabled", targets=[{"segments": ["Disabled"]}])
    assert app.call("PUT", "/api/v1/connections/iterable", CONNECTION | {"disabled": True}).ok
    answer = app.call("POST", "/api/v1/exports/disabled/run")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (422, PROBLEM)
    assert "enable it" in answer.json()["detail"]
    assert app.call("PUT", "/api/v1/connections/iterable", CONNECTION).ok


def test_saving_never_runs_anything(app: App) -> None:
    app.land(ADA, "Saved")
    app.define("saved", targets=[{"segments": ["Saved"]}])
    assert app.call("GET", "/api/v1/exports/saved/runs").json()["runs"] == []
    assert app.members("Saved") == set()


def test_what_is_wrong_with_an_export_is_said_all_at_once(app: App) -> None:
    app.land(ADA, "Wrong")
    app.define("right", targets=[{"segments": ["Wrong"], "list_name": "Taken"}])
    wrong = EXPORT | {
        "targets": [{"segments": ["Wrong"], "list_name": "Taken"}],
        "address_column": "Missing",
        "matching": [{"field": "userId", "column": "FirstName"}, {"field": "a", "column": "Nope"}],
        "schedule": {"kind": "cron", "expression": "0 0 31 2 *", "time_zone": "Mars/Olympus"},
    }
    answer = app.call("PUT", "/api/v1/exports/wrong", wrong)
    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {
        "/targets/0",
        "/address_column",
        "/matching/0/field",
        "/matching/1/column",
        "/schedule/expression",
        "/schedule/time_zone",
    }


def test_segments_are_listed_and_their_rows_counted_by_the_queue(app: App) -> None:
    app.land(ADA | BO, "Counted")

    def counted() -> dict[str, object]:
        found = app.call("GET", "/api/v1/segments").json()
        [segment] = [each for each in found if each["name"] == "Counted"]
        return dict(segment)

    first = counted()
    assert (first["columns"], first["rows"], first["files"]) == (["EMail", "FirstName"], None, 1)
    app.host.wait_idle()
    assert counted()["rows"] == 2


def test_saving_starts_nothing_of_what_is_there_unless_it_is_asked_for(app: App) -> None:
    app.land(ADA, "Waiting", minutes_ago=10)

    def runs(name: str) -> int:
        app.host.fire("schedule")
        app.host.wait_idle()
        return len(app.call("GET", f"/api/v1/exports/{name}/runs").json()["runs"])

    follow = {"targets": [{"segments": ["Waiting"], "list_name": "One"}], "schedule": {"kind": "on_refresh"}}
    app.define("followed", **follow)
    assert runs("followed") == 0
    app.define("followed", **follow, display_name="Edited")
    app.land(BO, "Waiting", minutes_ago=5)
    assert runs("followed") == 1
    app.define("followed", **follow, paused=True)
    app.land(ADA, "Waiting", minutes_ago=1)
    app.define("followed", **follow)
    assert runs("followed") == 1, "resumed, and nothing landed since"
    asked = {"targets": [{"segments": ["Waiting"], "list_name": "Two"}]}
    app.define("asked", **asked, schedule={"kind": "on_refresh", "existing": True})
    assert runs("asked") == 1


def test_a_save_that_is_refused_overlooks_nothing(app: App) -> None:
    app.land(ADA, "Refused")
    app.define("waits", targets=[{"segments": ["Refused"]}])
    body = {**EXPORT, "targets": [{"segments": ["Refused"]}], "schedule": {"kind": "on_refresh"}}
    for name, refused in (("waits", {"address_column": "NoSuch"}), ("bad name#", {})):
        answer = app.call("PUT", f"/api/v1/exports/{quote(name, safe='')}", {**body, **refused})
        assert answer.status_code == 422, answer.text
    app.define("waits", targets=[{"segments": ["Refused"]}], schedule={"kind": "on_refresh", "existing": True})
    app.host.fire("schedule")
    app.host.wait_idle()
    assert len(app.call("GET", "/api/v1/exports/waits/runs").json()["runs"]) == 1


def test_the_timer_runs_what_is_due(app: App) -> None:
    app.define("timed", targets=[{"segments": ["Timed"]}], schedule={"kind": "on_refresh"})
    app.host.fire("schedule")
    assert app.call("GET", "/api/v1/exports/timed/runs").json()["runs"] == []
    app.land(ADA, "Timed")
    app.host.fire("schedule")
    app.host.wait_idle()
    app.host.fire("schedule")
    app.host.wait_idle()
    [run] = app.call("GET", "/api/v1/exports/timed/runs").json()["runs"]
    assert run["trigger"] == "schedule on_refresh"
    assert run["state"].startswith("succeeded")
    assert app.members("Timed") == {"ada@example.com"}
    app.land(BO, "Timed", minutes_ago=1)
    app.host.fire("schedule")
    app.host.wait_idle()
    assert len(app.call("GET", "/api/v1/exports/timed/runs").json()["runs"]) == 2
    assert app.members("Timed") == {"bo@example.com"}


def test_a_rotated_secret_is_picked_up_without_a_restart(app: App) -> None:
    app.land(ADA, "Rotated")
    app.define("rotated", targets=[{"segments": ["Rotated"]}])
    app.run("rotated")
    app.simulator.change_settings({"keys": {"new-key": {"type": "Standard"}, "iterable-standard-key": None}})
    app.services.key_vault.set_secret("iterable-api-key", "new-key")
    try:
        app.land(BO, "Rotated", minutes_ago=1)
        assert app.run("rotated")["state"] in ("succeeded", "succeeded with warnings")
        assert app.members("Rotated") == {"bo@example.com"}
    finally:
        app.simulator.change_settings({"keys": {"iterable-standard-key": {"type": "Standard"}, "new-key": None}})
        app.services.key_vault.set_secret("iterable-api-key", "iterable-standard-key")


def test_a_poison_message_is_kept(app: App) -> None:
    connection = app.services.connection_string
    queue = QueueClient.from_connection_string(
        connection, "export-slices-poison", message_encode_policy=TextBase64EncodePolicy()
    )
    with suppress(ResourceExistsError):
        queue.create_queue()
    queue.send_message('{"version":99}')
    app.host.wait_until(lambda status: status.succeeded.get("poison", 0) == 1)
    kept = ContainerClient.from_connection_string(connection, "segment-exports")
    assert len(list(kept.list_blob_names(name_starts_with="poison/"))) == 1


def test_the_api_describes_itself(app: App) -> None:
    document = app.call("GET", "/api/openapi.json").json()
    assert "/api/v1/exports/{name}" in document["paths"]
    page = app.call("GET", "/api/docs")
    assert page.ok and "https://" not in page.text.replace("https://api.iterable.com", "")
    assert app.call("GET", "/api/health").json()["status"] == "ok"
    nowhere = app.call("GET", "/api/v1/nowhere")
    assert (nowhere.status_code, nowhere.headers["Content-Type"].partition(";")[0]) == (404, PROBLEM)


def test_no_address_and_no_secret_is_in_the_log(app: App) -> None:
    app.land(ADA | {"broken@@example.com": ""}, "Logged")
    app.define("logged", targets=[{"segments": ["Logged"]}])
    app.run("logged")
    app.host.fire("schedule")
    app.host.wait_idle()
    log = app.host.log()
    assert "logged" in log, "the timer tells what happened"
    for word in ("@example", "%40example", "iterable-standard-key"):
        assert word not in log


def test_an_idle_tick_logs_nothing_and_a_run_a_few_lines(app: App) -> None:
    """Each record costs money in Azure, where the libraries would write two for each request to storage."""
    app.land(ADA | BO, "Quiet")
    app.define("quiet", targets=[{"segments": ["Quiet"]}])
    app.host.fire("schedule")
    before = app.host.log()
    app.host.fire("schedule")
    tick = _records(app.host.log().removeprefix(before))
    before = app.host.log()
    app.run("quiet")
    run = _records(app.host.log().removeprefix(before))
    assert tick == []
    assert len(run) <= 3


def _records(log: str) -> list[str]:
    """Lines of the app and its libraries; the host's own and the traceback of a record are left out."""
    return [line for line in log.splitlines() if _RECORD.match(line) and " dev.host" not in line]


def test_a_run_may_be_for_another_end(app: App) -> None:
    app.land(ADA | BO, "Kinds")
    app.define("kinds", targets=[{"segments": ["Kinds"]}])
    refused = app.call("POST", "/api/v1/exports/kinds/run", {"kind": "everything"})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/kind"]
    dry = app.call("POST", "/api/v1/exports/kinds/run", {"kind": "dry_run"})
    app.host.wait_idle()
    where = dry.headers["Location"]
    assert app.call("GET", where).json()["message"] == "Dry run: nothing was sent."
    sample = app.call("GET", where + "/sample").json()
    assert [(each["operation"], each["values"]["firstName"]) for each in sample] == [("add", "Ada"), ("add", "Bo")]
    assert app.members("Kinds") == set()
    app.run("kinds")
    assert len(app.members("Kinds")) == 2
    assert app.call("DELETE", "/api/v1/exports/kinds").json()["code"] == "members_left"
    assert app.call("POST", "/api/v1/exports/kinds/run", {"kind": "withdraw"}).status_code == 403
    app.call("POST", "/api/v1/exports/kinds/runs", {"kind": "withdraw"})
    app.host.wait_idle()
    assert app.members("Kinds") == set()
    assert app.call("DELETE", "/api/v1/exports/kinds").status_code == 204


def test_a_guard_stops_a_run_and_a_person_decides(app: App) -> None:
    app.land({f"guarded{number}@example.com": "" for number in range(150)}, "Guarded")
    app.define("guarded", targets=[{"segments": ["Guarded"]}])
    app.run("guarded")
    app.land(ADA, "Guarded", minutes_ago=1)
    blocked = app.run("guarded")
    assert blocked["state"] == "blocked"
    assert "would remove 150 of 150 (100%), limit 20%" in blocked["message"]
    where = f"/api/v1/exports/guarded/runs/{blocked['run']}"
    stale = app.call("POST", where + "/decision", {"plan": "another", "decision": "deliver"})
    assert stale.status_code == 409
    decided = {"plan": blocked["targets"][0]["plan"], "decision": "deliver"}
    assert app.call("POST", where + "/decision", decided).status_code == 202
    app.host.wait_idle()
    assert app.members("Guarded") == {"ada@example.com"}


def test_one_person_is_explained_and_forgotten_and_never_in_a_url(app: App) -> None:
    app.land(ADA | BO, "Explained")
    app.define("explained", targets=[{"segments": ["Explained"]}])
    app.run("explained")
    explained = app.call("POST", "/api/v1/exports/explained/explain", {"address": "Ada@example.com"}).json()
    assert explained["targets"][0]["verdict"].startswith("On the list, and in the segment.")
    assert app.call("GET", "/api/v1/exports/explained/explain?address=x").status_code in (404, 405)
    asked = app.call("POST", "/api/v1/forget", {"address": "ada@example.com"})
    assert asked.status_code == 202 and asked.json()["state"] == "running"
    app.host.wait_idle()
    certificate = app.call("GET", asked.headers["Location"]).json()
    assert certificate["state"] == "done" and certificate["erased"]["ledgers"] >= 1
    assert certificate == app.call("GET", "/api/v1/forget").json()[0]
    assert app.call("GET", "/api/v1/forget/no-such-request").status_code == 404
    again = app.call("POST", "/api/v1/exports/explained/explain", {"address": "ada@example.com"}).json()
    assert again["targets"][0]["ledger"] is None
