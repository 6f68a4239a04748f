"""Segments as people look at them: newest snapshot, age, people, and the exports that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from shared.catalog.issues import NotFound
from shared.catalog.models import Export
from shared.control.service import Service
from shared.control.views import View
from shared.snapshots.snapshot import SegmentFound
from shared.wording import Said


class SegmentView(View):
    """A segment and its newest snapshot."""

    id: str
    name: str
    columns: tuple[str, ...]
    taken_at: datetime | None = Field(description="Null while no complete snapshot is there.")
    age_seconds: int | None
    bytes: int
    files: int
    rows: int | None = Field(description="Null until they are counted.")
    problems: tuple[Said, ...]
    exports: tuple[str, ...] = Field(default=(), description="Names of the exports that carry it.")


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


def carriers(segment: SegmentFound, found: Sequence[SegmentFound], exports: Sequence[Export]) -> tuple[str, ...]:
    """Names of the exports that have it, by its id or by a name that no other segment has."""
    unique = sum(other.name == segment.name for other in found) == 1
    known_as = {segment.id, segment.name} if unique else {segment.id}
    return tuple(export.name for export in exports if known_as & set(export.segments))


def _view(segment: SegmentFound, rows: Mapping[str, int], now: datetime, exports: tuple[str, ...]) -> SegmentView:
    snapshot = segment.snapshot
    age = max(0, int((now - snapshot.taken_at).total_seconds())) if snapshot else None
    return SegmentView(
        id=segment.id,
        name=segment.name,
        columns=segment.columns,
        taken_at=snapshot.taken_at if snapshot else None,
        age_seconds=age,
        bytes=snapshot.size if snapshot else 0,
        files=len(snapshot.files) if snapshot else 0,
        rows=rows.get(segment.id),
        problems=(*segment.problems, *segment.beside),
        exports=exports,
    )
