"""People: forgetting one."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from shared.access.actions import Action
from shared.access.audit import salted
from shared.control.views import View
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheService, allowed, named

router = APIRouter(prefix="/api/v1", tags=["people"], generate_unique_id_function=named)


class AddressInput(BaseModel):
    """A person, by address; always in a body and never in a URL."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: str = Field(min_length=1, max_length=320)


class Forgotten(View):
    """How many ledgers and runs held the address. What stays is a record with a salted hash."""

    ledgers: int
    runs: int


@router.post(
    "/forget",
    dependencies=[Depends(allowed(Action.FORGET_PERSON))],
    summary="Forget a person",
    responses=responses(400, 403, 409, 422),
)
def forget_person(sent: AddressInput, service: TheService, caller: TheCaller, change: TheChange) -> Forgotten:
    """Erases an address from ledgers, plans and reports. Nobody is taken off a list by this, and a segment that still
    has the address brings it back. Refused while a run is under way."""
    change.note(person=salted(sent.address))
    return Forgotten.model_validate(service.forget(sent.address, caller.name))
