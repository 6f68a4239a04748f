"""Segments that landed, with their newest snapshots."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from shared.access.actions import Action
from shared.catalog.dialects import SegmentInput
from shared.control import segments as control
from shared.control.segments import SegmentView
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheConditions, TheService, allowed, named, stamp

router = APIRouter(prefix="/api/v1/segments", tags=["segments"], generate_unique_id_function=named)


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
def read_segment(segment: str, service: TheService, caller: TheCaller, response: Response) -> SegmentView:
    """The id may hold slashes. Its `ETag` is the version of what is declared, to send as If-Match."""
    found = control.view(service, segment)
    stamp(response, service.catalog.dialects.get(segment)[1])
    return found


@router.put(
    "/{segment:path}",
    dependencies=[Depends(allowed(Action.EDIT_SEGMENT))],
    summary="Say how a segment is written",
    responses=responses(400, 403, 404, 409, 412, 422, 503),
)
def save_segment(
    segment: str,
    sent: SegmentInput,
    service: TheService,
    caller: TheCaller,
    change: TheChange,
    conditions: TheConditions,
    response: Response,
) -> SegmentView:
    """Declares the dialect of its texts, or takes that back. Answers with how it is read from now on."""
    control.view(service, segment)  # it is there
    _, version = service.catalog.dialects.get(segment)
    conditions.require(version)
    change.about(f"segment {segment}", lambda: control.declared(service, segment))
    control.declare(service, segment, sent, version, caller)
    stamp(response, service.catalog.dialects.get(segment)[1])
    return control.view(service, segment)
