"""Stands in for az and curl towards a stranger: a step works only where an earlier one made what it needs.

It remembers more than `stand_in_az.py` and `stand_in_entra.py`, whose answers it gives: who signed in, which groups and
deployments there are, whether the app was uploaded, and who may set secrets. A refusal is worded as Azure words it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.infra import stand_in_az, stand_in_entra
from tests.infra.stand_in_az import option

FOLDER = stand_in_az.FOLDER
ACCOUNT = {**stand_in_entra.ACCOUNT, "id": "0000-1111"}
OUTPUTS = {**stand_in_az.OUTPUTS, **stand_in_entra.OUTPUTS}
NEEDS = {
    "group create": ("signed_in",),
    "deployment group what-if": ("signed_in", "groups"),
    "deployment group create": ("signed_in", "groups"),
    "deployment group show": ("deployed",),
    "functionapp deployment source config-zip": ("deployed",),
    "functionapp keys list": ("uploaded",),
    "keyvault show": ("deployed",),
    "keyvault secret set": ("may_set_secrets",),
    "ad app": ("signed_in",),
    "resource delete": ("deployed",),
    "": ("signed_in",),
}
"""Beginning of a command -> what must have been made; the longest beginning counts."""
MAKES = {
    "login": "signed_in",
    "group create": "groups",
    "deployment group create": "deployed",
    "functionapp deployment source config-zip": "uploaded",
    "role assignment create": "may_set_secrets",
}


def beginning(words: list[str], table: dict[str, Any]) -> str | None:
    call = f"{' '.join(words)} "
    return max((each for each in table if not each or call.startswith(f"{each} ")), key=len, default=None)


def lacking(words: list[str], azure: Any) -> str:
    """What was not made yet; empty: nothing."""
    if words[0] == "login":
        return ""
    needed = NEEDS[beginning(words, NEEDS) or ""]
    return next((each for each in needed if not azure.get(each)), "")


def answer(words: list[str], azure: Any) -> str | None:
    if words[0] == "login":
        return ""
    if words[:2] == ["account", "show"]:
        names = option(words, "--query").strip("[]").split(",")
        return "\n".join(ACCOUNT[name.strip()] for name in names)
    if words[:2] == ["group", "exists"]:
        return json.dumps(bool(azure.get("groups")))
    if words[:2] == ["provider", "register"]:
        azure["unregistered"].remove(option(words, "--namespace"))
        return ""
    if words[:3] == ["deployment", "group", "show"]:
        names = option(words, "--query").removeprefix("properties.outputs.").strip("[]").split(", ")
        return "\n".join(OUTPUTS[name.removesuffix(".value")] for name in names)
    if words[:2] in (["keyvault", "show"], ["role", "assignment"], ["functionapp", "keys"]) and "list" not in words[:3]:
        return "id"
    handlers = {**stand_in_entra.HANDLERS, **stand_in_az.HANDLERS}
    handler = beginning(words, handlers)
    if handler is None:
        return "" if words[:3] == ["functionapp", "keys", "list"] else None
    return handlers[handler](words, azure)


def main() -> int:
    program, words = Path(sys.argv[0]).name, sys.argv[1:]
    state = FOLDER / "azure.json"
    before = state.read_text()
    azure = json.loads(before)
    if program == "curl":
        return 0 if azure.get("uploaded") else 22
    with (FOLDER / "calls.jsonl").open("a") as record:
        record.write(json.dumps([program, *words]) + "\n")
    if missing := lacking(words, azure):
        sys.stderr.write(f"refused: {missing}\n")
        return 1
    said = answer(words, azure)
    if said is not None and (made := beginning(words, MAKES)):
        azure[MAKES[made]] = True
    if (after := json.dumps(azure)) != before:
        state.write_text(after)
    sys.stdout.write(f"{said}\n" if said else "")
    return 1 if said is None else 0


if __name__ == "__main__":
    sys.exit(main())
