"""docs/for-engineers.md: every command line on it works, and every command and exit status is on it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest
import typer

from cli.api import Api
from cli.app import app as command
from cli.failures import Exit
from cli.signing_in import Nobody
from cli.watching import watch
from dev.simulators.iterable import PROJECT
from tests.integration.app.conftest import REPOSITORY, App
from tests.integration.cli.conftest import CommandLine

PAGE = (REPOSITORY / "docs" / "for-engineers.md").read_text()
URL, SEGMENT = "https://func-exports-prod.azurewebsites.net", "Loyal customers"
DAY = "2026-05-03"
CLIENT_ID = "5e9e7c1a-0000-4000-8000-0000000000aa"
ONE = {"ada@example.com": "Ada"}
MANY = ONE | {f"loyal{number}@example.com": "" for number in range(30)}

AZ = """#!/bin/sh
case "$*" in
  login) ;;
  "functionapp keys list "*"--query functionKeys.default --output tsv") echo "$KEY" ;;
  "account get-access-token --scope api://{client}/.default --query accessToken --output tsv") echo token ;;
  "account get-access-token "*"api://{client}"*) echo '{{"accessToken": "token", "expires_on": 4102444800}}' ;;
  *) echo "not understood: $*" >&2; exit 1 ;;
esac
"""
PIP = '#!/bin/sh\n[ "$*" = "install .[cli]" ]\n'


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """Heading and text of each block of code."""
    for part in PAGE.split("\n## ")[1:]:
        for text in re.findall(rf"^```{kind}\n(.*?)^```$", part, re.MULTILINE | re.DOTALL):
            yield part.splitlines()[0], text


@dataclass
class Shell:
    """Runs lines of the page: `segment-exports` in this process, since Python starts slowly, and the rest with bash."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, block: str) -> None:
        for ours, lines in groupby(block.splitlines(), lambda line: line.startswith("segment-exports ")):
            for text in lines if ours else ["\n".join(lines)]:
                (self._ours if ours else self._bash)(text)

    def _ours(self, line: str) -> None:
        text, _, given = line.partition(" < ")
        mine = {
            name: value for name, value in self.environment.items() if name.startswith(("SEGMENT_EXPORTS_", "AZURE_"))
        }
        cli = CommandLine(mine.pop("SEGMENT_EXPORTS_URL", ""), mine)
        said = cli(*shlex.split(text)[1:], given=(self.folder / given).read_text() if given else "")
        assert said.status == 0, f"{line}: {said}"

    def _bash(self, text: str) -> None:
        names = re.findall(r"^export (\w+)=", text, re.MULTILINE)
        told = "".join(f'\nprintf "%s\\n" "${name}" >&3' for name in names)
        with (self.folder / "exported").open("w+") as exported:
            ended = subprocess.run(
                ["bash", "-euxo", "pipefail", "-c", f"exec 3>&{exported.fileno()}\n{text}{told}"],
                env=self.environment,
                capture_output=True,
                text=True,
                pass_fds=[exported.fileno()],
            )
            assert ended.returncode == 0, f"{ended.stderr[-2000:]}\n{ended.stdout[-2000:]}"
            exported.seek(0)
            found = dict(zip(names, exported.read().splitlines(), strict=True))
        self.environment.update(found)


@pytest.fixture
def shell(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """In a folder of its own, with stand-ins for what is not on this machine."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"az": AZ.format(client=CLIENT_ID), "pip": PIP}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o700)
    [document] = [text for heading, text in blocks("yaml") if heading == "Exports as code"]
    (tmp_path / "exports.yaml").write_text(document)
    (tmp_path / "address.txt").write_text("ada@example.com\n")
    monkeypatch.chdir(tmp_path)
    for name, value in {"PATH": f"{tools}:{os.environ['PATH']}", "KEY": app.host.key, "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    return Shell(tmp_path, dict(os.environ))


@pytest.mark.slow
def test_every_command_line_works(app: App, cli: CommandLine, shell: Shell) -> None:
    def blocked() -> None:
        newest = cli("runs", "newsletter", "--json").json[0]["run"]
        watch(Api(app.host.url, Nobody()), "newsletter", newest, 0.2, lambda view: None)
        app.land(ONE, SEGMENT, minutes_ago=1, last_name="Lovelace")
        assert cli.run("newsletter")["state"] == "blocked"

    def lacking() -> None:
        lists = app.simulator.vendor.project(PROJECT).lists.values()
        next(each for each in lists if each.name == "Newsletter").members.popitem()

    prepare = {"Mend what differs": lacking, "When a run waits for you": blocked, "Stop a run": blocked}
    app.land(MANY, SEGMENT, last_name="Lovelace")
    for heading, block in blocks("sh"):
        prepare.get(heading, lambda: None)()
        shell(block.replace(URL, app.host.url).replace(DAY, datetime.now(UTC).date().isoformat()))
    assert cli.run("newsletter")["state"] == "blocked" and cli("cancel", "newsletter").status == 0
    stored = app.call("GET", "/api/v1/exports/newsletter").json()
    assert stored["paused"] is True
    assert app.members("Newsletter") == set(MANY), "removals were held back, or cancelled"


def test_what_the_pipeline_runs_is_run_above() -> None:
    [pipeline] = [text for heading, text in blocks("yaml") if heading == "From a pipeline"]
    lines = {line for _, block in blocks("sh") for line in block.splitlines()}
    steps = re.findall(r"^ *- run: (.*)$", pipeline, re.MULTILINE)
    assert steps and set(steps) <= lines


def test_every_command_is_on_the_page() -> None:
    """`compare` needs a second connection: it is on the page about these, and run in `test_several_connections`."""
    shown = set(re.findall(r"\bsegment-exports ([a-z][a-z-]*)", "\n".join(block for _, block in blocks("sh"))))
    shown |= set(
        re.findall(r"`segment-exports (compare) ", (REPOSITORY / "docs" / "several-connections.md").read_text())
    )
    assert shown == set(getattr(typer.main.get_command(command), "commands"))  # noqa: B009 - typer's type is private


def test_every_exit_status_is_on_the_page() -> None:
    assert [int(found) for found in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)] == list(Exit)
