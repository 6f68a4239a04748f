"""Runs: starting and watching them, who was refused, and steering them."""

from __future__ import annotations

import csv
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cli.api import Api
from cli.signing_in import Nobody
from cli.watching import GOOD, watch
from shared.catalog.holdout import Holdout
from tests.integration.app.conftest import CONNECTION, EXPORT, App
from tests.integration.cli.conftest import CommandLine

ADA, BO = {"ada@example.com": "Ada"}, {"bo@example.com": "Bo"}


@contextmanager
def slow(app: App) -> Iterator[None]:
    """The vendor takes its time, so that a run is under way for a while."""
    app.simulator.change_settings({"latency_fixed": 0.5})
    try:
        yield
    finally:
        app.simulator.change_settings({"latency_fixed": 0})


def test_a_run_is_started_and_watched_to_its_end(app: App, cli: CommandLine) -> None:
    app.land(ADA | BO | {"not an address": "x"}, "Watched")
    app.define("watched", targets=[{"segments": ["Watched"]}])
    started = cli("run", "watched", "--json")
    assert (started.status, started.json["new"]) == (0, True)
    assert cli.run("watched")["state"] == "succeeded with warnings"
    said = cli("run", "watched", "--watch", "--json")
    assert (said.status, said.json["state"], said.json["kind"]) == (0, "nothing to do", "delivery")
    assert app.members("Watched") == {"ada@example.com", "bo@example.com"}
    newest, first = cli("runs", "watched", "--json").json
    assert (newest["run"], first["run"]) == (said.json["run"], started.json["run"])
    [line] = [line for line in cli("runs", "watched").out.splitlines() if first["run"] in line]
    assert "succeeded with warnings" in line


def test_a_dry_run_sends_nothing(app: App, cli: CommandLine) -> None:
    app.land(ADA, "Dry")
    app.define("dry", targets=[{"segments": ["Dry"]}])
    said = cli("run", "dry", "--kind", "dry_run", "-w")
    assert said.status == 0 and "Dry run: nothing was sent." in said.out
    assert said.err.splitlines()[-1] == "succeeded", "steps are told where no terminal shows a bar"
    assert app.members("Dry") == set()


def test_a_rehearsal_says_who_would_join_and_fetches_the_people(app: App, cli: CommandLine, tmp_path: Path) -> None:
    app.land(ADA | BO, "Rehearsed")
    app.define("rehearsed", targets=[{"segments": ["Rehearsed"]}])
    csv_file = tmp_path / "rehearsal.csv"
    said = cli("rehearse", "rehearsed", "--output", csv_file)
    assert said.status == 0 and "Rehearsal: nothing was sent." in said.out
    assert [line.split()[1:] for line in said.out.splitlines() if "joins" in line] == [["joins", "2"]]
    assert "requests, about" in said.out and "@example" not in said.out + said.err
    with csv_file.open(encoding="utf-8-sig") as rows:
        assert {row["address"]: row["foreseen"] for row in csv.DictReader(rows)} == dict.fromkeys(ADA | BO, "joins")
    assert stat.S_IMODE(csv_file.stat().st_mode) == 0o600
    assert app.members("Rehearsed") == set()


def test_one_run_at_a_time_and_not_one_of_another_kind(app: App, cli: CommandLine) -> None:
    app.land({f"busy{number}@example.com": "" for number in range(300)}, "Busy")
    app.define("busy", targets=[{"segments": ["Busy"]}])
    with slow(app):
        first = cli("run", "busy", "--json").json
        second = cli("run", "busy", "--json")
        assert (second.status, second.json["run"], second.json["new"]) == (0, first["run"], False)
        other = cli("retry", "busy", "--json")
        assert (other.status, other.json["error"]["code"]) == (1, "under_way")
        cancelled = cli("cancel", "busy", "--json")
        assert (cancelled.status, cancelled.json["run"]) == (0, first["run"])
    ended = watch(Api(app.host.url, Nobody()), "busy", first["run"], 0.2, lambda view: None)
    assert ended["state"] in ("cancelled", "succeeded"), "it may have been faster"
    assert cli("cancel", "busy").status == 1, "it has ended"


