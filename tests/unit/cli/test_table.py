"""The one table of commands: help, documentation and guesses say what it says."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import table
from cli.app import app
from cli.table import COMMANDS, Command

PAGE = (Path(__file__).parents[3] / "docs" / "for-engineers.md").read_text(encoding="utf-8")
WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400"}


def told(*given: str) -> str:
    return " ".join(CliRunner().invoke(app, list(given), env=WIDE).output.split())


def test_there_is_no_command_beside_the_table() -> None:
    group = typer.main.get_command(app)
    assert list(getattr(group, "commands")) == [each.name for each in COMMANDS]  # noqa: B009 - typer's type is private


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_help_has_the_words_of_the_table(command: Command) -> None:
    said = told(command.name, "--help")
    assert command.does in said
    assert command.more in said
    assert inspect.getdoc(command.carry_out) is None, "words of a command stand in the table and nowhere else"


def test_the_whole_help_shows_every_command_in_its_group() -> None:
    said = CliRunner().invoke(app, ["--help"], env=WIDE).output
    for group in (table.DEFINE, table.RUN, table.LOOK, table.PEOPLE):
        shown = said.partition(f"─ {group} ─")[2].partition("╰")[0]
        names = [line.split()[1] for line in shown.splitlines() if line.startswith("│ ")]
        assert names == [each.name for each in COMMANDS if each.group == group]


def test_the_documentation_has_the_table_as_it_is() -> None:
    section = PAGE.partition("\n## Commands\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("|")] == list(table.lines())


def test_a_word_means_one_command() -> None:
    words = Counter(word for each in COMMANDS for word in (each.name, *each.meant_by))
    assert [word for word, count in words.items() if count > 1] == []


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("aply", "apply"),
        ("start", "run"),
        ("delete", "remove"),
        ("Stop", "cancel"),
        ("statsu", "show"),
        ("why", "explain"),
    ],
)
def test_a_word_that_is_no_command_brings_the_one_that_was_meant(word: str, command: str) -> None:
    ended = CliRunner().invoke(app, [word, "newsletter"], env=WIDE)
    assert ended.exit_code == 2
    assert f"There is no command {word}. Did you mean {command}?" in ended.output


@pytest.mark.parametrize("word", ["xyzzy", "--nonsense"])
def test_nothing_is_guessed_where_nothing_is_near(word: str) -> None:
    assert "Did you mean" not in told(word)
