"""People: forgetting one."""

from __future__ import annotations

from fastapi import APIRouter

from shared.api.problems import responses
from shared.api.views import AddressInput, Forgotten
from shared.api.wiring import TheCaller, TheService
from shared.catalog.issues import Forbidden

router = APIRouter(prefix="/api/v1", tags=["people"])


@router.post("/forget", summary="Forget a person", responses=responses(400, 403, 409, 422))
def forget_person(sent: AddressInput, service: TheService, caller: TheCaller) -> Forgotten:
    """Erases an address from ledgers, plans and reports. Nobody is taken off a list by this, and a segment that still
    has the address brings it back. Refused while a run is under way."""
    if not caller.administrator:
        raise Forbidden("Only administrators may forget people.")
    return Forgotten.model_validate(service.forget(sent.address, caller.name))
