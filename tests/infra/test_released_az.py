"""Every az command that people read or scripts run exists in the released azure-cli, with those options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files import files
from tests.infra.released_az import COMMANDS, wrong

ROOT = Path(__file__).parents[2]
SCRIPTS = files(ROOT / "infra", "*.sh")
DOCUMENTS = [ROOT / "README.md", *files(ROOT / "docs", "**/*.md")]
FIRST = "|".join(
    sorted({name.split()[0] for name in COMMANDS} | {"monitor", "extension", "webapp", "storage", "deployment"})
)


def commands(path: Path) -> Iterator[list[str]]:
    """Words of each az command of a script or document; those within another's `$( )` too."""
    text = path.read_text().replace("\\\n", " ")
    for begun in re.finditer(rf"\baz (?:{FIRST})\b[^\n`;]*", text):
        yield words(begun[0])


def words(command: str) -> list[str]:
    """Up to the end of the command; a quoted text and a `$( )` are one word."""
    short = re.sub(r"\"[^\"]*\"|'[^']*'|\$\([^()]*\)", "TEXT", command)
    short = re.split(r"[|&>)\"']|<|  +\(", short)[0]
    return [word.rstrip(".,:") for word in shlex.split(short)[1:]]


FOUND = [
    (path, found)
    for path in [*SCRIPTS, *DOCUMENTS]
    for found in commands(path)
    if "TEXT" not in found[:3]  # which one, a variable says; the recorded calls show it
]


@pytest.mark.parametrize(("path", "command"), FOUND, ids=[f"{path.name}: {' '.join(each[:4])}" for path, each in FOUND])
def test_it_exists(path: Path, command: list[str]) -> None:
    """A command that is only named, or shortened with an ellipsis, need not have all that it needs."""
    whole = any(word.startswith("-") for word in command) and "…" not in command
    found = [each for each in wrong(command) if whole or " needs " not in each]
    assert found == []


def test_there_are_many() -> None:
    assert len(FOUND) > 40
    assert {" ".join(each[:3]) for _, each in FOUND} >= {"keyvault secret set", "deployment group show"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("keyvault secret set --vault-name v --name n --expire x", "no option --expire"),
        ("keyvault secret set --name n", "needs --vault-name"),
        ("keyvault secret put --name n", "no command keyvault secret put"),
        ("deployment group create --resource-group g --parameters a=b --output none", ""),
    ],
)
def test_what_the_released_az_would_refuse_is_told(call: str, said: str) -> None:
    found = wrong(call.split())
    assert bool(found) is bool(said)
    assert all(said in each for each in found)
