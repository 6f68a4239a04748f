"""Commands and options of the released azure-cli, as dev/infra_checks/az_commands.py wrote them down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

_RELEASED = json.loads((Path(__file__).parent / "az_commands.json").read_text())
VERSION: str = _RELEASED["azure-cli"]
COMMANDS: dict[str, dict[str, list[str]]] = _RELEASED["commands"]


def wrong(words: Sequence[str]) -> list[str]:
    """What the released az would refuse of a call, without its first word. Empty: nothing."""
    begun = [word for word in words if not word.startswith("-")]
    names = [" ".join(begun[:count]) for count in range(len(begun), 0, -1)]
    name = next((each for each in names if each in COMMANDS and list(words[: len(each.split())]) == each.split()), None)
    if name is None:
        return [f"az has no command {' '.join(begun[:4])}"]
    given = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
    known = {*COMMANDS[name]["options"], *_RELEASED["everywhere"]}
    lacking = [names for names in COMMANDS[name]["required"] if not given & set(names)]
    return [
        *(f"az {name} has no option {option}" for option in sorted(given - known)),
        *(f"az {name} needs {' or '.join(names)}" for names in lacking),
    ]
