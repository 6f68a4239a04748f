"""Exports: read, save, delete. Saving never runs anything."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response

from shared.api.problems import responses
from shared.api.service import Service
from shared.api.views import UNFINISHED, ExportView, IssueView
from shared.api.wiring import TheCaller, TheConditions, TheService, stamp
from shared.catalog.issues import Issue
from shared.catalog.models import Export, ExportInput
from shared.catalog.schedules import next_times

NEXT_TIMES = 5

router = APIRouter(prefix="/api/v1/exports", tags=["exports"])


@router.get("", summary="List the exports", responses=responses(403))
def list_exports(service: TheService, caller: TheCaller) -> list[ExportView]:
    """By name, each with its next times and how it last went."""
    return [_view(held.item, service) for held in service.catalog.exports.all()]


@router.get("/{name}", summary="Read an export", responses=responses(403, 404))
def read_export(name: str, service: TheService, caller: TheCaller, response: Response) -> ExportView:
    """Its `ETag` is the version to send as If-Match."""
    held = service.catalog.export(name)
    stamp(response, held.etag)
    return _view(held.item, service)


@router.put(
    "/{name}",
    summary="Create or replace an export",
    responses={201: {"model": ExportView, "description": "Created"}, **responses(400, 403, 409, 412, 422)},
)
def save_export(
    name: str,
    sent: ExportInput,
    service: TheService,
    caller: TheCaller,
    conditions: TheConditions,
    response: Response,
) -> ExportView:
    """Saving never runs anything. The answer has warnings and the next five times. What only the server writes is
    ignored, so an answer may be sent back, also under another name to make a copy."""
    catalog = service.catalog
    held = catalog.exports.get(name)
    conditions.require(held.etag if held else None)
    running = held is not None and _running(name, service)
    saved, warnings = catalog.save_export(name, sent, caller, held, running=running)
    stamp(response, saved.etag, created_at=None if held else f"/api/v1/exports/{name}")
    return _view(saved.item, service, warnings)


@router.delete(
    "/{name}",
    summary="Delete an export",
    status_code=204,
    response_class=Response,
    responses=responses(403, 404, 409, 412),
)
def delete_export(name: str, service: TheService, caller: TheCaller, conditions: TheConditions) -> None:
    """Frees its targets; nobody is taken off a list by this. Refused while a run is under way."""
    held = service.catalog.export(name)
    conditions.require(held.etag)
    service.catalog.delete_export(held, caller, running=_running(name, service))


def _running(name: str, service: Service) -> bool:
    last = service.last_run(name)
    return last is not None and last.state in UNFINISHED


def _view(export: Export, service: Service, warnings: Sequence[Issue] = ()) -> ExportView:
    times = [] if export.paused else next_times(export.schedule, service.catalog.now(), NEXT_TIMES)
    return ExportView(
        **dict(export),
        next_times=tuple(times),
        last_run=service.last_run(export.name),
        warnings=tuple(IssueView.model_validate(warning) for warning in warnings),
    )
