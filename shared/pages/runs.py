"""Pages of a run: how far it is, what became of whom, and what can be done about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from shared.access.actions import Action, may
from shared.access.person import Person
from shared.catalog.issues import Invalid, NotFound, issues_of
from shared.control.links import RunFile
from shared.control.runs import (
    UNFINISHED,
    Counts,
    Decision,
    DecisionWord,
    PlannedView,
    Reason,
    RejectedRow,
    Report,
    RunView,
    TargetRun,
)
from shared.control.service import Service
from shared.control.views import Explanation
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.errors import ExportError
from shared.pages.errors import PageRoute, words
from shared.pages.forms import Form, text
from shared.pages.rendering import page
from shared.web.wiring import TheCaller, TheService, allowed, plain_names, run_scope

router = APIRouter(
    prefix="/exports/{name}/runs/{run}",
    route_class=PageRoute,
    include_in_schema=False,
    dependencies=[Depends(plain_names)],
)

_MOVING = UNFINISHED - {State.BLOCKED}
_RETRIED = frozenset({"rejected", "unknown", "skipped"})


@dataclass(frozen=True, slots=True)
class Group:
    """People of one target with one outcome for one reason, and a few of them."""

    target: int
    reason: Reason
    rows: Sequence[RejectedRow]


@dataclass(frozen=True, slots=True)
class WaitingDecision:
    """A target that waits for a decision: its plan, beside what the last run counted, and a few of its people."""

    number: int
    target: TargetRun
    planned: PlannedView
    before: Counts | None
    people: Mapping[str, Sequence[Mapping[str, Any]]]


@router.get("", dependencies=[Depends(allowed(Action.SEE_RUNS))])
def show_run(
    name: str,
    run: str,
    request: Request,
    service: TheService,
    caller: TheCaller,
    asked: RunKind | None = None,
) -> Response:
    """One run. `asked` is the kind of a run that was asked for, and not started since this one is under way."""
    return _whole(request, service, caller, _run(service, name, run), asked=asked)


_LOOKS = ((5, 2), (15, 5))
"""Up to so many looks, the next one follows after so many seconds; each costs a second of an instance."""
_LATER = 10


def next_look(looks: int) -> int:
    """Seconds until an open page asks again: every 2 at first, every 5 within the first minute, then every 10."""
    return next((seconds for most, seconds in _LOOKS if looks < most), _LATER)


@router.get("/live", dependencies=[Depends(allowed(Action.SEE_RUNS))])
def live(
    name: str,
    run: str,
    request: Request,
    service: TheService,
    caller: TheCaller,
    looks: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The part of the page that changes while the run is under way; the whole page once it is not. `looks` counts how
    often this page has asked."""
    view = _run(service, name, run)
    if view.state in _MOVING:
        return page(request, "_live.html", run=view, again=True, looks=looks, next_look=next_look, alone=True)
    whole = {"HX-Retarget": "#page", "HX-Reselect": "#page", "HX-Reswap": "outerHTML"}
    return _whole(request, service, caller, view, headers=whole)


