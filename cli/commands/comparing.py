"""`compare`: who is on one connection of an export and not on another, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.api import path
from cli.commands.runs import write_private
from cli.desk import Json, desk_of, table
from cli.failures import usage
from cli.naming import ExportName, a_name


def compare(
    context: typer.Context,
    name: ExportName,
    on: Annotated[
        str | None, typer.Option("--on", callback=a_name, help="Connection whose lists people are on; else its own.")
    ] = None,
    not_on: Annotated[
        str | None,
        typer.Option("--not-on", callback=a_name, help="Connection whose lists they are not on; else the first other."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write these people, with addresses, into this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    query = {key: given for key, given in (("on", on), ("not_on", not_on)) if given}
    found = desk.api.get(path("exports", name, "comparison"), query).body
    if output is not None:
        content = desk.api.file(path("exports", name, "comparison.csv"), query)
        try:
            write_private(output, [content])
        except OSError as error:
            raise usage("file_not_written", f"{output} cannot be written ({type(error).__name__}).") from None
        desk.note(f"{output} holds addresses: delete it when you are done.")
    columns = ("people", "outcome", "code", "reason")
    total = f"{found['missing']} of {found['people']} on {found['on']} are not on {found['not_on']}."
    rows = table(columns, ([each[column] for column in columns] for each in found["reasons"]))
    desk.show(found, *([rows] if found["reasons"] else []), total)
