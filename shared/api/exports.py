"""Exports: read, save, delete. Saving never runs anything."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from shared.access.actions import Action
from shared.api.doctor import WhichTarget
from shared.api.people import AddressInput
from shared.catalog.models import ExportInput
from shared.control import exports as control
from shared.control.exports import ExportView
from shared.control.runs import RunPoint
from shared.control.views import Explanation, View
from shared.web.downloads import csv_answer
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheConditions, TheService, allowed, named, stamp

KeepMembers = Annotated[bool, Query(description="Leave people on lists that this export gives up.")]

router = APIRouter(prefix="/api/v1/exports", tags=["exports"], generate_unique_id_function=named)


class Proposal(View):
    """A definition that is not saved yet, and a free name for it."""

    name: str
    definition: ExportInput


@router.get(
    "", dependencies=[Depends(allowed(Action.SEE_EXPORTS))], summary="List the exports", responses=responses(403)
)
def list_exports(service: TheService, caller: TheCaller) -> list[ExportView]:
    """By name, each with its next times and how it last went."""
    return control.views(service)


@router.get(
    "/{name}",
    dependencies=[Depends(allowed(Action.SEE_EXPORTS))],
    summary="Read an export",
    responses=responses(403, 404),
)
def read_export(name: str, service: TheService, caller: TheCaller, response: Response) -> ExportView:
    """Its `ETag` is the version to send as If-Match."""
    held = service.catalog.export(name)
    stamp(response, held.etag)
    return control.view(held.item, service)


@router.put(
    "/{name}",
    dependencies=[Depends(allowed(Action.EDIT_EXPORT))],
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
    keep_members: KeepMembers = False,
) -> ExportView:
    """Saving never runs anything. The answer has warnings and the next five times. What only the server writes is
    ignored, so an answer may be sent back, also under another name to make a copy."""
    held = service.catalog.exports.get(name)
    conditions.require(held.etag if held else None)
    saved, warnings = control.save(service, name, sent, caller, held, keep_members=keep_members)
    stamp(response, saved.etag, created_at=None if held else f"/api/v1/exports/{name}")
    return control.view(saved.item, service, warnings)


@router.post(
    "/{name}/validate",
    dependencies=[Depends(allowed(Action.SEE_EXPORTS))],
    summary="Check what saving an export would do",
    responses=responses(400, 403, 409, 412, 422),
)
def validate_export(
    name: str,
    sent: ExportInput,
    service: TheService,
    caller: TheCaller,
    conditions: TheConditions,
    keep_members: KeepMembers = False,
) -> ExportView:
    """Every check that saving makes, with its refusals and warnings, for those who may save it. Nothing is saved."""
    held = service.catalog.exports.get(name)
    conditions.require(held.etag if held else None)
    item, warnings = control.check(service, name, sent, caller, held, keep_members=keep_members)
    return control.view(item, service, warnings)


@router.delete(
    "/{name}",
    dependencies=[Depends(allowed(Action.REMOVE_EXPORT))],
    summary="Delete an export",
    status_code=204,
    response_class=Response,
    responses=responses(403, 404, 409, 412),
)
def delete_export(
    name: str, service: TheService, caller: TheCaller, conditions: TheConditions, keep_members: KeepMembers = False
) -> None:
    """Frees its targets. Refused while a run is under way, and while people whom it added are on its lists, unless
    they may stay there: nobody is taken off a list by this."""
    held = service.catalog.export(name)
    conditions.require(held.etag)
    control.delete(service, held, caller, keep_members=keep_members)


@router.post(
    "/{name}/explain",
    dependencies=[Depends(allowed(Action.EXPLAIN_PERSON))],
    summary="Explain one person",
    responses=responses(400, 403, 404, 409, 422),
)
def explain_person(name: str, sent: AddressInput, service: TheService, caller: TheCaller) -> Explanation:
    """Why this person is or is not on the list: snapshot, checks, ledger and the last receipts. Reads the snapshot."""
    return Explanation.model_validate(service.explain(name, sent.address))


@router.get(
    "/{name}/members.csv",
    dependencies=[Depends(allowed(Action.SEE_MEMBERS))],
    summary="Fetch who was on a list on a day",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {}}, "description": "One row per person"},
        **responses(403, 404, 409, 422),
    },
)
def read_members(
    name: str,
    service: TheService,
    caller: TheCaller,
    day: Annotated[date, Query(description="At its end, UTC.")],
    target: WhichTarget = 0,
) -> Response:
    """Whom the export had, or may have had, on the list, by what was written down then; with the run that changed it
    last. People whom the service knows no more have a hash and no address."""
    return csv_answer(service.members_on(name, target, day), f"{name}-{day}.csv")


@router.get(
    "/{name}/history",
    summary="Read how an export did over time",
    dependencies=[Depends(allowed(Action.SEE_RUNS))],
    responses=responses(403, 404, 422),
)
def read_history(
    name: str, service: TheService, top: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 30
) -> list[RunPoint]:
    """Runs that ended, newest first: how long each took, and how many people were on the lists afterwards."""
    service.catalog.export(name)
    return list(service.runs.points(name, top=top))


@router.post(
    "/{name}/duplicate",
    summary="Propose a duplicate of an export",
    dependencies=[Depends(allowed(Action.SEE_EXPORTS))],
    responses=responses(403, 404),
)
def propose_duplicate(name: str, service: TheService) -> Proposal:
    """A free name, and a definition that can be saved under it: paused, with lists of its own. Saves nothing."""
    found, definition = control.copy(service, service.catalog.export(name).item)
    return Proposal(name=found, definition=definition)
