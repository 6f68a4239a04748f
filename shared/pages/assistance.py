"""Parts of forms that the server fills in: the next times of a schedule, the lists of a connection."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from shared.access.actions import Action
from shared.catalog.issues import Invalid, issues_of
from shared.catalog.models import Schedule
from shared.control import assistance
from shared.control.service import Service
from shared.errors import ExportError
from shared.pages.errors import PageRoute, words
from shared.pages.forms import Form, group
from shared.pages.rendering import page
from shared.pages.schedule_form import schedule_of, shape_from
from shared.vendors.contract import TargetFound
from shared.web.wiring import TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)

KEPT_SECONDS = 60.0
"""Lists of a connection are remembered for so long: a form asks for them again and again, and vendors count."""
_kept: dict[tuple[str, str], tuple[float, Sequence[TargetFound]]] = {}


@router.post("/schedule/next", dependencies=[Depends(allowed(Action.SEE_EXPORTS))])
def next_times(request: Request, service: TheService, form: Form) -> Response:
    """When the schedule of a form would fire."""
    values, issues = schedule_of(shape_from(group(form, "schedule")))
    try:
        times = assistance.next_of(service, Schedule.model_validate(values)) if not issues else []
    except ValidationError as error:
        times, issues = [], issues_of(error.errors())
    except Invalid as error:
        times, issues = [], list(error.issues)
    problems = [] if values["kind"] != "cron" else [issue.message for issue in issues]
    return page(request, "_next_times.html", times=times, problems=problems)


@router.get("/connections/{name}/lists", dependencies=[Depends(allowed(Action.SEE_TARGETS))])
def lists(
    name: str,
    request: Request,
    service: TheService,
    target: Annotated[int, Query(ge=0, le=100)] = 0,
    chosen: Annotated[str, Query(max_length=200)] = "",
    also: Annotated[str, Query(pattern="^(also-[0-9]{1,2}-)?$")] = "",
) -> Response:
    """The lists of a connection to choose from; where the vendor cannot be asked, a field for the id. `also` begins the
    ids of another connection's part of the form."""
    held = service.catalog.connection(name)
    try:
        found, problem = _lists(service, name, held.etag), ""
    except ExportError as error:
        found, problem = [], words(error)
    return page(
        request,
        "_lists.html",
        found=found,
        problem=problem,
        target=target,
        chosen=chosen,
        dash=also,
        pre=also.replace("-", "."),
    )


def _lists(service: Service, name: str, version: str) -> Sequence[TargetFound]:
    at, found = _kept.get((name, version), (float("-inf"), ()))
    if time.monotonic() - at > KEPT_SECONDS:
        found = sorted(service.connection_targets(name), key=lambda each: each.name.casefold())
        _kept.clear()
        _kept[name, version] = (time.monotonic(), found)
    return found
