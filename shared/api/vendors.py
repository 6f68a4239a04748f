"""GET /api/v1/vendors: what a connection and its data matching may hold."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from shared.access.actions import Action
from shared.api.views import VendorView
from shared.catalog.issues import NotFound
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheService, allowed

router = APIRouter(prefix="/api/v1/vendors", tags=["vendors"])


@router.get(
    "", dependencies=[Depends(allowed(Action.SEE_VENDORS))], summary="List the vendors", responses=responses(403)
)
def list_vendors(service: TheService, caller: TheCaller) -> list[VendorView]:
    """Their settings, credentials and fields."""
    definitions = service.catalog.definitions
    return [VendorView.model_validate(definitions[name]) for name in sorted(definitions)]


@router.get(
    "/{vendor}",
    dependencies=[Depends(allowed(Action.SEE_VENDORS))],
    summary="Read one vendor",
    responses=responses(403, 404),
)
def read_vendor(vendor: str, service: TheService, caller: TheCaller) -> VendorView:
    """Its settings, credentials and fields."""
    definition = service.catalog.definitions.get(vendor)
    if definition is None:
        raise NotFound("vendor", vendor)
    return VendorView.model_validate(definition)
