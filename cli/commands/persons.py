"""`explain`, `forget` and `forgotten`: one person, by address. No answer holds it, and neither does any output.
`members`: who was on a list, into a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.api import path
from cli.check_ups import telling
from cli.commands.runs import write_private
from cli.desk import Json, Yes, desk_of, table
from cli.failures import Exit, usage
from cli.forgetting import STATUS, certificate, until_forgotten
from cli.naming import ExportName, a_name
from cli.people import Address, address_of

_POLL_SECONDS = 5.0


Day = Annotated[
    datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DAY", help="Like 2026-05-03; the end of it, UTC.")
]


def explain(context: typer.Context, name: ExportName, address: Address = None, as_json: Json = False) -> None:
    desk = desk_of(context, as_json)
    found = desk.api.send("POST", path("exports", name, "explain"), {"address": address_of(address)}).body
    told = chain.from_iterable(_lines(target, name) for target in found["targets"])
    desk.show(found, f"The address is {found['address']}.", *told)


def members(
    context: typer.Context,
    name: ExportName,
    day: Day,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the people, with addresses, into this CSV file.")
    ] = None,
    target: Annotated[int, typer.Option(min=0, help="Which of the export's targets, from 0.")] = 0,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    query = {"day": day.date().isoformat(), "target": target}
    content = bytes(desk.api.get(path("exports", name, "members.csv"), query).body)
    people = sum(1 for _ in csv.DictReader(content.decode("utf-8-sig").splitlines()))
    if output is not None:
        try:
            write_private(output, [content])
        except OSError as error:
            raise usage("file_not_written", f"{output} cannot be written ({type(error).__name__}).") from None
        desk.note(f"{output} holds addresses: delete it when you are done.")
    desk.show({**query, "people": people}, f"{query['day']}: {people} on the list.")


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
