"""One export on several connections: as code, run, compared and removed on the command line, through the whole app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from shared.catalog.companions import companion_name
from tests.integration.app.conftest import CONNECTION, App
from tests.integration.cli.conftest import CommandLine, write

PEOPLE = {"ada@example.com": "Ada", "bo@example.com": "Bo"}
SECOND = {**CONNECTION, "display_name": "Second", "consent": {"text": CONNECTION["consent"]["text"]}}
ALSO: list[dict[str, Any]] = [
    {
        "connection": "second",
        "targets": [{"list_name": "Both, too"}],
        "matching": [{"field": "city", "column": "FirstName"}],
    }
]
COMPANION = companion_name("both", "second")


def test_one_export_goes_to_two_connections_and_back_into_its_file(
    app: App, cli: CommandLine, file: Path, tmp_path: Path
) -> None:
    app.land(PEOPLE, "Both")
    wanted = {"targets": [{"segments": ["Both"]}], "also": ALSO}
    write(file, {"both": wanted}, second=SECOND)
    made = cli("apply", "-f", file, "--yes", "--json")
    assert made.status == 0, made
    assert cli("apply", "-f", file).out == "Nothing to change.\n"
    written = yaml.safe_load(cli("export").out)["exports"]
    assert written["both"]["also"] == ALSO
    assert COMPANION not in written, "it follows from the export"

    started = cli("run", "both", "--json")
    [beside] = started.json["beside"]
    assert (beside["export"], beside["connection"]) == (COMPANION, "second")
    for export in ("both", COMPANION):
        assert cli.run(export)["state"] in ("succeeded", "succeeded with warnings", "nothing to do")
    assert app.members("Both") == app.members("Both, too") == set(PEOPLE)

    people = tmp_path / "people.csv"
    found = cli("compare", "both", "--on", "iterable", "--not-on", "second", "--output", people, "--json")
    assert found.status == 0, found
    assert (found.json["people"], found.json["missing"], found.json["reasons"]) == (2, 0, [])
    assert people.read_text("utf-8-sig") == "address,list,outcome,code,reason\n"
    assert people.stat().st_mode & 0o777 == 0o600
    assert "0 of 2 on iterable are not on second." in cli("compare", "both").out
    assert cli("compare", "both", "--on", "nowhere").status == 1

    refused = cli("remove", "export", COMPANION, "--yes")
    assert refused.status == 1
    assert 'the export "both"' in refused.out + refused.err
    assert cli("remove", "export", "both", "--yes", "--keep-members").status == 0
    assert app.call("GET", f"/api/v1/exports/{COMPANION}").status_code == 404
