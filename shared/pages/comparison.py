"""The page that says who is on one connection of an export and not on another, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import Action
from shared.catalog.models import Export
from shared.control import comparing as control
from shared.control.service import Service
from shared.pages.errors import PageRoute
from shared.pages.labels import MISSING
from shared.pages.rendering import page
from shared.web.downloads import csv_answer
from shared.web.wiring import TheService, allowed, plain_names

router = APIRouter(
    route_class=PageRoute, include_in_schema=False, dependencies=[Depends(plain_names)], prefix="/exports/{name}"
)

OfPair = Annotated[str, Query(max_length=63)]


@router.get("/comparison", dependencies=[Depends(allowed(Action.SEE_RUNS))])
def show_comparison(name: str, request: Request, service: TheService, on: OfPair = "", not_on: OfPair = "") -> Response:
    """Two connections beside each other, both ways."""
    export = service.catalog.export(name).item
    names = _titles(service, export)
    both = []
    if len(names) > 1:
        first = control.compare(service, name, on, not_on)
        both = [first, control.compare(service, name, first.not_on, first.on)]
    return page(
        request,
        "comparison.html",
        export=export,
        scope=service.catalog.scope(export),
        names=names,
        on=both[0].on if both else "",
        not_on=both[0].not_on if both else "",
        both=both,
        outcomes=MISSING,
    )


@router.get("/comparison.csv", dependencies=[Depends(allowed(Action.SEE_REJECTED))])
def fetch_comparison(name: str, service: TheService, on: OfPair = "", not_on: OfPair = "") -> Response:
    """The people of one way, as a file."""
    return csv_answer(control.people(service, name, on, not_on), f"compared-{name}.csv")


def _titles(service: Service, export: Export) -> dict[str, str]:
    """Name -> what people call it, of the export's connections."""
    held = {name: service.catalog.connections.get(name) for name in control.family(service, export)}
    return {name: each.item.display_name if each else name for name, each in held.items()}