def test_who_was_refused_is_counted_and_fetched_into_a_private_file(app: App, cli: CommandLine, tmp_path: Path) -> None:
    app.land(ADA | {"broken@@example.com": "x"}, "Refused")
    app.define("refused", targets=[{"segments": ["Refused"]}])
    run = cli.run("refused")["run"]
    csv_file = tmp_path / "rejected.csv"
    csv_file.touch(0o644)
    said = cli("rejected", "refused", "--output", csv_file)
    assert said.status == 0 and "refused here" in said.out and "@example" not in said.out + said.err
    assert stat.S_IMODE(csv_file.stat().st_mode) == 0o600
    with csv_file.open(encoding="utf-8-sig") as rows:
        assert [row["address"] for row in csv.DictReader(rows)] == ["broken@@example.com"]
    assert cli("rejected", "refused", "--output", tmp_path / "nowhere" / "rejected.csv").status == 2
    [reason] = cli("rejected", "refused", "--run", run, "--json").json["reasons"]
    assert (reason["people"], reason["code"]) == (1, "address_invalid")
    assert cli("rejected", "refused", "--run", "no-such-run").status == 1


def test_values_that_were_left_out_are_counted_and_placed(app: App, cli: CommandLine, tmp_path: Path) -> None:
    app.land({"ada@example.com": "forty", "bo@example.com": "40"}, "Values")
    matching = [{"field": "points", "column": "FirstName", "type": "integer"}]
    app.define("values", targets=[{"segments": ["Values"]}], matching=matching)
    cli.run("values")
    csv_file = tmp_path / "left-out.csv"
    said = cli("left-out", "values", "--output", csv_file, "--json")
    assert said.json["left_out"] == [{"target": 0, "field": "points", "values": 1}]
    with csv_file.open(encoding="utf-8-sig") as rows:
        assert [(row["field"], row["code"]) for row in csv.DictReader(rows)] == [("points", "not_of_type")]


def test_who_is_held_out_is_counted_and_fetched(app: App, cli: CommandLine, tmp_path: Path) -> None:
    app.land({f"held{number}@example.com": "" for number in range(20)}, "Holding")
    holdout = Holdout(name="cli", share=0.5)
    app.define("holding", targets=[{"segments": ["Holding"]}], rules={"holdout": holdout.model_dump()})
    cli.run("holding")
    wanted = {address for number in range(20) if holdout.holds(address := f"held{number}@example.com")}
    csv_file = tmp_path / "holdout.csv"
    [told] = cli("holdout", "holding", "--output", csv_file, "--json").json["holdout"]
    assert (told["people"], told["removed"]) == (len(wanted), 0)
    assert told["reason"] == "Is in the holdout cli, 50% of people, whom no vendor gets."
    with csv_file.open(encoding="utf-8-sig") as rows:
        assert {row["address"] for row in csv.DictReader(rows)} == wanted
    said = cli("holdout", "holding")
    assert str(len(wanted)) in said.out and "@example" not in said.out + said.err


def test_a_first_run_asks_and_starts_small(app: App, cli: CommandLine) -> None:
    app.land({f"many{number}@example.com": "" for number in range(1001)}, "Many")
    app.define("many", targets=[{"segments": ["Many"]}])
    blocked = cli("run", "many", "--watch", "--json")
    assert (blocked.status, blocked.json["state"]) == (5, "blocked")
    assert "would add 1,001 people" in cli("decide", "many", "start_small", given="\n").err
    assert cli("decide", "many", "start_small", "--yes").status == 0
    cli.run("many")
    assert len(app.members("Many")) in (500, 1001), "the run that was asked for may be the one that was decided about"
    cli.run("many")
    assert len(app.members("Many")) == 1001


