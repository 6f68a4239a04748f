"""Segments that landed, with their newest snapshots."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from shared.access.actions import Action
from shared.control import segments as control
from shared.control.segments import SegmentView
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheService, allowed

router = APIRouter(prefix="/api/v1/segments", tags=["segments"])


@router.get(
    "", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))], summary="List the segments", responses=responses(403, 503)
)
def list_segments(service: TheService, caller: TheCaller) -> list[SegmentView]:
    """By id; `problems` says why a snapshot cannot be read."""
    return control.views(service)


@router.get(
    "/{segment:path}",
    dependencies=[Depends(allowed(Action.SEE_SEGMENTS))],
    summary="Read a segment",
    responses=responses(403, 404, 503),
)
def read_segment(segment: str, service: TheService, caller: TheCaller) -> SegmentView:
    """The id may hold slashes."""
    return control.view(service, segment)
