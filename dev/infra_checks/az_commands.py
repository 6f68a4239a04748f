"""Write down which of our commands the released azure-cli has, with which options; tests hold every call against it.

Run it with a Python that has azure-cli (`pip install azure-cli` into an environment of its own), which is too large to
be one of the project's own: `path/to/python dev/infra_checks/az_commands.py > tests/infra/az_commands.json`.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

from azure.cli.core import get_default_cli
from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args

COMMANDS = (
    *("login", "account show", "account set", "account get-access-token", "rest", "bicep install", "bicep upgrade"),
    *("ad app create", "ad app list", "ad app show", "ad app update", "ad app credential list"),
    *("ad app credential reset", "ad sp create", "ad sp show", "ad sp update"),
    *("deployment group create", "deployment group show", "deployment group what-if"),
    *("functionapp deployment source config-zip", "functionapp keys list"),
    *("group create", "group exists", "identity show", "lock delete", "provider list", "provider register"),
    *("keyvault list-deleted", "keyvault recover", "keyvault secret set", "keyvault secret show", "keyvault show"),
    *("resource delete", "resource list"),
    *("role assignment create", "role assignment delete", "role assignment list", "storage message peek"),
)
"""What the scripts and documents use."""
EVERYWHERE = ("--output", "-o", "--query", "--help", "-h", "--debug", "--verbose", "--only-show-errors")


def options(command: Any) -> dict[str, Any]:
    """Every option of a command, and those of which one must be given."""
    settings = [argument.type.settings for argument in command.arguments.values()]
    named = [sorted(str(each) for each in one.get("options_list") or () if str(each)[0] == "-") for one in settings]
    needed = [names for names, one in zip(named, settings, strict=True) if one.get("required") and names]
    return {"options": sorted({name for names in named for name in names}), "required": sorted(needed)}


def main() -> None:
    cli = get_default_cli()
    create_invoker_and_load_cmds_and_args(cli)
    table = cli.invocation.commands_loader.command_table
    found = {name: options(table[name]) for name in sorted(COMMANDS)}
    told = {"azure-cli": version("azure-cli"), "everywhere": EVERYWHERE, "commands": found}
    json.dump(told, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
