"""Stands in for az towards Microsoft Entra ID and Key Vault; records and remembers as `stand_in_az.py` does."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["STAND_IN"])
ACCOUNT = {"id": "0000-1111", "name": "Marketing", "user.name": "ada", "tenantId": "tenant-1"}
OUTPUTS = {"functionAppUrl": "https://func-exports-dev-x.azurewebsites.net", "keyVaultName": "kv-exports-x"}


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def _account(words: list[str], azure: Any) -> str:
    """One value, or several in the order in which the query names them."""
    return "\n".join(ACCOUNT[name.strip()] for name in option(words, "--query").strip("[]").split(","))


def _output(words: list[str], azure: Any) -> str:
    return OUTPUTS[option(words, "--query").removeprefix("properties.outputs.").removesuffix(".value")]


def _register(words: list[str], azure: Any) -> str:
    azure["apps"] = ["client-1"]
    return "client-1"


def _exposed(words: list[str], azure: Any) -> str:
    """Entries of a part of `api`, or how many they are; the query picks them by one property, and perhaps a scope."""
    picked = r"api\.(\w+)\[\?(\w+)(==|!=)'([^']*)'(?: && contains\((\w+), '([^']*)'\))?\](.*)"
    found = re.fullmatch(picked, option(words, "--query"))
    assert found, words
    part, key, is_equal, wanted, holder, held, then = found.groups()
    entries = [
        each
        for each in azure.get("api", {}).get(part, [])
        if (each[key] == wanted) is (is_equal == "==") and (held is None or held in each[holder])
    ]
    return str(len(entries)) if then else json.dumps(entries, indent=2)


def _expose(words: list[str], azure: Any) -> str | None:
    """A scope can be authorised only after the request that made it, and not at once."""
    before, asked = azure.setdefault("api", {}), json.loads(option(words, "--body"))["api"]
    known = {each["id"] for each in before.get("oauth2PermissionScopes", [])}
    wanted = {scope for each in asked.get("preAuthorizedApplications", []) for scope in each["delegatedPermissionIds"]}
    if wanted:
        azure["scope_lag"] = azure.get("scope_lag", 0) - 1
    if not wanted <= known or (wanted and azure["scope_lag"] >= 0):
        return None
    before.update(asked)
    return ""


def _make_principal(words: list[str], azure: Any) -> str:
    azure["principal"] = True
    return ""


def _store(words: list[str], azure: Any) -> str | None:
    text = Path(option(words, "--file")).read_text()
    if azure.get("vault_refuses"):
        return None
    azure["secrets"] = {**azure.get("secrets", {}), option(words, "--name"): text}
    return ""


HANDLERS: dict[str, Callable[[list[str], Any], str | None]] = {
    "account show": _account,
    "deployment group show": _output,
    "ad app list": lambda words, azure: "\n".join(azure.get("apps", [])),
    "ad app create": _register,
    "ad app show": _exposed,
    "rest --method PATCH": _expose,
    "ad app update": lambda words, azure: "",
    "ad app credential reset": lambda words, azure: azure["client_secret"],
    "ad sp show": lambda words, azure: "" if azure.get("principal") else None,
    "ad sp create": _make_principal,
    "ad sp update": lambda words, azure: "",
    "keyvault secret show": lambda words, azure: "" if option(words, "--name") in azure.get("secrets", {}) else None,
    "keyvault secret set": _store,
}
"""Beginning of a call -> what is said; None: it fails."""


def main() -> int:
    words = sys.argv[1:]
    with (FOLDER / "calls.jsonl").open("a") as record:
        record.write(json.dumps(["az", *words]) + "\n")
    handler = next((each for begin, each in HANDLERS.items() if f"{' '.join(words)} ".startswith(f"{begin} ")), None)
    if handler is None:
        sys.stderr.write(f"the stand-in knows no az {words}\n")
        return 2
    before = (FOLDER / "azure.json").read_text()
    azure = json.loads(before)
    said = handler(words, azure)
    if (after := json.dumps(azure)) != before:  # two calls of a pipe run at once, and only one of them changes anything
        (FOLDER / "azure.json").write_text(after)
    if said:
        sys.stdout.write(f"{said}\n")
    return 1 if said is None else 0


if __name__ == "__main__":
    sys.exit(main())
