"""Segments, connection checks, and the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from dev.simulators.iterable import PROJECT, Key
from tests.integration.app.conftest import CONNECTION, App
from tests.integration.cli.conftest import CommandLine, Said

ADA = {"ada@example.com": "Ada"}


@contextmanager
def broken(app: App) -> Iterator[None]:
    """A connection whose secret is not there."""
    assert app.call("PUT", "/api/v1/connections/broken", CONNECTION | {"secrets": {"api_key": "no-such-secret"}}).ok
    try:
        yield
    finally:
        assert app.call("DELETE", "/api/v1/connections/broken").ok


def test_segments_are_listed_with_what_keeps_them_from_being_read(app: App, cli: CommandLine) -> None:
    app.land(ADA, "Listed")
    app.segments.upload_blob("Empty/20261001T000000Z/part-0.csv", b"EMail\n", overwrite=True)
    found = {each["name"]: each for each in cli("segments", "--json").json}
    assert found["Listed"]["columns"] == ["EMail", "FirstName"] and found["Listed"]["problems"] == []
    table = cli("segments").out.splitlines()
    assert any(line.startswith("segments:Listed") and "0 h 5 min" in line for line in table), table
    app.segments.delete_blob("Empty/20261001T000000Z/part-0.csv")


def test_a_connection_is_checked(app: App, cli: CommandLine) -> None:
    app.define("checked", targets=[{"segments": ["Checked"]}])
    good = cli("check", "iterable")
    assert good.status == 0 and good.out.startswith("iterable: ok")
    with broken(app):
        bad = cli("check", "broken", "--json")
        assert (bad.status, bad.json["ok"]) == (1, False)
    assert cli("check", "nowhere").status == 1


def test_the_doctor_looks_at_everything(app: App, cli: CommandLine) -> None:
    app.land(ADA, "Healthy")
    app.define("healthy", targets=[{"segments": ["Healthy"]}])
    cli.run("healthy")
    findings = cli("doctor", "--json").json["findings"]
    states = {(each["check"], each["subject"]): each["state"] for each in findings}
    expected = [("ready", "app"), ("signed in", "local"), ("connection", "iterable"), ("last run", "healthy")]
    assert [states[each] for each in expected] == ["ok"] * 4
    assert states[("segment", "segments:Healthy")] == "ok"
    with broken(app):
        ill = cli("doctor")
        assert ill.status == 1
        [line] = [line for line in ill.out.splitlines() if "broken" in line]
        assert line.startswith("failed")


def numbers(said: Said) -> dict[str, object]:
    [finding] = [each for each in said.json["findings"] if each["check"] == "list"]
    return {"state": finding["state"], **finding["numbers"]}


def test_the_doctor_compares_a_list_with_its_record(app: App, cli: CommandLine) -> None:
    app.land({f"p{number}@example.com": "Pat" for number in range(3)}, "Compared")
    app.define("compared", targets=[{"segments": ["Compared"], "list_name": "Compared"}])
    cli.run("compared")
    told = cli("doctor", "--export", "compared")
    assert told.status == 0
    [line] = [line for line in told.out.splitlines() if " list " in line]
    assert "Expected 3, counted 3. Iterable counts as many people as the record has." in line
    assert "Checking compared" in told.err
    lists = app.simulator.vendor.project(PROJECT).lists.values()
    members = next(each for each in lists if each.name == "Compared").members
    members.pop(next(person for person in members if person.email == "p1@example.com"))
    in_full = cli("doctor", "--export", "compared", "--full", "--json")
    assert in_full.status == 0, "somebody may have unsubscribed: that is no failure"
    people = {"expected": 3, "unsure": 0, "counted": 2, "difference": -1, "missing": 1, "strangers": 0, "returned": 0}
    assert numbers(in_full) == {"state": "warning", **people, "differs": 0, "lost": 0}
    assert "p1@example.com" not in in_full.out


def test_a_list_that_nothing_was_delivered_to_is_a_warning(app: App, cli: CommandLine) -> None:
    app.define("untouched", targets=[{"segments": ["Healthy"], "list_name": "Untouched"}])
    said = cli("doctor", "--export", "untouched", "--json")
    assert said.status == 0
    assert numbers(said) == {"state": "warning"}
    assert cli("doctor", "--export", "nowhere").status == 1


def test_a_key_that_was_rotated_takes_a_word_about_the_account(app: App, cli: CommandLine) -> None:
    app.land(ADA, "Rotated")
    app.define("rotated", targets=[{"segments": ["Rotated"], "list_name": "Rotated"}])
    app.services.key_vault.set_secret("second-key", "iterable-second-key")
    app.simulator.vendor.settings.keys["iterable-second-key"] = Key()
    try:
        assert app.call("PUT", "/api/v1/connections/iterable", CONNECTION | {"secrets": {"api_key": "second-key"}}).ok
        asked = cli("check", "iterable", "--json")
        assert (asked.status, asked.json["code"]) == (1, "account_switched")
        refused = cli("run", "rotated", "--json")
        assert (refused.status, refused.json["error"]["code"]) == (1, "account_switched")
        assert cli("check", "iterable", "--same-account", "--other-account").status == 2
        kept = cli("check", "iterable", "--same-account", "--json")
        assert (kept.status, kept.json["warnings"]) == (0, [])
        assert cli.run("rotated")["state"] == "succeeded"
    finally:
        assert app.call("PUT", "/api/v1/connections/iterable", CONNECTION).ok
        assert cli("check", "iterable", "--same-account").status == 0


def test_the_doctor_says_that_nobody_answers(cli: CommandLine) -> None:
    said = replace(cli, url="http://127.0.0.1:1")("doctor", "--json")
    assert (said.status, said.json["ok"]) == (4, False)
    [finding] = said.json["findings"]
    assert (finding["check"], finding["state"]) == ("ready", "failed")
