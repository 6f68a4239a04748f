"""Connections and exports as code."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from cli import asking
from tests.integration.app.conftest import CONNECTION, EXPORT, App
from tests.integration.cli.conftest import CommandLine, write

ADA, BO = {"ada@example.com": "Ada"}, {"bo@example.com": "Bo"}


def actions(said: Any) -> dict[str, str]:
    return {each["name"]: each["action"] for each in said["changes"]}


def test_a_file_becomes_connections_and_exports_and_a_second_time_nothing(
    app: App, cli: CommandLine, file: Path
) -> None:
    app.land(ADA, "Applied")
    write(file, {"applied": {"targets": [{"segments": ["Applied"]}], "guards": {"max_age_days": 3}}})
    dry = cli("apply", "-f", file, "--dry-run")
    assert dry.status == 0 and "create export applied" in dry.out and "+ /guards: {" in dry.out
    assert app.call("GET", "/api/v1/exports/applied").status_code == 404
    made = cli("apply", "-f", file, "--yes", "--json")
    assert (made.status, actions(made.json)["applied"]) == (0, "create"), made
    stored = app.call("GET", "/api/v1/exports/applied").json()
    assert (stored["guards"]["max_age_days"], stored["guards"]["max_removed_share"]) == (3, 0.2)
    assert cli("runs", "applied", "--json").json == [], "saving runs nothing"
    again = cli("apply", "-f", file)
    assert (again.status, again.out) == (0, "Nothing to change.\n")


def test_what_is_exported_is_taken_back_as_it_is(app: App, cli: CommandLine, file: Path) -> None:
    app.land(ADA, "Round")
    matching = [{"field": "firstName", "column": "FirstName", "when_empty": "clear"}]
    schedule = {"kind": "cron", "expression": "0 5 * * 1-5", "time_zone": "Europe/Bucharest"}
    app.define("round", targets=[{"segments": ["Round"], "list_name": "No"}], matching=matching, schedule=schedule)
    assert cli("export", "-o", file).status == 0
    written = yaml.safe_load(file.read_text())
    assert written["exports"]["round"]["schedule"] == schedule
    assert "guards" not in written["exports"]["round"], "defaults are left out"
    assert written["connections"]["iterable"]["consent"] == {"text": CONNECTION["consent"]["text"]}
    assert set(actions(cli("apply", "-f", file, "--json").json).values()) == {"none"}
    as_json = cli("export", "--json")
    assert as_json.json == written
    assert cli("apply", "-f", "-", given=as_json.out).out == "Nothing to change.\n"


def test_a_change_is_shown_and_a_person_is_asked(app: App, cli: CommandLine, file: Path) -> None:
    app.land(ADA, "Asked")
    app.define("asked", targets=[{"segments": ["Asked"]}])
    write(file, {"asked": {"targets": [{"segments": ["Asked"]}], "mode": "add"}})
    refused = cli("apply", "-f", file, given="n\n")
    assert (refused.status, refused.out) == (1, "")
    assert '~ /mode: "mirror" -> "add"' in refused.err and "/matching" not in refused.err
    assert app.call("GET", "/api/v1/exports/asked").json()["mode"] == "mirror"
    assert cli("apply", "-f", file).status == 2, "nobody there to answer"
    assert cli("apply", "-f", file, "--json").json["error"]["code"] == "nobody_answered"
    assert cli("apply", "-f", file, given="y\n").status == 0
    assert app.call("GET", "/api/v1/exports/asked").json()["mode"] == "add"


def test_nobodys_change_is_overwritten(app: App, cli: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app.land(ADA, "Contested")
    target = {"targets": [{"segments": ["Contested"]}]}
    app.define("contested", **target)
    write(file, {"contested": target | {"mode": "add"}})

    def meanwhile(_: str) -> bool:
        assert app.call("PUT", "/api/v1/exports/contested", EXPORT | target | {"paused": True}).ok
        return True

    monkeypatch.setattr(asking, "confirmed", meanwhile)
    said = cli("apply", "-f", file)
    assert said.status == 1 and "read it again" in said.out
    stored = app.call("GET", "/api/v1/exports/contested").json()
    assert (stored["paused"], stored["mode"]) == (True, "mirror")


def test_somebody_elses_new_export_is_not_overwritten_either(
    app: App, cli: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.land(ADA, "Raced")
    target = {"targets": [{"segments": ["Raced"]}]}
    write(file, {"raced": target | {"mode": "add"}})
    monkeypatch.setattr(asking, "confirmed", lambda _: bool(app.define("raced", **target)))
    assert cli("apply", "-f", file).status == 1
    assert app.call("GET", "/api/v1/exports/raced").json()["mode"] == "mirror"


def test_credentials_and_consent_stay_where_the_file_does_not_mention_them(
    app: App, cli: CommandLine, file: Path
) -> None:
    app.define("credentials", targets=[{"segments": ["Credentials"]}])
    bare = {name: value for name, value in CONNECTION.items() if name not in ("secrets", "consent")}
    write(file, {}, iterable=bare | {"rate_budget": 0.5})
    said = cli("apply", "-f", file, "--yes", "--json")
    [change] = said.json["changes"]
    assert change["differences"] == [{"pointer": "/rate_budget", "before": 0.75, "after": 0.5}]
    stored = app.call("GET", "/api/v1/connections/iterable").json()
    assert (stored["rate_budget"], stored["consent"]["agreed_by"]) == (0.5, "local")
    assert stored["secrets"] == CONNECTION["secrets"] and stored["account"]


def test_a_decision_is_asked_for_recorded_and_left_alone_by_a_file_that_does_not_mention_it(
    app: App, cli: CommandLine, file: Path
) -> None:
    bare = {"display_name": "News", "vendor": "mailchimp", "settings": {"new_people": "subscribed"}}
    decided = bare | {"decisions": {"new_people": {"choice": "subscribed", "text": "We have their consent."}}}
    write(file, {}, chimp=bare)
    said = cli("apply", "-f", file, "--yes", "--json")
    [error] = [each["error"] for each in said.json["changes"] if not each["ok"]]
    assert [each["pointer"] for each in error["errors"]] == ["/decisions/new_people"]
    for written in (decided, bare | {"rate_budget": 0.5}):
        write(file, {}, chimp=written)
        cli("apply", "-f", file, "--yes")
        kept = app.call("GET", "/api/v1/connections/chimp").json()["decisions"]["new_people"]
        assert (kept["choice"], kept["text"], kept["decided_by"]) == ("subscribed", "We have their consent.", "local")
    assert cli("diff", "-f", file).status == 0
    assert app.call("DELETE", "/api/v1/connections/chimp").status_code == 204


def test_one_refusal_does_not_keep_the_rest_from_being_saved(app: App, cli: CommandLine, file: Path) -> None:
    app.land(ADA, "Partly")
    good, bad = {"targets": [{"segments": ["Partly"]}]}, {"targets": [{"segments": ["Partly"], "list_name": "B"}]}
    write(file, {"partly-bad": bad | {"address_column": "Missing"}, "partly-good": good})
    said = cli("apply", "-f", file, "--yes", "--json")
    results = {each["name"]: each for each in said.json["changes"]}
    assert (said.status, results["partly-good"]["ok"], results["partly-bad"]["ok"]) == (1, True, False)
    assert [error["pointer"] for error in results["partly-bad"]["error"]["errors"]] == ["/address_column"]
    assert app.call("GET", "/api/v1/exports/partly-good").ok


def test_a_new_connection_is_checked_and_its_check_may_fail(app: App, cli: CommandLine, file: Path) -> None:
    write(file, {}, broken=CONNECTION | {"secrets": {"api_key": "no-such-secret"}, "consent": {"text": "Yes."}})
    said = cli("apply", "-f", file, "--yes")
    assert said.status == 1 and "its check failed" in said.out
    assert app.call("DELETE", "/api/v1/connections/broken").status_code == 204


def test_people_are_left_behind_on_a_list_only_when_that_is_said(app: App, cli: CommandLine, file: Path) -> None:
    app.land(ADA | BO, "Left")
    app.define("left", targets=[{"segments": ["Left"]}])
    cli.run("left")
    write(file, {"left": {"targets": [{"segments": ["Left"], "list_name": "Another"}]}})
    refused = cli("apply", "-f", file, "--yes", "--json")
    [error] = [each["error"] for each in refused.json["changes"] if not each["ok"]]
    assert (refused.status, error["code"], error["status"]) == (1, "members_left", 409)
    assert cli("apply", "-f", file, "--yes", "--keep-members").status == 0
    assert app.members("Left") == {"ada@example.com", "bo@example.com"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("exports: [", "line 1"),
        ("exports: {}\nexports: {}", "twice"),
        ("export: {}", "nothing else"),
        ("exports: {ann@example.com: {}}", "lower-case letters"),
        ("exports: {newsletter: weekly}", "must be a definition"),
        ("exports: {newsletter: {guards: {max_age_weeks: 1}}}", "/exports/newsletter/guards/max_age_weeks"),
    ],
)
def test_a_file_that_cannot_be_meant_so_changes_nothing(cli: CommandLine, file: Path, text: str, word: str) -> None:
    file.write_text(text)
    said = cli("apply", "-f", file, "--yes")
    assert said.status == 2 and said.out == "" and word in said.err and "ann@" not in said.err


def test_how_a_segment_is_written_is_code_too(app: App, cli: CommandLine, file: Path) -> None:
    app.land(ADA, "Written")
    [segment] = [each["id"] for each in app.call("GET", "/api/v1/segments").json() if each["name"] == "Written"]
    file.write_text(yaml.safe_dump({"segments": {segment: {"dialect": {"nulls": ["NULL"]}}}}))
    assert f"change segment {segment}" in cli("apply", "-f", file, "--dry-run").out
    assert cli("apply", "-f", file, "--yes").status == 0
    assert app.call("GET", f"/api/v1/segments/{quote(segment, safe='')}").json()["dialect"]["nulls"] == ["NULL"]
    assert cli("export", "--json").json["segments"] == {segment: {"dialect": {"nulls": ["NULL"]}}}
    assert cli("apply", "-f", file).out == "Nothing to change.\n"
    file.write_text(yaml.safe_dump({"segments": {segment: {"dialect": {"header": True}}}}))
    assert "There is no such property" in cli("apply", "-f", file).err
    file.write_text(yaml.safe_dump({"segments": {segment: {}}}))
    assert cli("apply", "-f", file, "--yes").status == 0
    assert "segments" not in cli("export", "--json").json
    file.write_text(yaml.safe_dump({"segments": {"nowhere:None": {}}}))
    assert "There is no segment nowhere:None" in cli("apply", "-f", file).err


def test_made_values_are_code_too(app: App, cli: CommandLine, file: Path) -> None:
    app.land(ADA, "Made")
    steps = [
        {"function": "title"},
        {"function": "map", "values": {"1": "Gold", "no": "Basic"}, "otherwise": "keep"},
        {"function": "date", "reads": "day_month_year", "writes": "DD.MM."},
    ]
    matching = [
        {"field": "plain", "column": "FirstName"},
        {"field": "made", "derived": {"take": "join", "columns": ["FirstName", "EMail"], "steps": steps}},
        {"field": "phone", "derived": {"columns": ["FirstName"], "steps": [{"function": "phone"}]}},
        {"field": "number", "derived": {"columns": ["FirstName"], "steps": [{"function": "decimal_comma"}]}},
        {"field": "source", "derived": {"take": "constant", "text": "CI"}},
    ]
    write(file, {"made": {"targets": [{"segments": ["Made"]}], "matching": matching}})
    made = cli("apply", "-f", file, "--yes", "--json")
    assert (made.status, actions(made.json)["made"]) == (0, "create"), made
    assert cli("apply", "-f", file).out == "Nothing to change.\n"
    written = yaml.safe_load(cli("export").out)
    assert written["exports"]["made"]["matching"] == matching, "without defaults, and without what is not there"
    wrong = [{"field": "x", "derived": {"columns": ["FirstName"], "steps": [{"function": "upper", "code": "1"}]}}]
    write(file, {"made": {"targets": [{"segments": ["Made"]}], "matching": wrong}})
    refused = cli("apply", "-f", file, "--yes")
    assert refused.status != 0
    assert "/matching/0/derived/steps/0/code" in refused.out + refused.err
