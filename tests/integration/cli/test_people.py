"""One person: explained and forgotten, and told to nobody."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from tests.integration.app.conftest import App
from tests.integration.cli.conftest import CommandLine

ADA, BO = {"ada@example.com": "Ada"}, {"bo@example.com": "Bo"}


def test_one_person_is_explained_and_forgotten(app: App, cli: CommandLine) -> None:
    app.land(ADA | BO, "Asked for")
    app.define("person", targets=[{"segments": ["Asked for"]}])
    cli.run("person")
    assert cli("forget", "ada@example.com", given="n\n").status == 1
    answers = [
        cli("explain", "person", "Ada@example.com"),
        cli("explain", "person", "-", given="ada@example.com\n"),
        cli("explain", "person", given="ada@example.com\n"),
    ]
    for said in answers:
        assert said.status == 0 and "On the list, and in the segment." in said.out
        assert "In the newest snapshot of Asked for, row" in said.out and "Added to the list. (run 2" in said.out
        assert "example.com" not in said.out.lower() + said.err.lower()
    assert answers[2].err.strip() == "E-mail address:"
    gone = cli("forget", "-", "--yes", "--json", given="ada@example.com\n")
    assert gone.status == 0 and gone.json["erased"]["ledgers"] >= 1
    shown = cli("forgotten", gone.json["id"])
    assert shown.status == 0 and shown.out.startswith("Forgotten: ") and gone.json["hash"] in shown.out
    assert gone.json["id"] in {each["id"] for each in cli("forgotten", "--json").json}
    assert cli("explain", "person", "ada@example.com", "--json").json["targets"][0]["ledger"] is None
    assert "@example" not in app.host.log()


def test_who_was_on_a_list_on_a_day_is_fetched_into_a_file(app: App, cli: CommandLine, tmp_path: Path) -> None:
    app.land(ADA | BO, "Asked of a day")
    app.define("of-a-day", targets=[{"segments": ["Asked of a day"]}])
    cli.run("of-a-day")
    today, into = f"{datetime.now(UTC):%Y-%m-%d}", tmp_path / "members.csv"
    said = cli("members", "of-a-day", today, "--output", str(into), "--json")
    assert (said.status, said.json) == (0, {"day": today, "target": 0, "people": 2})
    assert (said.err.count("example.com"), into.stat().st_mode & 0o777) == (0, 0o600)
    rows = list(csv.DictReader(into.read_text("utf-8-sig").splitlines()))
    assert {row["address"]: row["status"] for row in rows} == dict.fromkeys(ADA | BO, "member")
    unknown = cli("members", "of-a-day", "2020-02-29")
    assert unknown.status == 1 and "not known" in unknown.err
    assert cli("members", "of-a-day", "yesterday").status == 2


def test_without_an_address_nothing_is_asked_of_the_app(cli: CommandLine) -> None:
    for said in (cli("explain", "person"), cli("explain", "person", " "), cli("forget", "-", "--yes")):
        assert said.status == 2 and said.out == ""


def test_an_address_in_the_place_of_a_name_stays_here(app: App, cli: CommandLine) -> None:
    for words in (["explain", "ada@example.com", "person"], ["runs", "ada@example.com"], ["check", "ada@example.com"]):
        said = cli(*words)
        assert said.status == 2 and "@" not in said.out + said.err
    assert "@example" not in app.host.log()
