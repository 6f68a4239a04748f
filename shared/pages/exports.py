"""Pages of exports: the list, one export, and what its buttons do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import GONE, Action
from shared.catalog.catalog import require_its_own
from shared.catalog.issues import NotFound
from shared.catalog.models import Connection, Export
from shared.control import comparing, listing
from shared.control import exports as control
from shared.control.listing import PAGE, Asked, ListedExport
from shared.control.runs import RunsAsked
from shared.control.service import Service
from shared.control.several import Deed, DoneView
from shared.delivery.state.transitions import RunKind
from shared.pages import labels
from shared.pages.asking import TheAsked
from shared.pages.chart import chart
from shared.pages.errors import PageRoute
from shared.pages.forms import Form, one_of, text
from shared.pages.rendering import go, page
from shared.web.wiring import TheCaller, TheService, allowed, plain_names
from shared.wording import say

router = APIRouter(route_class=PageRoute, include_in_schema=False)

RUNS = 30


@router.get("/exports", dependencies=[Depends(allowed(Action.SEE_EXPORTS))])
def list_exports(
    request: Request,
    service: TheService,
    asked: TheAsked,
    removed: Annotated[str, Query(max_length=63)] = "",
) -> Response:
    """The exports that the address asks for. `removed` is one that was removed just now."""
    return listed(request, service, asked, removed=removed)


@router.get("/exports/{name}", dependencies=[Depends(allowed(Action.SEE_EXPORTS))])
def show_export(
    name: str,
    request: Request,
    service: TheService,
    continued: Annotated[str | None, Query(alias="continue", max_length=200)] = None,
) -> Response:
    """One export: what it is, how it went, and what can be done."""
    return overview(request, service, name, continued=continued)


@router.get("/exports/{name}/rows", dependencies=[Depends(allowed(Action.SEE_EXPORTS))])
def show_rows(name: str, request: Request, service: TheService) -> Response:
    """How many people its segments have: asked for by the page once it is there, since storage is looked through."""
    export = service.catalog.export(name).item
    connection = _connection_of(service, export)
    return page(
        request,
        "_delivers.html",
        export=export,
        connection=connection,
        definition=service.catalog.definitions.get(connection.vendor) if connection else None,
        rows=service.row_counts(export.segments),
    )


@router.get("/exports/{name}/runs", dependencies=[Depends(allowed(Action.SEE_RUNS)), Depends(plain_names)])
def list_runs(
    name: str,
    request: Request,
    service: TheService,
    state: Annotated[str, Query(max_length=20)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    after: Annotated[str, Query(alias="continue", max_length=200)] = "",
) -> Response:
    """Runs of an export, also of one that was removed: in a state, between two days."""
    asked = RunsAsked(state, day(since), day(until), after)
    held = service.catalog.exports.get(name)
    found = service.runs.rows(name, asked, top=PAGE)
    if held is None and not found.rows and asked == RunsAsked():
        raise NotFound("export", name)
    given = {"state": state, "since": since, "until": until}
    return page(
        request,
        "runs.html",
        name=name,
        title=held.item.display_name if held else name,
        gone=held is None,
        runs=found,
        given=given,
        groups=labels.RUN_GROUPS,
        first=f"?{urlencode(given)}",
        beyond_first=bool(after),
        older=f"?{urlencode({**given, 'continue': found.next})}" if found.next else "",
    )


def day(text: str) -> date | None:
    """Of a field for dates; what is none asks for nothing."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@router.post("/exports/{name}/run", dependencies=[Depends(allowed(Action.START_RUN))])
