"""Exports: read, save, delete. Saving never runs anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.problems import responses
from shared.api.service import Service
from shared.api.views import UNFINISHED, AddressInput, Explanation, ExportView, IssueView
from shared.api.wiring import TheCaller, TheConditions, TheService, stamp
from shared.catalog.issues import Issue, NotNow
from shared.catalog.models import Export, ExportInput, Mode
from shared.catalog.schedules import next_times
from shared.catalog.targets import target_key

NEXT_TIMES = 5

KeepMembers = Annotated[bool, Query(description="Leave people on lists that this export gives up.")]

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
    keep_members: KeepMembers = False,
) -> ExportView:
    """Saving never runs anything. The answer has warnings and the next five times. What only the server writes is
    ignored, so an answer may be sent back, also under another name to make a copy."""
    catalog = service.catalog
    held = catalog.exports.get(name)
    conditions.require(held.etag if held else None)
    running = held is not None and _running(name, service)
    effects = _effects(held.item, sent, service, keep_members) if held else []
    saved, warnings = catalog.save_export(name, sent, caller, held, running=running)
    stamp(response, saved.etag, created_at=None if held else f"/api/v1/exports/{name}")
    return _view(saved.item, service, [*effects, *warnings])


@router.delete(
    "/{name}",
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
    _keep(sum(service.members(held.item).values()), keep_members)
    service.catalog.delete_export(held, caller, running=_running(name, service))


@router.post("/{name}/explain", summary="Explain one person", responses=responses(400, 403, 404, 409, 422))
def explain_person(name: str, sent: AddressInput, service: TheService, caller: TheCaller) -> Explanation:
    """Why this person is or is not on the list: snapshot, checks, ledger and the last receipts. Reads the snapshot."""
    return Explanation.model_validate(service.explain(name, sent.address))


def _effects(before: Export, after: ExportInput, service: Service, keep_members: bool) -> list[Issue]:
    """What a change means for people on the lists. Raises NotNow where a dropped target still has some of ours."""
    members = service.members(before)
    staying = {target_key(target) for target in after.targets}
    _keep(sum(count for key, count in members.items() if key not in staying), keep_members)
    again = sum(count for key, count in members.items() if key in staying)
    effects = []
    if again and (before.matching, before.address_column) != (after.matching, after.address_column):
        effects.append(
            Issue("/matching", f"The data matching changed: {again:,} people are sent again by the next run.")
        )
    if before.mode is Mode.ADD and after.mode is Mode.MIRROR and again:
        effects.append(Issue("/mode", "The next run takes off everyone who left the segment since they were added."))
    return effects


def _keep(left: int, keep_members: bool) -> None:
    if left and not keep_members:
        raise NotNow(
            "members_left",
            f"{left:,} people whom this export added are on its lists. Run it with the kind 'withdraw' first to take "
            "them off, or repeat this with keep_members=true to leave them there.",
        )


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
