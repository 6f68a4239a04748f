"""People: forgetting one."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.access.actions import Action
from shared.access.audit import salted
from shared.catalog.issues import NotFound
from shared.control.forgetting import ForgettingView
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheService, allowed, named

POLL_SECONDS = "5"

router = APIRouter(prefix="/api/v1", tags=["people"], generate_unique_id_function=named)


class AddressInput(BaseModel):
    """A person, by address; always in a body and never in a URL."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: str = Field(min_length=1, max_length=320)


@router.post(
    "/forget",
    dependencies=[Depends(allowed(Action.FORGET_PERSON))],
    summary="Forget a person",
    status_code=202,
    responses=responses(400, 403, 422),
)
def forget_person(
    sent: AddressInput, service: TheService, caller: TheCaller, change: TheChange, response: Response
) -> ForgettingView:
    """Starts to erase an address from ledgers, plans and reports, wherever no delivery needs it any more; runs go on
    meanwhile. A request for the same person that is under way is told instead of starting another. Nobody is taken off
    a list by this, and a segment that still has the address brings it back."""
    change.note(person=salted(sent.address))
    started = service.forget(sent.address, caller.name)
    response.headers.update({"Location": f"/api/v1/forget/{started.id}", "Retry-After": POLL_SECONDS})
    return started


@router.get(
    "/forget",
    dependencies=[Depends(allowed(Action.FIND_PERSON))],
    summary="List requests to forget people",
    responses=responses(403),
)
def list_requests(service: TheService, caller: TheCaller) -> Sequence[ForgettingView]:
    """Those that are under way, then the newest that ended, 50 at the most."""
    return service.forgettings()


@router.get(
    "/forget/{request}",
    dependencies=[Depends(allowed(Action.FIND_PERSON))],
    summary="Read a request to forget a person, or its certificate",
    responses=responses(403, 404),
)
def read_request(request: str, service: TheService, caller: TheCaller) -> ForgettingView:
    """It holds no address, but a salted hash, by which whoever has the address can tell that it is about it."""
    found = service.forgetting(request)
    if found is None:
        raise NotFound("request", request)
    return found
