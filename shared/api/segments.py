"""Segments that landed, with their newest snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter

from shared.api.problems import responses
from shared.api.service import SegmentInfo
from shared.api.views import SegmentView
from shared.api.wiring import TheCaller, TheService
from shared.catalog.issues import NotFound

router = APIRouter(prefix="/api/v1/segments", tags=["segments"])


@router.get("", summary="List the segments", responses=responses(403, 503))
def list_segments(service: TheService, caller: TheCaller) -> list[SegmentView]:
    """By id; `problems` says why a snapshot cannot be read."""
    found = service.segments()
    rows = service.row_counts([segment.id for segment in found])
    return [_view(segment, rows, service.catalog.now()) for segment in found]


@router.get("/{segment:path}", summary="Read a segment", responses=responses(403, 404, 503))
def read_segment(segment: str, service: TheService, caller: TheCaller) -> SegmentView:
    """The id may hold slashes."""
    found = service.segment(segment)
    if found is None:
        raise NotFound("segment", segment)
    return _view(found, service.row_counts([segment]), service.catalog.now())


def _view(segment: SegmentInfo, rows: Mapping[str, int], now: datetime) -> SegmentView:
    age = None if segment.taken_at is None else max(0, int((now - segment.taken_at).total_seconds()))
    return SegmentView(
        id=segment.id,
        name=segment.name,
        columns=segment.columns,
        taken_at=segment.taken_at,
        age_seconds=age,
        bytes=segment.bytes,
        files=segment.files,
        rows=rows.get(segment.id),
        problems=segment.problems,
    )
