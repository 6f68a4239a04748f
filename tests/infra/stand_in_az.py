"""Stands in for az and curl: records each call, and answers as a small, remembered Azure would.

Its folder is in STAND_IN: `azure.json` is the state, `calls.jsonl` the record. A call that it does not know fails.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["STAND_IN"])
OUTPUTS = {
    "functionAppName": "func-exports-dev-x",
    "functionAppUrl": "https://func-exports-dev-x.azurewebsites.net",
    "keyVaultName": "kv-exports-x",
    "segmentStorageName": "stsegmentsx",
    "insightsName": "appi-exports-dev",
    "outboundAddress": "",
    "alertEmailCount": "0",
}
PROVIDERS = {
    "Authorization",
    "Insights",
    "KeyVault",
    "ManagedIdentity",
    "OperationalInsights",
    "Storage",
    "Web",
    "App",
    "Network",
    "Other",
}


def answer(program: str, words: list[str], azure: Any) -> tuple[int, str]:
    """Exit status and what is said."""
    if program == "curl":
        azure["health"] -= 1
        return (22, "") if azure["health"] >= 0 else (0, "")
    for command, handler in HANDLERS.items():
        if f"{' '.join(words)} ".startswith(f"{command} "):
            said = handler(words, azure)
            return (1, "") if said is None else (0, said)
    return 2, ""


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def _account(words: list[str], azure: Any) -> str | None:
    return "0000-1111\nMarketing\nada" if azure["signed_in"] else None


def _group(words: list[str], azure: Any) -> str:
    azure["group"] = True
    return ""


def _providers(words: list[str], azure: Any) -> str | None:
    if azure["unregistered"] is None:
        return None
    names = (f"Microsoft.{name}" for name in PROVIDERS)
    return "\n".join(name for name in names if name not in azure["unregistered"])


def _upload(words: list[str], azure: Any) -> str | None:
    azure["refused_uploads"] -= 1
    return None if azure["refused_uploads"] >= 0 else ""


def _outputs(words: list[str], azure: Any) -> str:
    """Values in the order in which the query names them."""
    known = {**OUTPUTS, **azure["outputs"]}
    names = option(words, "--query").removeprefix("properties.outputs.[").removesuffix("]").split(", ")
    return "\n".join(known[name.removesuffix(".value")] for name in names)


def _resources(words: list[str], azure: Any) -> str:
    """Of what has the tags that the query names: type (in lower case, as Azure has some), what it holds and id.

    Where the query asks for another environment's name, that.
    """
    query = option(words, "--query").partition("[?")[2].partition("]")[0]
    found = [each for each in azure["resources"] if all(_fits(each["tags"], part) for part in query.split(" && "))]
    if "!=" in query:
        return "\n".join(each["tags"]["environment"] for each in found[:1])
    return "\n".join(f"{each['type'].lower()}\t{each['tags'].get('holds', 'None')}\t{each['id']}" for each in found)


def _fits(tags: dict[str, str], part: str) -> bool:
    name, sign, value = re.fullmatch(r"tags\.(\w+)(==|!=)'(.*)'", part).groups()  # type: ignore[union-attr]
    return (tags.get(name) == value) is (sign == "==")


def _delete(words: list[str], azure: Any) -> str | None:
    """The platform holds some types back for days."""
    return None if any(kind in option(words, "--ids") for kind in azure["held_back"]) else ""


def _unless(azure: Any, step: str, said: str) -> str | None:
    return None if step in azure["refused_steps"] else said


def _nothing(words: list[str], azure: Any) -> str:
    return ""


HANDLERS: dict[str, Callable[[list[str], Any], str | None]] = {
    "account show": _account,
    "group exists": lambda words, azure: json.dumps(azure["group"]),
    "group create": _group,
    "role assignment list": lambda words, azure: "\n".join(azure["roles"]),
    "role assignment delete": _nothing,
    "provider list": _providers,
    "keyvault list-deleted": lambda words, azure: (
        None if azure["deleted_vaults"] is None else "\n".join(azure["deleted_vaults"])
    ),
    "deployment group what-if": lambda words, azure: _unless(azure, "what-if", "Resource changes: 30 to create."),
    "deployment group create": lambda words, azure: _unless(azure, "create", ""),
    "deployment group show": _outputs,
    "functionapp deployment source config-zip": _upload,
    "identity show": lambda words, azure: "principal",
    "resource list": _resources,
    "resource delete": _delete,
    "lock delete": _nothing,
}


def main() -> int:
    program, words = Path(sys.argv[0]).name, sys.argv[1:]
    with (FOLDER / "calls.jsonl").open("a") as record:
        record.write(json.dumps([program, *words]) + "\n")
    state = FOLDER / "azure.json"
    azure = json.loads(state.read_text())
    status, said = answer(program, words, azure)
    state.write_text(json.dumps(azure))
    if status == 2:
        sys.stderr.write(f"the stand-in knows no {program} {' '.join(words)}\n")
    sys.stdout.write(f"{said}\n" if said else "")
    return status


if __name__ == "__main__":
    sys.exit(main())
