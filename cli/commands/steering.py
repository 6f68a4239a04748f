"""`list`, `show`, `pause`, `resume`, `remove` and `audit`: what there is, and steering it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml

from cli.api import path
from cli.clearing import ForAll, agreed, clear
from cli.desk import Desk, Json, Yes, desk_of, table
from cli.failures import Exit, Failure, usage
from cli.naming import ExportName, a_name
from cli.watching import newest_run


class Things(StrEnum):
    """What is listed."""

    EXPORTS = "exports"
    CONNECTIONS = "connections"
    SEGMENTS = "segments"
    RUNS = "runs"


class Thing(StrEnum):
    """What is shown."""

    EXPORT = "export"
    CONNECTION = "connection"
    SEGMENT = "segment"
    RUN = "run"


class Removable(StrEnum):
    """What may be removed."""

    EXPORT = "export"
    CONNECTION = "connection"


COLUMNS: dict[Things, tuple[str, ...]] = {
    Things.EXPORTS: ("name", "connection", "mode", "schedule", "paused", "tags", "last_run"),
    Things.CONNECTIONS: ("name", "vendor", "shared_with", "account", "check_code", "disabled"),
    Things.SEGMENTS: ("id", "rows", "age_seconds", "exports"),
    Things.RUNS: ("export", "run", "state", "kind", "started_at", "finished_at", "message"),
}


def list_things(
    context: typer.Context, what: Annotated[Things, typer.Argument(help="What to list.")], as_json: Json = False
) -> None:
    desk = desk_of(context, as_json)
    if what is Things.RUNS:
        found = [each["last_run"] for each in desk.api.get(path("exports")).body if each["last_run"]]
    else:
        found = desk.api.get(path(what)).body
    columns = COLUMNS[what]
    desk.show(found, table(columns, ([_cell(each.get(column)) for column in columns] for each in found)))


def _cell(value: Any) -> object:
    """In a table: of a schedule its kind, of a run its state."""
    if isinstance(value, dict):
        return value.get("state") or " ".join(filter(None, [value.get("expression"), value.get("kind")]))
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def show(
    context: typer.Context,
    what: Annotated[Thing, typer.Argument(help="What to show.")],
    name: Annotated[str, typer.Argument(help="Its name; of a segment its id, of a run the name of its export.")],
    run_id: Annotated[
        str | None, typer.Option("--run", callback=a_name, help="Id of the run; the newest one without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    if what is not Thing.SEGMENT:
        a_name(name)
    if what is Thing.RUN:
        where = path("exports", name, "runs", run_id or newest_run(desk.api, name))
    else:
        where = path(f"{what}s", name)
    found = desk.api.get(where).body
    desk.show(found, yaml.safe_dump(found, sort_keys=False, allow_unicode=True).rstrip("\n"))


def pause(context: typer.Context, name: ExportName, as_json: Json = False) -> None:
    _steer(desk_of(context, as_json), name, "pause", "Paused")


def resume(context: typer.Context, name: ExportName, as_json: Json = False) -> None:
    _steer(desk_of(context, as_json), name, "resume", "Resumed")


def _steer(desk: Desk, name: str, deed: str, done: str) -> None:
    [found] = desk.api.send("POST", path("several"), {"exports": [name], "do": deed}).body
    if not found["ok"]:
        raise Failure(f"not_{done.lower()}", found["message"])
    desk.show(found, f"{done} {name}.")


def remove(
    context: typer.Context,
    what: Annotated[Removable, typer.Argument(help="What to remove.")],
    name: Annotated[str, typer.Argument(callback=a_name, help="Its name.")],
    keep_members: Annotated[
        bool, typer.Option("--keep-members", help="Leave people on the lists of an export that is removed.")
    ] = False,
    exports: Annotated[
        ForAll | None,
        typer.Option(
            help="Of a connection, what becomes of all exports on it. detach: they stay and do not run. remove: they "
            "go, and people stay on the lists. withdraw: people are taken off first; that is waited for."
        ),
    ] = None,
    if_there: Annotated[bool, typer.Option("--if-there", help="It is no failure if there is none.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    if exports and what is Removable.EXPORT:
        raise usage("not_a_connection", "--exports is for a connection.")
    address = path(f"{what}s", name)
    stored = desk.api.find(address) if if_there else desk.api.get(address)
    if stored is None:
        desk.show({"removed": False}, f"There is no {what} {name}.")
        return
    sure = agreed(desk, name, exports, yes=yes) if exports else desk.confirm(f"Remove the {what} {name}?", yes=yes)
    if not sure:
        desk.note("Nothing was removed.")
        raise typer.Exit(Exit.FAILED)
    if exports:
        clear(desk, name, exports, stored.etag)
    else:
        _delete(desk, what, name, stored.etag, keep_members=keep_members)
    desk.show({"removed": True}, f"Removed the {what} {name}.")


def _delete(desk: Desk, what: Removable, name: str, etag: str, *, keep_members: bool) -> None:
    query = {"keep_members": "true"} if keep_members and what is Removable.EXPORT else None
    desk.api.send("DELETE", path(f"{what}s", name), query=query, headers={"If-Match": etag})


def audit(
    context: typer.Context,
    top: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    found = desk.api.get("/api/v1/audit", {"top": top}).body["changes"]
    columns = ("at", "who", "action", "subject", "outcome")
    desk.show(found, table(columns, ([_cell(each.get(column)) for column in columns] for each in found)))
