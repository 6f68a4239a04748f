"""What is done to several exports at once, from their list."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from shared.access.actions import Action
from shared.catalog.issues import Invalid, Issue, issues_of
from shared.catalog.models import Schedule
from shared.catalog.schedules import schedule_issues
from shared.control import several
from shared.control.service import Service
from shared.control.several import Deed, Order
from shared.pages.asking import TheAsked
from shared.pages.errors import PageRoute
from shared.pages.exports import listed
from shared.pages.forms import Form, Values, group, one_of, text
from shared.pages.rendering import page
from shared.pages.schedule_form import ScheduleShape, schedule_of, shape_from, zones
from shared.web.wiring import TheCaller, TheService, allowed
from shared.wording import say

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_ASK_FIRST = frozenset({Deed.SCHEDULE, Deed.WITHDRAW, Deed.DETACH, Deed.REMOVE})
"""What is done only after a page that says what it means."""


@router.post("/exports/run-all", dependencies=[Depends(allowed(Action.START_RUN))])
def run_all(request: Request, service: TheService, caller: TheCaller, asked: TheAsked) -> Response:
    """Run every export with an active schedule."""
    return listed(request, service, asked, Deed.RUN, several.run_all(service, caller))


@router.post("/exports/several", dependencies=[Depends(allowed(Action.EDIT_EXPORT))])
def do_to_several(request: Request, service: TheService, caller: TheCaller, form: Form, asked: TheAsked) -> Response:
    """Do one thing to those that were chosen, after asking where it matters."""
    names = [str(name) for name in form.get("exports", ())]
    if not names:
        raise Invalid([Issue("/exports", say("Choose at least one export."))])
    deed = one_of(Deed, text(form, "do"), "/do")
    if deed in _ASK_FIRST and "sure" not in form:
        return _ask(request, service, deed, names)
    schedule, issues = _schedule(form) if deed is Deed.SCHEDULE else (None, [])
    if issues:
        return _ask(request, service, deed, names, shape_from(group(form, "schedule")), issues)
    order = Order(deed, schedule, keep_members=text(form, "keep_members") == "on")
    return listed(request, service, asked, deed, several.carry_out(service, caller, names, order))


def _ask(
    request: Request,
    service: Service,
    deed: Deed,
    names: list[str],
    shape: ScheduleShape | None = None,
    issues: list[Issue] | None = None,
) -> Response:
    exports = [service.catalog.export(name).item for name in names]
    errors = {issue.pointer: issue.message for issue in issues or ()}
    shown: dict[str, Any] = {"values": shape or ScheduleShape(kind="cron"), "zones": zones(), "errors": errors}
    return page(request, "several.html", status=422 if errors else 200, deed=deed, exports=exports, **shown)


def _schedule(form: Values) -> tuple[Schedule | None, list[Issue]]:
    values, issues = schedule_of(shape_from(group(form, "schedule")))
    try:
        schedule = Schedule.model_validate(values)
    except ValidationError as error:
        return None, issues_of(error.errors())
    return schedule, [*issues, *schedule_issues(schedule)]
