"""The command line stands by itself: a client of the API, installed alone and never deployed."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path, PurePosixPath

import typer
from typer.testing import CliRunner

from cli.app import app
from dev.package.ignoring import is_ignored, rules
from tests.files import files

ROOT = Path(__file__).parents[3]
OWN = ("shared", "functions", "dev", "tests", "function_app")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_it_imports_nothing_of_the_service() -> None:
    for source in files(ROOT / "cli", "**/*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            named = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in named if name.partition(".")[0] in OWN], source
    code = f"import cli.app, sys; print([name for name in {OWN!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_installing_the_project_gives_the_command() -> None:
    module, _, function = PROJECT["project"]["scripts"]["segment-exports"].partition(":")
    assert callable(getattr(import_module(module), function))
    packages = {str(each.parent.relative_to(ROOT)).replace("/", ".") for each in files(ROOT / "cli", "**/__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages


def test_what_it_imports_is_in_its_group() -> None:
    group = " ".join(PROJECT["project"]["optional-dependencies"]["cli"])
    for library in ("azure-identity", "pyyaml", "requests", "rich", "typer"):
        assert library in group


def test_it_is_not_deployed() -> None:
    assert is_ignored(PurePosixPath("cli"), rules((ROOT / ".funcignore").read_text()))


def test_every_command_explains_itself_and_speaks_json() -> None:
    group = typer.main.get_command(app)
    names = sorted(getattr(group, "commands"))  # noqa: B009 - typer's type for it is private
    assert len(names) == 28
    for name in names:
        said = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "100"})
        assert said.exit_code == 0 and "--json" in said.stdout, name
        assert said.stdout.splitlines()[3].strip().endswith("."), f"{name} begins with a sentence"
    whole = CliRunner().invoke(app, ["--help"])
    assert all(name in whole.stdout for name in names) and "Exit statuses" in whole.stdout


def test_no_command_is_used_wrongly() -> None:
    for words in (["run"], ["run", "a", "--kind", "b"], ["nonsense"], ["--nonsense"], ["decide", "a", "maybe"]):
        assert CliRunner().invoke(app, words).exit_code == 2, words
