"""GET /api/v1/vendors: what a connection and its data matching may hold."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from pydantic import Field, field_validator

from shared.access.actions import Action
from shared.catalog.issues import NotFound
from shared.catalog.models import SettingValue
from shared.control.views import View
from shared.vendors.contract import FieldType
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheService, allowed, named

router = APIRouter(prefix="/api/v1/vendors", tags=["vendors"], generate_unique_id_function=named)


class SettingView(View):
    """A setting or credential that a connection may have."""

    name: str
    label: str
    description: str
    type: FieldType
    required: bool
    default: SettingValue | None
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    made_at: tuple[str, ...] = Field(description="Of a credential: the menus at the vendor that lead to it.")


class FieldView(View):
    """A field that data matching can fill."""

    name: str
    label: str
    type: FieldType
    required: bool


class OAuthView(View):
    """A person may sign in at the vendor instead: `POST /api/v1/connections/{name}/authorize`."""

    credential: str = Field(description="Is never typed; it takes the place of all others.")
    scopes: tuple[str, ...]


class VendorView(View):
    """What a vendor is, for forms."""

    name: str
    label: str
    credentials: tuple[SettingView, ...]
    settings: tuple[SettingView, ...]
    fields: tuple[FieldView, ...]
    email_field: str
    custom_fields: bool
    reserved_fields: tuple[str, ...]
    max_profiles: int
    minutes_per_million: float = Field(description="What a million new people take; 0 where it was not measured.")
    target_word: str = Field(description="What the vendor calls a target: list, tag.")
    oauth: OAuthView | None = Field(default=None, description="Null where the vendor has no such sign-in.")

    @field_validator("reserved_fields", mode="before")
    @classmethod
    def _in_order(cls, names: frozenset[str]) -> tuple[str, ...]:
        return tuple(sorted(names))


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
