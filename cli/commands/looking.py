"""`segments`, `check`, `opt-outs` and `doctor`: what is there, and whether it works."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.api import path
from cli.check_ups import Wanted, compared, telling
from cli.desk import Json, desk_of, table
from cli.doctor import BEGINNING, CHECKS, examine, summed_up, total
from cli.failures import Exit, usage
from cli.naming import ConnectionName, a_name

_DAY = 86_400


def segments(context: typer.Context, as_json: Json = False) -> None:
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
    other_account: Annotated[
        bool,
        typer.Option("--other-account", help="It leads to another account: take it over; its exports are saved again."),
    ] = False,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    if same_account and other_account:
        raise usage("both_accounts", "Give --same-account or --other-account, not both.")
    said = {"same_account": same_account, "other_account": other_account}
    query = {name: "true" for name, given in said.items() if given}
    found = desk.api.send("POST", path("connections", name, "check"), query=query).body
    words = [found["message"], *(f"{key}: {value}" for key, value in found["details"].items()), *found["warnings"]]
    desk.show(found, f"{name}: {'ok' if found['ok'] else found['code']}", *words)
    raise typer.Exit(Exit.OK if found["ok"] else Exit.FAILED)


def opt_outs(
    context: typer.Context,
    name: ConnectionName,
    now: Annotated[bool, typer.Option("--now", help="Have them read now; without it, say how far they are.")] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Read everybody, in the place of all who were landed before.")
    ] = False,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    where = path("connections", name, "opt-outs")
    asked = now or afresh
    found = desk.api.send("POST", where, {"afresh": afresh}).body if asked else desk.api.get(where).body
    latest = found["latest"] or {"state": "never read", "message": "", "found": {}}
    new = ", ".join(f"{rows} {kind}" for kind, rows in latest["found"].items())
    lands = f"{found['people']} rows in {found['location']}" if found["location"] else "They are landed nowhere."
    desk.show(found, f"{name}: {latest['state']}", *filter(None, [latest["message"], new and f"New: {new}", lands]))


def doctor(
    context: typer.Context,
    lists: Annotated[
        bool, typer.Option("--lists", help="Compare the lists of all exports with the service's records of them, too.")
    ] = False,
    export: Annotated[
        str | None,
        typer.Option("--export", metavar="EXPORT", callback=a_name, help="Compare the lists of this export only."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read everyone on the lists, to learn who is missing and who is a stranger.")
    ] = False,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    with telling(desk.notes) as tell:
        checks = BEGINNING if export else CHECKS
        if lists or export or full:
            checks = (*checks, compared(Wanted(export, full), tell))
        findings, status = examine(desk.api, checks)
    rows = ((each.state, each.check, each.subject, each.message) for each in summed_up(findings))
    result = {"ok": status is Exit.OK, "findings": [each.as_json() for each in findings]}
    desk.show(result, table(("", "check", "of", "found"), rows), total(findings))
    raise typer.Exit(status)
