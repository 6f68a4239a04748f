"""Names on the command line.

They become part of addresses, which are logged on the way, so nothing but a name is let through: an e-mail address in
the wrong place stays here, and is not repeated.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
RULE = "Names have 1 to 63 lower-case letters, digits and hyphens, and begin with a letter or digit."


def a_name(given: str | None) -> str | None:
    """The name, if it is one."""
    if given is not None and not NAME.fullmatch(given):
        raise typer.BadParameter(RULE)
    return given


ExportName = Annotated[str, typer.Argument(metavar="EXPORT", callback=a_name, help="Name of the export.")]
ConnectionName = Annotated[str, typer.Argument(metavar="CONNECTION", callback=a_name, help="Name of the connection.")]
RunId = Annotated[str | None, typer.Option("--run", callback=a_name, help="Id of the run; the newest one without it.")]
