"""Where the compiler is looked for, in which order, and what is said where it is nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.infra_checks.compiler import Compiler, CompilerFailed
from dev.infra_checks.finding import find

PLACES = ("named/bicep", "path/bicep", "home/.azure/bin/bicep", "shared/tools/bicep")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine with a compiler in every place."""
    for place in PLACES:
        program(tmp_path / place)
    (tmp_path / "checkout").mkdir()
    return {"BICEP": str(tmp_path / PLACES[0]), "PATH": str(tmp_path / "path"), "HOME": str(tmp_path / "home")}


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_each_place_is_looked_at_in_its_turn(environment: dict[str, str], tmp_path: Path) -> None:
    for place in PLACES:
        assert find(environment, tmp_path / "checkout") == tmp_path / place
        (tmp_path / place).unlink()
        environment.pop("BICEP", None)
    assert find(environment, tmp_path / "checkout") is None


def test_what_cannot_be_run_is_no_compiler(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / PLACES[1]).chmod(0o644)
    assert find({**environment, "BICEP": ""}, tmp_path / "checkout") == tmp_path / PLACES[2]


def test_another_place_for_az_s_own_files_is_known(environment: dict[str, str], tmp_path: Path) -> None:
    own = program(tmp_path / "own/bin/bicep")
    told = {"PATH": "", "HOME": environment["HOME"], "AZURE_CONFIG_DIR": str(tmp_path / "own")}
    assert find(told, tmp_path / "checkout") == own


def test_a_name_that_leads_nowhere_is_an_error_and_no_other_compiler(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / PLACES[0]).unlink()
    with pytest.raises(FileNotFoundError, match="BICEP is"):
        find(environment, tmp_path / "checkout")


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dev.infra_checks"]
    told = {"PATH": "/nowhere", "HOME": str(folder), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True)


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_without_a_compiler_the_last_line_says_so(tmp_path: Path, ci: str, status: int) -> None:
    (tmp_path / "checkout").mkdir()
    done = run(tmp_path / "checkout", CI=ci)
    assert done.returncode == status
    last = done.stdout.splitlines()[-1]
    assert last.startswith("templates: not checked")
    assert "az bicep install" in last


def test_without_a_compiler_queries_of_documents_are_still_parsed(tmp_path: Path) -> None:
    (tmp_path / "checkout/docs").mkdir(parents=True)
    (tmp_path / "checkout/docs/a.md").write_text("```kusto\ntraces | summarize last = count()\n```\n")
    done = run(tmp_path / "checkout", NODE_PATH=os.environ.get("NODE_PATH", ""))
    assert done.returncode == 1
    assert "docs/a.md:2: Kusto:" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("templates: not checked")


def test_a_program_that_is_no_compiler_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    for name in ("main.bicep", "dev.bicepparam"):
        (tmp_path / "infra" / name).touch()
    done = run(tmp_path, BICEP=str(program(tmp_path / "bicep", "#!/bin/sh\nexit 0\n")))
    assert done.returncode == 1
    assert "no Bicep compiler" in done.stderr


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 0\n", "#!/bin/sh\necho hello\n"])
def test_what_answers_otherwise_is_no_compiler(tmp_path: Path, text: str) -> None:
    with Compiler(program(tmp_path / "bicep", text)) as other, pytest.raises(CompilerFailed):
        other.version()
