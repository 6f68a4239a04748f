"""The command line and the real app: worker library, Azurite, Key Vault stand-in, simulator."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.app import app as command
from tests.integration.app.conftest import CONNECTION, EXPORT, App, running


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class CommandLine:
    """`segment-exports` in this process, with an environment of its own."""

    url: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *words: object, given: str = "") -> Said:
        """Run it; `given` is what stands on standard input."""
        clean = {name: None for name in os.environ if name.startswith("SEGMENT_EXPORTS_")}
        environment = {**clean, "SEGMENT_EXPORTS_URL": self.url, **self.environment}
        ended = CliRunner().invoke(command, [str(word) for word in words], input=given, env=environment)
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Said(ended.exit_code, ended.stdout, ended.stderr)

    def run(self, name: str) -> Any:
        """Run an export and wait for its end, or for that of the run that is under way; the last view."""
        return self("run", name, "--watch", "--json").json


@pytest.fixture(scope="package")
def app() -> Iterator[App]:
    with running() as made:
        yield made


@pytest.fixture
def cli(app: App) -> CommandLine:
    return CommandLine(app.host.url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exports.yaml"


def write(file: Path, exports: Mapping[str, dict[str, Any]], **connections: dict[str, Any]) -> Path:
    """The connection `iterable`, changed or joined by `connections`, and exports that differ from a plain one."""
    document = {
        "connections": {"iterable": _consented(CONNECTION), **connections},
        "exports": {name: EXPORT | changes for name, changes in exports.items()},
    }
    file.write_text(yaml.safe_dump(document))
    return file


def _consented(connection: Mapping[str, Any]) -> dict[str, Any]:
    return {**connection, "consent": {"text": connection["consent"]["text"]}}
