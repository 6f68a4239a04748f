"""Help for who defines an export, the same for pages and API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from shared.access.actions import Action, require
from shared.access.person import Person
from shared.catalog import suggestions as words
from shared.catalog.issues import Invalid, NotFound
from shared.catalog.models import Match, Schedule
from shared.catalog.schedules import next_times, schedule_issues
from shared.control.exports import NEXT_TIMES
from shared.control.service import Service
from shared.control.views import View
from shared.snapshots.snapshot import SegmentFound
from shared.wording import Said


class PreviewRow(View):
    """A row as the vendor would get it; it holds an address. `left_out`: fields whose value does not arrive as
    it is, with the reason."""

    address: str
    problem: Said | None
    values: dict[str, Any]
    left_out: dict[str, Said] = Field(default_factory=dict)


class Suggestions(View):
    """Data matching that the names of columns suggest."""

    address_column: str | None
    matching: tuple[Match, ...]


def suggestions(service: Service, vendor: str, references: Sequence[str]) -> Suggestions:
    """From the columns that all of these segments have. Raises NotFound for a vendor or segment."""
    definition = service.catalog.definitions.get(vendor)
    if definition is None:
        raise NotFound("vendor", vendor)
    columns = common_columns(service.segments(), references)
    return Suggestions(
        address_column=words.address_column(columns), matching=tuple(words.matching(columns, definition))
    )


def common_columns(segments: Sequence[SegmentFound], references: Sequence[str]) -> list[str]:
    """Columns of all of these segments, in the order of the first. Raises NotFound."""
    found = [_named(segments, reference) for reference in references]
    first = found[0].columns if found else ()
    return [column for column in first if all(column in other.columns for other in found)]


def preview(
    service: Service,
    caller: Person,
    connection: str,
    references: Sequence[str],
    address_column: str,
    matching: Sequence[Match],
    country: str = "",
) -> list[PreviewRow]:
    """The first rows as the connection's vendor would get them. Raises NotFound, Forbidden and what reading does."""
    held = service.catalog.connection(connection)
    require(caller, Action.SEE_PREVIEW, held.item)
    rows = service.preview(held.item, references, address_column, matching, country)
    return [PreviewRow(**row) for row in rows]


def next_of(service: Service, schedule: Schedule) -> list[datetime]:
    """When a schedule fires next. Raises Invalid."""
    if issues := schedule_issues(schedule):
        raise Invalid(issues)
    return next_times(schedule, service.catalog.now(), NEXT_TIMES)


def _named(segments: Sequence[SegmentFound], reference: str) -> SegmentFound:
    by_id = [each for each in segments if each.id == reference]
    found = by_id or [each for each in segments if each.name == reference]
    if len(found) != 1:
        raise NotFound("segment", reference)
    return found[0]
