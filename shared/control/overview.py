"""What needs somebody, across all exports: the first page. Pure over what was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.catalog.models import Export
from shared.catalog.schedules import next_time
from shared.control.listing import ListedExport
from shared.delivery.state.records import GROUPS

LATE = timedelta(minutes=15)
"""A schedule's run that did not start for so long was missed."""
SOON = 10
"""Runs that are due next, at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """An export with what is the matter; `at` is since when, or when it is due."""

    row: ListedExport
    at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """Exports by what they need, the newest first; `due` in the order in which they come."""

    waiting: Sequence[Line]
    failed: Sequence[Line]
    missed: Sequence[Line]
    running: Sequence[Line]
    due: Sequence[Line]
    exports: int


def overview(rows: Sequence[ListedExport], now: datetime) -> Overview:
    """The first page's lines."""
    return Overview(
        waiting=_newest(rows, "blocked"),
        failed=_newest(rows, "failed"),
        missed=_lines(rows, lambda row: _missed(row, now)),
        running=_newest(rows, "running"),
        due=_lines(rows, lambda row: _due(row.export, now))[:SOON],
        exports=len(rows),
    )


def _newest(rows: Sequence[ListedExport], group: str) -> list[Line]:
    found = [Line(row, row.last.finished_at or row.last.started_at) for row in rows if row.last]
    inside = [line for line in found if line.row.last and line.row.last.state in GROUPS[group]]
    return sorted(inside, key=lambda line: line.at, reverse=True)


def _lines(rows: Sequence[ListedExport], when: Callable[[ListedExport], datetime | None]) -> list[Line]:
    return sorted((Line(row, at) for row in rows if (at := when(row)) is not None), key=lambda line: line.at)


def _due(export: Export, since: datetime) -> datetime | None:
    """When its schedule fires next after this; None where it has no clock, or none that runs."""
    if export.paused or export.detached:
        return None
    return next_time(export.schedule, since)


def _missed(row: ListedExport, now: datetime) -> datetime | None:
    """The first time that its schedule fired since anything was heard of the export, if nothing came of it."""
    heard = max([row.export.updated_at, *([row.last.finished_at or now] if row.last else [])])
    due = _due(row.export, heard)
    return due if due is not None and now - due > LATE else None
