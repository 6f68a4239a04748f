"""Segments, connection checks, and the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.integration.app.conftest import CONNECTION, App
from tests.integration.cli.conftest import CommandLine

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


def test_the_doctor_says_that_nobody_answers(cli: CommandLine) -> None:
    said = replace(cli, url="http://127.0.0.1:1")("doctor", "--json")
    assert (said.status, said.json["ok"]) == (4, False)
    [finding] = said.json["findings"]
    assert (finding["check"], finding["state"]) == ("ready", "failed")
