"""Help for who defines an export: suggested data matching, a preview of rows, the next times of a schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.access.actions import Action
from shared.catalog.models import MAX_FIELDS, MAX_SEGMENTS, Match, Schedule
from shared.catalog.shapes import Column, PhoneCountry, Reference
from shared.control import assistance as control
from shared.control.assistance import PreviewRow, Suggestions
from shared.control.views import Identity, View
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheService, allowed, named

router = APIRouter(prefix="/api/v1", tags=["assistance"], generate_unique_id_function=named)


class PreviewInput(BaseModel):
    """What a preview needs of an export that may not be saved yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connection: str = Field(max_length=63)
    segments: tuple[Reference, ...] = Field(min_length=1, max_length=MAX_SEGMENTS)
    address_column: Column
    matching: tuple[Match, ...] = Field(default=(), max_length=MAX_FIELDS)
    phone_country: PhoneCountry = ""


class NextTimes(View):
    """When a schedule fires, in its own time zone."""

    next_times: tuple[datetime, ...]


@router.get(
    "/suggestions",
    summary="Suggest data matching",
    dependencies=[Depends(allowed(Action.SEE_SEGMENTS))],
    responses=responses(403, 404, 422, 503),
)
def suggest(
    service: TheService,
    vendor: Annotated[str, Query(max_length=63)],
    segment: Annotated[list[str], Query(min_length=1, max_length=MAX_SEGMENTS)],
) -> Suggestions:
    """From the names of the columns that all of these segments have."""
    return control.suggestions(service, vendor, segment)


@router.post(
    "/preview",
    summary="Preview rows as the vendor would get them",
    dependencies=[Depends(allowed(Action.SEE_PREVIEW))],
    responses=responses(400, 403, 404, 422, 503),
)
def preview(sent: PreviewInput, service: TheService, caller: TheCaller, response: Response) -> list[PreviewRow]:
    """The first rows of the newest snapshots. They hold addresses. A dry run also knows the vendor's own types."""
    response.headers["Cache-Control"] = "no-store"
    return control.preview(
        service, caller, sent.connection, sent.segments, sent.address_column, sent.matching, sent.phone_country
    )


@router.post(
    "/schedule/next",
    summary="Say when a schedule fires",
    dependencies=[Depends(allowed(Action.SEE_EXPORTS))],
    responses=responses(400, 403, 422),
)
def next_of(sent: Schedule, service: TheService) -> NextTimes:
    """The next five times; none where it has no clock."""
    return NextTimes(next_times=tuple(control.next_of(service, sent)))


@router.get(
    "/identity",
    summary="Say whom exports run as",
    dependencies=[Depends(allowed(Action.SEE_CONNECTION_DETAILS))],
    responses=responses(403),
)
def identity(service: TheService) -> Identity:
    """The app's identity, and what it may read."""
    return service.identity()
