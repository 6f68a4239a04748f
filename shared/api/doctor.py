"""The doctor of an export's targets: start a check-up, read it, and fetch who differs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.access.actions import Action
from shared.api.links import LINKED, AsJson, linked
from shared.catalog.models import MAX_SEGMENTS
from shared.control.check_ups import CheckUpView, Doctor
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheService, allowed, named, plain_names

POLL_SECONDS = "5"

router = APIRouter(
    prefix="/api/v1/exports/{name}/doctor",
    tags=["exports"],
    dependencies=[Depends(plain_names)],
    generate_unique_id_function=named,
)
WhichTarget = Annotated[int, Query(ge=0, lt=MAX_SEGMENTS, description="Which of the export's targets, from 0.")]


class CheckUpInput(BaseModel):
    """What to check. In full, everyone on the target is read; else their number only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: int = Field(default=0, ge=0, lt=MAX_SEGMENTS, description="Which of the export's targets, from 0.")
    full: bool = True


@router.get(
    "",
    dependencies=[Depends(allowed(Action.SEE_EXPORTS))],
    summary="Read the latest check-up of a target",
    responses=responses(403, 404, 422),
)
def read_check_up(name: str, service: TheService, caller: TheCaller, target: WhichTarget = 0) -> Doctor:
    """With how many requests to the vendor another one takes."""
    return service.doctor(name, target)


@router.post(
    "",
    dependencies=[Depends(allowed(Action.CHECK_TARGET))],
    summary="Check a target's record against its vendor",
    status_code=202,
    responses=responses(400, 403, 404, 409, 422),
)
def check_target(
    name: str,
    service: TheService,
    caller: TheCaller,
    change: TheChange,
    response: Response,
    sent: CheckUpInput | None = None,
) -> CheckUpView:
    """Compares what the export has put on the target with what the vendor shows; nothing is changed. A check-up that is
    under way is told instead of starting another."""
    asked = sent or CheckUpInput()
    change.note(target=asked.target, full=asked.full)
    started = service.start_check_up(name, asked.target, full=asked.full, by=caller.name)
    where = f"/api/v1/exports/{name}/doctor?target={asked.target}"
    response.headers.update({"Location": where, "Retry-After": POLL_SECONDS})
    return started


@router.get(
    "/differences.csv",
    dependencies=[Depends(allowed(Action.SEE_REJECTED))],
    summary="Fetch the people who differ",
    **LINKED,
)
def read_differences(
    name: str,
    service: TheService,
    caller: TheCaller,
    target: WhichTarget = 0,
    link: AsJson = None,
) -> Response:
    """One row per person, of the latest full check-up. The file holds addresses: it is kept for a day, and the link
    works for minutes."""
    service.catalog.export(name)
    return linked(service.differences_link(name, target), link, "list of people who differ", name)
