"""`explain`, `forget` and `forgotten`: one person, by address. No answer holds it, and neither does any output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Any

import typer

from cli.api import path
from cli.check_ups import telling
from cli.desk import Json, Yes, desk_of, table
from cli.failures import Exit
from cli.forgetting import STATUS, certificate, until_forgotten
from cli.naming import ExportName, a_name
from cli.people import Address, address_of

_POLL_SECONDS = 5.0


def explain(context: typer.Context, name: ExportName, address: Address = None, as_json: Json = False) -> None:
    desk = desk_of(context, as_json)
    found = desk.api.send("POST", path("exports", name, "explain"), {"address": address_of(address)}).body
    told = chain.from_iterable(_lines(target, name) for target in found["targets"])
    desk.show(found, f"The address is {found['address']}.", *told)


def _lines(target: Mapping[str, Any], export: str) -> Iterator[str]:
    """Whether the person is on the list and why, then what happened, the newest first."""
    elsewhere = target.get("export") not in (None, "", export)
    where = f"{target['target']} on {target['connection']}" if elsewhere else target["target"]
    yield f"{where}: {target['verdict']}"
    for each in target["story"]:
        when = (each["at"] or "")[:19].replace("T", " ")
        yield f"  {when:19}  {each['text']}" + (f" (run {each['run']})" if each["run"] else "")


def forget(context: typer.Context, address: Address = None, yes: Yes = False, as_json: Json = False) -> None:
    desk = desk_of(context, as_json)
    wanted = address_of(address)
    if not desk.confirm("Forget this person for good?", yes=yes):
        desk.note("Nobody was forgotten.")
        raise typer.Exit(Exit.FAILED)
    asked = desk.api.send("POST", path("forget"), {"address": wanted})
    try:
        with telling(desk.notes) as tell:
            view = until_forgotten(desk.api, asked.body, asked.retry_after or _POLL_SECONDS, tell)
    except KeyboardInterrupt:
        desk.note(f"The request {asked.body['id']} goes on without being watched.")
        raise
    desk.show(view, *certificate(view))
    raise typer.Exit(STATUS[view["state"]])


def forgotten(
    context: typer.Context,
    request: Annotated[
        str | None, typer.Argument(callback=a_name, help="Id of a request; without it the newest are listed.")
    ] = None,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    if request is not None:
        view = desk.api.get(path("forget", request)).body
        desk.show(view, *certificate(view))
        return
    found = desk.api.get(path("forget")).body
    columns = ("id", "state", "asked_by", "asked_at", "ended_at")
    desk.show(found, table(columns, ([each[column] for column in columns] for each in found)))
