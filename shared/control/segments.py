"""Segments as people look at them: newest snapshot, age, people, and the exports that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from shared.access.actions import Action, require
from shared.access.person import Person
from shared.catalog.dialects import DialectInput, SegmentInput
from shared.catalog.issues import NotFound
from shared.catalog.models import Export
from shared.control.service import Service
from shared.control.views import View
from shared.errors import RetryAfter, UserMustAct
from shared.snapshots.dialect import read_as
from shared.snapshots.snapshot import SegmentFound
from shared.wording import NOTHING, Message, Said

ROWS_SHOWN, COLUMNS_SHOWN = 5, 8


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
    read_as: Said = Field(default="", description="How the files of its newest snapshot are read.")
    dialect: DialectInput | None = Field(default=None, description="What is declared of that; null: nothing.")


def views(service: Service, some: Sequence[SegmentFound] | None = None) -> list[SegmentView]:
    """All segments, by id; or some of them, in their order."""
    found = service.segments()
    shown = found if some is None else some
    rows = service.row_counts([segment.id for segment in shown])
    exports = [held.item for held in service.catalog.exports.all()]
    declared = service.catalog.dialects.all()
    dialects = {segment: dialect for segment, dialect in declared.items() if isinstance(dialect, DialectInput)}
    return [
        _view(segment, rows, service.catalog.now(), carriers(segment, found, exports), dialects.get(segment.id))
        for segment in shown
    ]


def view(service: Service, reference: str) -> SegmentView:
    """One of them. Raises NotFound."""
    for segment in views(service):
        if segment.id == reference:
            return segment
    raise NotFound("segment", reference)


def declare(service: Service, reference: str, sent: SegmentInput, version: str, caller: Person) -> None:
    """Say how a segment is written, in place of that version of what was said. Raises Forbidden and Conflict."""
    require(caller, Action.EDIT_SEGMENT)
    service.catalog.dialects.declare(reference, sent.dialect, version)


def declared(service: Service, reference: str) -> dict[str, Any]:
    """What is declared, as the audit trail has it."""
    found, _ = service.catalog.dialects.get(reference)
    return {"dialect": found.model_dump(mode="json") if found else None}


@dataclass(frozen=True, slots=True)
class FirstRows:
    """How the beginning of a segment is read; `problem` says why there is nothing."""

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str | None]] = ()
    problem: Message = NOTHING


def first_rows(service: Service, reference: str) -> FirstRows:
    """A few rows and columns of the newest snapshot; nothing where there is none."""
    found = next((each for each in service.segments() if each.id == reference), None)
    if found is None or found.snapshot is None:
        return FirstRows()
    columns = found.columns[:COLUMNS_SHOWN]
    try:
        return FirstRows(columns, service.first_rows(found.snapshot, columns, ROWS_SHOWN))
    except (UserMustAct, RetryAfter) as error:
        return FirstRows(problem=error.words)


def carriers(segment: SegmentFound, found: Sequence[SegmentFound], exports: Sequence[Export]) -> tuple[str, ...]:
    """Names of the exports that have it, by its id or by a name that no other segment has."""
    unique = sum(other.name == segment.name for other in found) == 1
    known_as = {segment.id, segment.name} if unique else {segment.id}
    return tuple(export.name for export in exports if known_as & set(export.segments))


def _view(
    segment: SegmentFound,
    rows: Mapping[str, int],
    now: datetime,
    exports: tuple[str, ...],
    dialect: DialectInput | None,
) -> SegmentView:
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
        read_as=read_as(snapshot.format) if snapshot else "",
        dialect=dialect,
    )
