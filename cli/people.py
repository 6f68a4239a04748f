"""The address of a person, as a command gets it. It goes into the body of one request and nowhere else."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli import asking
from cli.failures import usage

Address = Annotated[
    str | None,
    typer.Argument(
        metavar="[ADDRESS]",
        show_default=False,
        help="E-mail address; `-` reads it from standard input, and without it you are asked. Arguments stay in the "
        "shell's history and are seen by others on this machine.",
    ),
]


def address_of(given: str | None) -> str:
    """The address. Raises Failure where there is none."""
    if given is None:
        found = asking.ask("E-mail address:", "give one, or `-` to read it from standard input")
    else:
        found = (sys.stdin.readline() if given == "-" else given).strip()
    if not found:
        raise usage("no_address", "Give an e-mail address.")
    return found
