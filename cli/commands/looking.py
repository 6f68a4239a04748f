"""`segments`, `check` and `doctor`: what is there, and whether it works."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.api import path
from cli.desk import Json, desk_of, table
from cli.doctor import examine
from cli.failures import Exit
from cli.naming import ConnectionName

_DAY = 86_400


def segments(context: typer.Context, as_json: Json = False) -> None:
    """List the segments with their newest snapshots, and what keeps them from being read."""
    desk = desk_of(context, as_json)
    found = desk.api.get(path("segments")).body
    rows = (
        (each["id"], each["rows"], _age(each["age_seconds"]), ", ".join(each["exports"]), " ".join(each["problems"]))
        for each in found
    )
    desk.show(found, table(("segment", "rows", "age", "exports", "problems"), rows))


def _age(seconds: int | None) -> str:
    if seconds is None:
        return "no snapshot"
    return f"{seconds // _DAY} d" if seconds >= _DAY else f"{seconds // 3600} h {seconds % 3600 // 60} min"


def check(
    context: typer.Context,
    name: ConnectionName,
    same_account: Annotated[
        bool, typer.Option("--same-account", help="The key was replaced, and leads to the same account: keep it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask the vendor whether a connection works; exit status 1 if not."""
    desk = desk_of(context, as_json)
    query = {"same_account": "true"} if same_account else None
    found = desk.api.send("POST", path("connections", name, "check"), query=query).body
    words = [found["message"], *(f"{key}: {value}" for key, value in found["details"].items()), *found["warnings"]]
    desk.show(found, f"{name}: {'ok' if found['ok'] else found['code']}", *words)
    raise typer.Exit(Exit.OK if found["ok"] else Exit.FAILED)


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Look whether everything is well.

    Is the app there and ready, who are we, does every connection work, how did every export do last, can every segment
    be read? Exit status 1 if something failed; warnings leave it 0.
    """
    desk = desk_of(context, as_json)
    findings, status = examine(desk.api)
    rows = ((each.state, each.check, each.subject, each.message) for each in findings)
    result = {"ok": status is Exit.OK, "findings": [each.as_json() for each in findings]}
    desk.show(result, table(("", "check", "of", "found"), rows))
    raise typer.Exit(status)