def test_a_guard_stops_a_run_and_a_person_decides(app: App, cli: CommandLine) -> None:
    app.land({f"kept{number}@example.com": "" for number in range(150)}, "Held")
    app.define("held", targets=[{"segments": ["Held"]}])
    cli.run("held")
    app.land(ADA, "Held", minutes_ago=1)
    blocked = cli("run", "held", "--watch", "--json")
    assert (blocked.status, blocked.json["state"]) == (5, "blocked")
    assert cli("decide", "held", "deliver", "--plan", "another", "--yes").status == 1
    undecided = cli("decide", "held", "deliver", given="\n")
    assert undecided.status == 1 and "would remove 150 of 150" in undecided.err
    plan = blocked.json["targets"][0]["plan"]
    assert cli("decide", "held", "deliver", "--plan", plan, given="y\n").status == 0
    cli.run("held")
    assert app.members("Held") == {"ada@example.com"}
    assert cli("decide", "held", "deliver", "--yes", "--json").json["error"]["code"] == "nothing_to_decide"


def test_whoever_stops_watching_does_not_stop_the_run(
    app: App, cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.land(ADA, "Unwatched")
    app.define("unwatched", targets=[{"segments": ["Unwatched"]}])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cli.commands.runs.watch", interrupted)
        said = cli("run", "unwatched", "--watch")
    assert said.status == 130 and "goes on" in said.err
    assert cli.run("unwatched")["state"] in GOOD


def test_the_function_key_starts_a_run(app: App, cli: CommandLine) -> None:
    app.land(ADA, "Keyed")
    app.define("keyed", targets=[{"segments": ["Keyed"]}])
    with_key = replace(cli, environment={"SEGMENT_EXPORTS_KEY": app.host.key})
    said = with_key("run", "keyed", "--kind", "dry_run", "--watch", "--json")
    assert (said.status, said.json["kind"]) == (0, "dry_run")
    wrong = replace(cli, environment={"SEGMENT_EXPORTS_KEY": "wrong"})("run", "keyed", "--json")
    assert (wrong.status, wrong.json["error"]["code"]) == (3, "key_refused")


def test_what_does_not_exist_is_said_to_programs_too(cli: CommandLine) -> None:
    for words in (["run", "nowhere"], ["runs", "nowhere"], ["rejected", "nowhere"], ["cancel", "nowhere"]):
        said = cli(*words, "--json")
        assert (said.status, said.json["error"]["code"]) == (1, "not_found"), words
        assert 'There is no export "nowhere".' in said.err


def test_an_export_that_never_ran_has_nothing_to_show(app: App, cli: CommandLine) -> None:
    app.land(ADA, "Never")
    app.define("never", targets=[{"segments": ["Never"]}])
    assert cli("rejected", "never", "--json").json["error"]["code"] == "no_run"


def test_a_connection_goes_after_everyone_was_taken_off(app: App, cli: CommandLine) -> None:
    app.land(ADA | BO, "Leaving")
    assert app.call("PUT", "/api/v1/connections/leaving", CONNECTION).ok
    assert app.call("POST", "/api/v1/connections/leaving/check").json()["ok"]
    for name in ("leaving-1", "leaving-2"):
        on = {"connection": "leaving", "targets": [{"segments": ["Leaving"], "list_name": name}]}
        assert app.call("PUT", f"/api/v1/exports/{name}", EXPORT | on).ok
        assert cli.run(name)["state"].startswith("succeeded")
    refused = cli("remove", "connection", "leaving", "--yes")
    assert refused.status == 1 and "leaving-1" in refused.err
    said = cli("remove", "connection", "leaving", "--exports", "withdraw", "--yes", "--json")
    assert (said.status, said.json) == (0, {"removed": True})
    assert "0 of 2 exports done, 2 take people off (4 left)" in said.err
    assert app.members("leaving-1") == app.members("leaving-2") == set()
    assert cli("show", "connection", "leaving").status == 1
    assert cli("show", "export", "leaving-1").status == 1
