"""The first page: what needs somebody, one line each, with the action beside it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from shared.access.actions import GONE, Action
from shared.control.listing import listed
from shared.control.overview import overview
from shared.pages.errors import PageRoute
from shared.pages.exports import connections
from shared.pages.rendering import page
from shared.web.wiring import TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/", dependencies=[Depends(allowed(Action.SEE_EXPORTS))])
def show_overview(request: Request, service: TheService) -> Response:
    """What waits for a decision, failed, was missed, runs now and is due next."""
    known = connections(service)
    exports = [held.item for held in service.catalog.exports.all()]
    rows = listed(exports, known, service.runs.latest())
    found = overview(rows, service.catalog.now())
    return page(request, "overview.html", overview=found, connections=known, gone=GONE)
