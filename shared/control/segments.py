"""Segments as people look at them: newest snapshot, age, people, and the exports that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.api.service import SegmentInfo, Service
from shared.api.views import SegmentView
from shared.catalog.issues import NotFound
from shared.catalog.models import Export


def views(service: Service) -> list[SegmentView]:
    """All segments, by id."""
    found = service.segments()
    rows = service.row_counts([segment.id for segment in found])
    exports = [held.item for held in service.catalog.exports.all()]
    return [_view(segment, rows, service.catalog.now(), carriers(segment, found, exports)) for segment in found]


def view(service: Service, reference: str) -> SegmentView:
    """One of them. Raises NotFound."""
    for segment in views(service):
        if segment.id == reference:
            return segment
    raise NotFound("segment", reference)


def carriers(segment: SegmentInfo, found: Sequence[SegmentInfo], exports: Sequence[Export]) -> tuple[str, ...]:
    """Names of the exports that have it, by its id or by a name that no other segment has."""
    unique = sum(other.name == segment.name for other in found) == 1
    known_as = {segment.id, segment.name} if unique else {segment.id}
    return tuple(export.name for export in exports if known_as & set(export.segments))


def _view(segment: SegmentInfo, rows: Mapping[str, int], now: datetime, exports: tuple[str, ...]) -> SegmentView:
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
        exports=exports,
    )
