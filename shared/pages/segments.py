"""Pages of segments: what landed, how many people and how old, and which exports carry each."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from shared.access.actions import Action, may
from shared.control import segments as control
from shared.pages.errors import PageRoute
from shared.pages.exports import connections
from shared.pages.rendering import page
from shared.web.wiring import TheCaller, TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/segments", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
def list_segments(request: Request, service: TheService) -> Response:
    """All segments."""
    names = {held.item.name: held.item.display_name for held in service.catalog.exports.all()}
    return page(request, "segments.html", segments=control.views(service), names=names)


@router.get("/segments/{segment:path}", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
def show_segment(segment: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """One segment, from whose side exports are looked at: those that carry it, and those that could."""
    found = control.view(service, segment)
    exports = [held.item for held in service.catalog.exports.all()]
    known = connections(service)
    others = [export for export in exports if export.name not in found.exports]
    return page(
        request,
        "segment.html",
        segment=found,
        carrying=[export for export in exports if export.name in found.exports],
        others=[each for each in others if may(caller, Action.EDIT_EXPORT, known.get(each.connection))],
    )
