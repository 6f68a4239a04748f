"""What the templates make, evaluated once; and the scripts, with a recorded az, curl and packer in their PATH."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev.infra_checks.compiler import Compiler
from dev.infra_checks.finding import HOW_TO_GET_ONE, find
from dev.infra_checks.variants import VARIANTS, snapshot
from tests.infra import released_az
from tests.infra.deployment import Deployment

ROOT = Path(__file__).parents[2]
PACKER = """#!/bin/sh
echo "$@" >> "$STAND_IN/packed"
"""


@dataclass(frozen=True)
class Azure:
    """A small Azure in a folder, and the scripts run against it."""

    folder: Path

    def have(self, **state: Any) -> None:
        path = self.folder / "azure.json"
        path.write_text(json.dumps(self.state() | state))

    def state(self) -> Any:
        return json.loads((self.folder / "azure.json").read_text())

    def run(
        self, script: str, *words: str, answers: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`answers` is what a person types; None: nobody is there."""
        environment = {
            **variables,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "STAND_IN": str(self.folder),
            "PYTHON": "packer",
            "SMOKE_TRIES": "3",
            "SMOKE_WAIT": "0",
            "EXPOSE_WAIT": "0",
            **({} if answers is None else {"ASK_ANYWAY": "yes"}),
        }
        command = ["bash", str(ROOT / "infra" / script), "--environment", "dev", "--resource-group", "rg", *words]
        done = subprocess.run(
            command, env=environment, input=answers or "", capture_output=True, text=True, timeout=300, check=False
        )
        assert [each for call in self.calls() for each in released_az.wrong(call)] == []
        return done

    def calls(self, *beginning: str) -> list[list[str]]:
        """Recorded calls that begin like this, without the program's name."""
        path = self.folder / "calls.jsonl"
        recorded = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [words for program, *words in recorded if words[: len(beginning)] == list(beginning) and program == "az"]

    def changes(self) -> list[list[str]]:
        """Calls that change something in Azure."""
        changing = ("create", "delete", "config-zip", "set", "register", "assign", "PATCH")
        return [words for words in self.calls() if any(word in changing for word in words[:4])]

    def packed(self) -> str:
        path = self.folder / "packed"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def azure(tmp_path: Path) -> Azure:
    programs = tmp_path / "bin"
    programs.mkdir()
    source = f"#!{sys.executable} -IS\n{(Path(__file__).parent / 'stand_in_az.py').read_text()}"
    for name, text in {"az": source, "curl": source, "packer": PACKER}.items():
        program = programs / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    nothing_wrong = {
        "signed_in": True,
        "group": True,
        "roles": ["Owner"],
        "unregistered": [],
        "deleted_vaults": [],
        "refused_uploads": 0,
        "health": 0,
        "resources": [],
        "held_back": [],
        "refused_steps": [],
        "outputs": {},
    }
    (tmp_path / "azure.json").write_text(json.dumps(nothing_wrong))
    return Azure(tmp_path)


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    program = find(os.environ, ROOT)
    if program is None:
        pytest.skip(f"templates: not checked, since no Bicep compiler was found. {HOW_TO_GET_ONE}")
    with Compiler(program) as running:
        yield running


@pytest.fixture(scope="session")
def deployments(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Deployment]:
    """Every variant, evaluated by whichever process of the tests comes first."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with (shared / "deployments.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = shared / "deployments.json"
        if not path.exists():
            compiler: Compiler = request.getfixturevalue("compiler")
            made = {name: snapshot(compiler, ROOT / "infra", variant) for name, variant in VARIANTS.items()}
            path.write_text(json.dumps(made))
    found = json.loads(path.read_text())
    return {name: Deployment(name, one["predictedResources"], one["outputs"]) for name, one in found.items()}


@pytest.fixture(params=VARIANTS)
def made(request: pytest.FixtureRequest, deployments: dict[str, Deployment]) -> Deployment:
    """Each variant in turn."""
    return deployments[request.param]
