"""`explain` and `forget`: one person, by address. No answer holds the address, and neither does any output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import typer

from cli.api import path
from cli.desk import Json, Yes, desk_of
from cli.failures import Exit
from cli.naming import ExportName
from cli.people import Address, address_of


def explain(context: typer.Context, name: ExportName, address: Address = None, as_json: Json = False) -> None:
    desk = desk_of(context, as_json)
    found = desk.api.send("POST", path("exports", name, "explain"), {"address": address_of(address)}).body
    desk.show(found, f"The address is {found['address']}.", *chain.from_iterable(map(_lines, found["targets"])))


def _lines(target: Mapping[str, Any]) -> Iterator[str]:
    """Whether the person is on the list and why, then what happened, the newest first."""
    yield f"{target['target']}: {target['verdict']}"
    for each in target["story"]:
        when = (each["at"] or "")[:19].replace("T", " ")
        yield f"  {when:19}  {each['text']}" + (f" (run {each['run']})" if each["run"] else "")


def forget(context: typer.Context, address: Address = None, yes: Yes = False, as_json: Json = False) -> None:
    desk = desk_of(context, as_json)
    wanted = address_of(address)
    if not desk.confirm("Forget this person for good?", yes=yes):
        desk.note("Nobody was forgotten.")
        raise typer.Exit(Exit.FAILED)
    found = desk.api.send("POST", path("forget"), {"address": wanted}).body
    desk.show(found, f"Forgotten: {found['ledgers']} ledgers and {found['runs']} runs held the address.")
