"""Runs of an export: what happened, who was refused, and steering a run that is under way.

Whoever has the function key starts one with `POST /api/v1/exports/{name}/run`, a function of its own.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from shared.access.actions import Action
from shared.access.audit import Change
from shared.access.person import KEY_HOLDER
from shared.access.visitors import Access, Closed, NoAccess
from shared.catalog.issues import NotFound
from shared.catalog.models import MAX_SEGMENTS
from shared.control.runs import Decision, PlannedView, RejectedRow, Report, RunPage, RunView, StartInput
from shared.control.service import Service
from shared.control.views import View
from shared.delivery.start.starting import Started
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheService, allowed, named, plain_names
from shared.wording import Said

POLL_SECONDS = "2"

router = APIRouter(
    prefix="/api/v1/exports/{name}/runs",
    tags=["runs"],
    dependencies=[Depends(plain_names)],
    generate_unique_id_function=named,
)

WhichTarget = Annotated[int, Query(ge=0, lt=MAX_SEGMENTS, description="Which of the run's targets, from 0.")]


class BesideRun(View):
    """The run on another connection of the export; without `run` it was not started, and `message` says why."""

    export: str
    connection: str
    run: str | None
    message: Said = ""


class StartedRun(View):
    """The run that was asked for; `new` is false where it was under way already. `beside`: those on the export's other
    connections."""

    run: str
    export: str
    state: State
    new: bool
    beside: tuple[BesideRun, ...] = ()


class Operation(View):
    """One operation of a plan."""

    operation: str = Field(description="add, change, remove; refused or kept back for a row that makes none.")
    address: str
    values: dict[str, Any]
    reason: Said = ""


@router.get(
    "",
    dependencies=[Depends(allowed(Action.SEE_RUNS))],
    summary="List the runs of an export",
    responses=responses(403, 404, 422),
)
def list_runs(
    name: str,
    service: TheService,
    caller: TheCaller,
    top: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
    token: Annotated[str | None, Query(alias="continue", max_length=2000, description="`next` of a page.")] = None,
) -> RunPage:
    """Newest first. The runs of a deleted export can still be read."""
    page = service.runs.page(name, top=top, continuation=token)
    if not page.runs and token is None:
        service.catalog.export(name)
    return page


@router.post(
    "",
    dependencies=[Depends(allowed(Action.START_RUN))],
    summary="Start a run",
    status_code=202,
    responses=responses(400, 403, 404, 409, 422),
)
def start_run(
    name: str,
    service: TheService,
    caller: TheCaller,
    change: TheChange,
    response: Response,
    sent: StartInput | None = None,
) -> StartedRun:
    """Starts the export, or gives its active run back; `Location` is where to look how it goes."""
    service.catalog.export(name)
    started = service.begin(name, (sent or StartInput()).kind, by=caller.name)
    run = started.run
    change.note(run=run.run, kind=str(run.kind), new=started.new)
    response.headers.update({"Location": f"/api/v1/exports/{name}/runs/{run.run}", "Retry-After": POLL_SECONDS})
    return answer(started)


@router.get(
    "/{run}", dependencies=[Depends(allowed(Action.SEE_RUNS))], summary="Read a run", responses=responses(403, 404)
)
def read_run(name: str, run: str, service: TheService, caller: TheCaller) -> RunView:
    """Its state, progress and counts, target by target."""
    return _found(service.runs.view(name, run), run)


@router.get(
    "/{run}/report",
    dependencies=[Depends(allowed(Action.SEE_RUNS))],
    summary="Read the report of a run",
    responses=responses(403, 404),
)
def read_report(name: str, run: str, service: TheService, caller: TheCaller) -> Report:
    """What was read, and why people were refused. There is none before a run ends."""
    report = service.runs.report(name, run)
    if report is None:
        raise NotFound("report of a run", run)
    return report


@router.get(
    "/{run}/plan",
    dependencies=[Depends(allowed(Action.SEE_RUNS))],
    summary="Read what a run planned",
    responses=responses(403, 404, 422),
)
def read_plan(name: str, run: str, service: TheService, caller: TheCaller, target: WhichTarget = 0) -> PlannedView:
    """What the plan of one of its targets was made of, who is kept back and refused, and, where very many people would
    join at once, the numbers that a person decides by. It holds no address. There is none before a run has planned."""
    found = service.runs.planned(name, _found(service.runs.view(name, run), run).run, target)
    if found is None:
        raise NotFound("plan of a run", run)
    return found


@router.get(
    "/{run}/rejected",
    summary="Read examples of the people who were refused",
    dependencies=[Depends(allowed(Action.SEE_REJECTED))],
    responses=responses(403, 404, 422),
)
def read_rejected_examples(
    name: str,
    run: str,
    service: TheService,
    response: Response,
    target: WhichTarget = 0,
) -> list[RejectedRow]:
    """A few for each reason, with addresses."""
    _found(service.runs.view(name, run), run)
    response.headers["Cache-Control"] = "no-store"
    return list(service.runs.rejected_rows(name, run, target))


@router.get(
    "/{run}/sample",
    dependencies=[Depends(allowed(Action.SEE_SAMPLE))],
    summary="Read what a dry run, or a run that waits for a decision, would send",
    responses=responses(403, 404, 422),
)
def read_sample(
    name: str, run: str, service: TheService, caller: TheCaller, target: Annotated[int, Query(ge=0, le=100)] = 0
) -> list[Operation]:
    """A few operations of each kind, with addresses, reasons, and values as the vendor would get them."""
    found = service.runs.sample(name, run, target)
    if found is None:
        raise NotFound("sample of a run", run)
    return [Operation.model_validate(each) for each in found]


@router.post(
    "/{run}/cancel",
    dependencies=[Depends(allowed(Action.CANCEL_RUN))],
    summary="Cancel a run",
    status_code=202,
    responses=responses(403, 404, 409),
)
def cancel_run(name: str, run: str, service: TheService, caller: TheCaller) -> RunView:
    """It stops before its next batch; what was delivered stays, and is reported."""
    return _found(service.cancel(name, run), run)


@router.post(
    "/{run}/decision",
    dependencies=[Depends(allowed(Action.DECIDE_RUN))],
    summary="Decide what becomes of a blocked run",
    status_code=202,
    responses=responses(400, 403, 404, 409, 422),
)
def decide_run(
    name: str, run: str, sent: Decision, service: TheService, caller: TheCaller, change: TheChange
) -> RunView:
    """Deliver all, deliver additions and hold removals, or discard. `plan` is the one that was looked at."""
    change.note(plan=sent.plan, decision=sent.decision)
    return _found(service.decide(name, run, plan=sent.plan, decision=sent.decision, by=caller.name), run)


BY_KEY = (RunKind.DELIVERY, RunKind.DRY_RUN, RunKind.REHEARSAL)
"""What the function key, which everyone has who automates exports, may start of every export: nothing that takes a
list apart or sends everyone again. An export may allow more."""


def start_by_key(service: Service, access: Access, name: str, body: bytes) -> Started:
    """Start the export with the function key, which the Functions host has checked, or give its active run back.

    Raises Closed where the app lets nobody in, NotFound, Invalid, Forbidden and Unprocessable.
    """
    if isinstance(access, NoAccess):
        raise Closed
    with service.trail.change(KEY_HOLDER, Action.START_RUN, Change(f"export {name}")) as change:
        allowed = service.catalog.export(name).item.function_key_starts
        started = service.start(name, body, only=(*BY_KEY, *map(RunKind, allowed)))
        change.note(run=started.run.run, kind=str(started.run.kind), new=started.new)
        return started


def answer(started: Started) -> StartedRun:
    """What is told of a run that was asked for."""
    beside = tuple(
        BesideRun(
            export=each.export,
            connection=each.connection,
            run=each.run.run if each.run else None,
            message=each.message,
        )
        for each in started.beside
    )
    run = started.run
    return StartedRun(run=run.run, export=run.export, state=run.state, new=started.new, beside=beside)


def _found(run: RunView | None, name: str) -> RunView:
    if run is None:
        raise NotFound("run", name)
    return run