@router.post("/cancel", dependencies=[Depends(allowed(Action.CANCEL_RUN))])
def cancel(name: str, run: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """Ask the run to stop."""
    service.cancel(name, run)
    return _whole(request, service, caller, _run(service, name, run))


@router.post("/decision", dependencies=[Depends(allowed(Action.DECIDE_RUN))])
def decide(name: str, run: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Answer a guard, about the plan that the page showed."""
    try:
        said = Decision(plan=text(form, "plan"), decision=cast(DecisionWord, text(form, "decision")))
    except ValidationError as error:
        raise Invalid(issues_of(error.errors())) from None
    service.decide(name, run, plan=said.plan, decision=said.decision, by=caller.name)
    return _whole(request, service, caller, _run(service, name, run))


@router.post("/explain", dependencies=[Depends(allowed(Action.EXPLAIN_PERSON))])
def explain(name: str, run: str, request: Request, service: TheService, form: Form) -> Response:
    """Why one address is, or is not, on the export's lists."""
    try:
        found = Explanation.model_validate(service.explain(name, text(form, "address")))
    except ExportError as error:
        return page(request, "_explanation.html", explanation=None, problem=words(error))
    return page(request, "_explanation.html", explanation=found, problem="")


def _whole(
    request: Request,
    service: Service,
    caller: Person,
    view: RunView,
    headers: dict[str, str] | None = None,
    asked: RunKind | None = None,
) -> Response:
    export = service.catalog.exports.get(view.export)
    before = service.runs.before(view) if view.state is State.BLOCKED else None
    scope = run_scope(service, view.export, view)
    report = service.runs.report(view.export, view.run)
    return page(
        request,
        "run.html",
        headers=headers,
        run=view,
        export=export.item if export else None,
        scope=scope,
        report=report,
        groups=_groups(service, view, report, samples=may(caller, Action.SEE_REJECTED, scope)),
        sample=_sample(service, view) if may(caller, Action.SEE_SAMPLE, scope) else {},
        before=before,
        waiting=_waiting(service, view, before, samples=may(caller, Action.SEE_SAMPLE, scope)),
        moving=view.state in _MOVING,
        again=view.state in _MOVING,
        looks=0,
        next_look=next_look,
        alone=False,
        retries=_may_retry(view),
        asked=asked if view.state in UNFINISHED else None,
        left_out=_there(service, RunFile.LEFT_OUT, view),
        held_out=_there(service, RunFile.HOLDOUT, view) if report else [],
        rejected=_there(service, RunFile.REJECTED, view) if report else [],
    )


def _there(service: Service, file: RunFile, view: RunView) -> list[bool]:
    """Of each target of the run, whether it has this file."""
    return [service.runs.link(file, view.export, view.run, number) is not None for number, _ in enumerate(view.targets)]


def _may_retry(view: RunView) -> bool:
    """A delivery that ended and left something that a retry would send again."""
    left = any(getattr(target.counts, name) for target in view.targets for name in _RETRIED)
    return view.state not in UNFINISHED and left and not view.kind.only_looks


def _groups(service: Service, view: RunView, report: Report | None, *, samples: bool) -> list[Group]:
    if report is None:
        return []
    places = {target.target: index for index, target in enumerate(view.targets)}
    groups = []
    for index, reasons in _by_target(report, places).items():
        rows = list(service.runs.rejected_rows(view.export, view.run, index)) if samples else []
        groups += [Group(index, reason, [row for row in rows if row.code == reason.code]) for reason in reasons]
    return groups


def _by_target(report: Report, places: dict[str, int]) -> dict[int, list[Reason]]:
    found: dict[int, list[Reason]] = defaultdict(list)
    for reason in report.reasons:
        found[places.get(reason.target, 0)].append(reason)
    return found


def _sample(service: Service, view: RunView) -> dict[int, Any]:
    """What a dry run would send, by target."""
    if not view.kind.only_looks or view.state in UNFINISHED:
        return {}
    found = {index: service.runs.sample(view.export, view.run, index) for index, _ in enumerate(view.targets)}
    return {index: rows for index, rows in found.items() if rows}


def _waiting(service: Service, view: RunView, before: RunView | None, *, samples: bool) -> list[WaitingDecision]:
    counted = {target.target: target.counts for target in before.targets} if before else {}
    found = []
    for number, target in enumerate(view.targets):
        if target.state is not State.BLOCKED or not target.plan:
            continue
        people: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in (service.runs.sample(view.export, view.run, number) or []) if samples else []:
            people[row["operation"]].append(row)
        planned = service.runs.planned(view.export, view.run, number) or PlannedView()
        found.append(WaitingDecision(number, target, planned, counted.get(target.target), dict(people)))
    return found


def _run(service: Service, name: str, run: str) -> RunView:
    view = service.runs.view(name, run)
    if view is None:
        raise NotFound("run", run)
    return view
