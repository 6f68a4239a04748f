"""`make setup` and what it installs from."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def test_azurite_is_pinned_and_its_lock_names_no_registry() -> None:
    wanted = json.loads((REPOSITORY / "package.json").read_text())["devDependencies"]["azurite"]
    lock = (REPOSITORY / "package-lock.json").read_text()
    assert re.fullmatch(r"\d+\.\d+\.\d+", wanted)
    assert json.loads(lock)["packages"]["node_modules/azurite"]["version"] == wanted
    assert '"resolved"' not in lock


def make(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    locks = [*REPOSITORY.glob("*.lock"), *(REPOSITORY / "dev").rglob("*.lock")]
    for path in (*locks, *(REPOSITORY / name for name in ("Makefile", "package.json", "package-lock.json"))):
        copy = folder / path.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return subprocess.run(["make", "--directory", folder, "setup", f"PYTHON={python}"], capture_output=True, text=True)


def test_setup_wants_a_python_that_is_new_enough(tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.10.1 && exit\nexit 1\n')
    old.chmod(0o755)
    done = make(tmp_path, str(old))
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "Python 3.10.1" in done.stderr


def test_setup_says_so_when_there_is_no_python(tmp_path: Path) -> None:
    done = make(tmp_path, "no-such-python")
    assert done.returncode != 0
    assert "no-such-python not found" in done.stderr
