"""`apply` and `export`: connections and exports as code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import applying
from cli.api import path
from cli.desk import Desk, Json, Yes, desk_of
from cli.documents import Document, read
from cli.failures import Exit, Failure, usage
from cli.shapes import Shapes


def apply(
    context: typer.Context,
    file: Annotated[str, typer.Option("--file", "-f", help="YAML or JSON; `-` is standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and what the app would say; change nothing.")
    ] = False,
    keep_members: Annotated[
        bool, typer.Option("--keep-members", help="Leave people on lists that an export gives up.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    changes = applying.plan(desk.api, read(file))
    due = [change for change in changes if change.action != "none"]
    if dry_run or not due:
        raise typer.Exit(_rehearsed(desk, changes, keep_members))
    for change in due:
        desk.note(str(change))
    if not desk.confirm(f"Make these {len(due)} changes?" if len(due) > 1 else "Make this change?", yes=yes):
        desk.note("Nothing was changed.")
        raise typer.Exit(Exit.FAILED)
    outcomes = list(applying.carry_out(desk.api, changes, keep_members=keep_members))
    made = [each for each in outcomes if each.change in due]
    desk.show({"changes": [each.as_json() for each in outcomes]}, *map(_line, made))
    worst = max((each.failure.exit_status for each in outcomes if each.failure), default=Exit.OK)
    raise typer.Exit(worst)


def diff(
    context: typer.Context,
    file: Annotated[str, typer.Option("--file", "-f", help="YAML or JSON; `-` is standard input.")],
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    changes = applying.plan(desk.api, read(file))
    due = [change for change in changes if change.action != "none"]
    desk.show({"changes": [each.as_json() for each in changes]}, *(map(str, due) if due else ["No difference."]))
    raise typer.Exit(Exit.DIFFERS if due else Exit.OK)


def _rehearsed(desk: Desk, changes: list[applying.Change], keep_members: bool) -> Exit:
    """Show what would change and what the app says to it; the exit status that applying would have."""
    outcomes = list(applying.rehearse(desk.api, changes, keep_members=keep_members))
    due = [each for each in outcomes if each.change.action != "none"]
    shown = [line for each in due for line in (str(each.change), *_said(each))] or ["Nothing to change."]
    desk.show({"changes": [each.as_json() for each in outcomes]}, *shown)
    return max((each.failure.exit_status for each in outcomes if each.failure), default=Exit.OK)


def _said(outcome: applying.Outcome) -> list[str]:
    """What the app would say to a change."""
    if outcome.failure is None:
        return [f"  {warning}" for warning in outcome.warnings]
    errors = [f"    {error['pointer']}: {error['message']}" for error in outcome.failure.errors]
    return [f"  It would be refused: {outcome.failure.message}", *errors]


def _line(outcome: applying.Outcome) -> str:
    subject = f"{outcome.change.kind} {outcome.change.name}"
    if outcome.failure is None:
        return "\n".join([f"Saved {subject}.", *(f"  {warning}" for warning in outcome.warnings)])
    errors = [f"  {error['pointer']}: {error['message']}" for error in outcome.failure.errors]
    return "\n".join([f"Failed {subject}: {outcome.failure.message}", *errors])


def export(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write into this file.")] = None,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    shapes = Shapes(desk.api.get("/api/openapi.json").body)
    document = Document(*(dict(_defined(desk, shapes, kind)) for kind in ("connection", "export", "segment")))
    if output is None:
        desk.show(document.as_json(), str(document).rstrip("\n"))
        return
    try:
        output.write_text(str(document), encoding="utf-8")
    except OSError as error:
        raise usage("file_not_written", f"{output} cannot be written ({type(error).__name__}).") from None
    told = {"file": str(output), "connections": len(document.connections), "exports": len(document.exports)}
    desk.show(told, f"{output}: {told['connections']} connections, {told['exports']} exports.")


def _listed(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """All of them. Where segments cannot be listed, what is said of them is left out, and said so."""
    try:
        found: list[dict[str, Any]] = desk.api.get(path(f"{kind}s")).body
    except Failure as error:
        if kind != "segment":
            raise
        desk.note(f"Left out, since segments cannot be listed: how they are written. {error.message}")
        return []
    return found


def _defined(desk: Desk, shapes: Shapes, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in _listed(desk, kind):
        if "usable" in each:
            desk.note(f"Left out, since only administrators may see it: {kind} {each['name']}.")
            continue
        if each.get("owned_by"):  # follows from another export
            continue
        if kind == "segment":
            if each["dialect"]:
                yield each["id"], shapes.shorten(kind, shapes.complete(kind, each))
            continue
        yield each["name"], shapes.shorten(kind, shapes.complete(kind, each))