def run_export(name: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Start a run of the kind that the button names, and go to its page; or to that of the run that is under way, which
    says that the other was not started. Where it was not on another connection, the export's page says why."""
    kind = one_of(RunKind, text(form, "kind") or RunKind.DELIVERY, "/kind")
    started = service.begin(name, kind, by=caller.name)
    if idle := [each for each in started.beside if each.run is None]:
        words = say("On the connection %(connection)s it was not started: %(why)s")
        told = tuple(words.filled(connection=each.connection, why=each.message) for each in idle)
        return overview(request, service, name, told=told)
    return go(f"/exports/{name}/runs/{started.run.run}{'' if started.new else f'?asked={kind}'}")


@router.post("/exports/{name}/pause", dependencies=[Depends(allowed(Action.EDIT_EXPORT))])
def pause_export(name: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Switch the schedule off or on."""
    held = service.catalog.export(name)
    control.set_schedule(service, held, caller, paused=text(form, "paused") == "on")
    return overview(request, service, name)


@router.get("/exports/{name}/remove", dependencies=[Depends(allowed(Action.REMOVE_EXPORT))])
def ask_to_remove(name: str, request: Request, service: TheService) -> Response:
    """What removing means, and for whom."""
    held = service.catalog.export(name)
    require_its_own(held.item)
    family = [held, *service.catalog.companions.owned(name)]
    members = sum(sum(service.members(each.item).values()) for each in family)
    return page(request, "export_remove.html", export=held.item, members=members)


@router.post("/exports/{name}/remove", dependencies=[Depends(allowed(Action.REMOVE_EXPORT))])
def remove_export(name: str, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Remove it; people on its lists stay only where the form says so."""
    held = service.catalog.export(name)
    control.delete(service, held, caller, keep_members=text(form, "keep_members") == "on")
    return go(f"/exports?removed={name}")


@router.post("/exports/{name}/detach", dependencies=[Depends(allowed(Action.EDIT_EXPORT))])
def detach_export(name: str, service: TheService, caller: TheCaller) -> Response:
    """Take its connection off."""
    control.detach(service, service.catalog.export(name), caller)
    return go(f"/exports/{name}")


def overview(
    request: Request,
    service: Service,
    name: str,
    *,
    continued: str | None = None,
    told: tuple[str, ...] = (),
    saved: bool = False,
) -> Response:
    """The page of an export; `told` is what there is to know after saving it."""
    runs = service.runs.rows(name, RunsAsked(after=continued or ""), top=RUNS)
    last = next(iter(runs.rows), None) if continued is None else service.runs.last(name)
    stored = service.catalog.export(name).item
    export = control.view_with(stored, service, last)
    connection = _connection_of(service, export)
    return page(
        request,
        "export.html",
        headers={"HX-Push-Url": f"/exports/{name}"} if saved else None,
        export=export,
        connection=connection,
        scope=service.catalog.scope(stored, connection),
        definition=service.catalog.definitions.get(connection.vendor) if connection else None,
        beside=_beside(service, stored),
        owner=service.catalog.exports.get(stored.owned_by) if stored.owned_by else None,
        runs=runs,
        rows=None,
        chart=chart(list(reversed(runs.rows))),
        told=told,
        saved=saved,
    )


def _beside(service: Service, export: Export) -> Sequence[ListedExport]:
    """The same people on the export's other connections."""
    others = [each for each in comparing.family(service, export).values() if each.name != export.name]
    last = {each.name: run for each in others if (run := service.runs.last(each.name))}
    return [ListedExport(each, _connection_of(service, each), last.get(each.name)) for each in others]


def listed(
    request: Request,
    service: Service,
    asked: Asked,
    deed: Deed | None = None,
    results: list[DoneView] | None = None,
    *,
    removed: str = "",
) -> Response:
    """The list: a query for exports, one for connections and one for newest runs, however many there are."""
    known = connections(service)
    every = [held.item for held in service.catalog.exports.all()]
    rows = listing.listed(every, known, service.runs.latest())
    found = listing.page_of(rows, asked)
    return page(
        request,
        "exports.html",
        found=found,
        next_of=partial(control.next_of, service=service),
        asked=asked,
        groups=labels.GROUPS,
        schedules=labels.SCHEDULES,
        vendors=[(name, each.label) for name, each in sorted(service.catalog.definitions.items())],
        owners=sorted({row.export.created_by for row in rows} | {row.export.updated_by for row in rows}),
        tags=sorted({tag for row in rows for tag in row.export.tags}, key=str.casefold),
        removed=removed if all(row.export.name != removed for row in rows) else "",
        connections=known,
        definitions=service.catalog.definitions,
        gone=GONE,
        deed=deed,
        results=results,
    )


def connections(service: Service) -> dict[str, Connection]:
    """All connections, by name."""
    return {held.item.name: held.item for held in service.catalog.connections.all()}


def _connection_of(service: Service, export: Export) -> Connection | None:
    held = service.catalog.connections.get(export.connection)
    return held.item if held else None
