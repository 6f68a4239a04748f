"""`make lint` looks at everything that there is, and ends with what it could not look at."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.files import files

REPOSITORY = Path(__file__).parents[3]
NOT_OURS = ("node_modules", "build", "test-artefacts", "bench-results")
FOLDERS = [each for each in REPOSITORY.iterdir() if each.is_dir() and each.name not in NOT_OURS and each.name[0] != "."]
SOURCES = {*files(REPOSITORY, "*.py"), *(path for folder in FOLDERS for path in folder.rglob("*.py"))}


def test_ruff_reads_every_source() -> None:
    """Over no file it would end well."""
    command = [sys.executable, "-m", "ruff", "check", "--show-files", "."]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert {Path(line) for line in done.stdout.splitlines()} >= SOURCES


def test_mypy_reads_every_source() -> None:
    """It complains itself of a file or folder that it is told to read and that is not there."""
    told = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["mypy"]
    assert {path.relative_to(REPOSITORY).parts[0] for path in SOURCES} == set(told["files"])
    assert "exclude" not in told


def test_it_ends_with_what_can_say_that_something_was_not_checked() -> None:
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    audit, templates = recipe[1].splitlines()[-2:]
    assert audit == "\t@$(MAKE) --no-print-directory audit"
    assert templates.startswith("\t@$(BIN)/python -m dev.infra_checks")
