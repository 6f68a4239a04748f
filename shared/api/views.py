"""What the API alone answers. Times have a time zone."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.catalog.models import SettingValue
from shared.control.views import View
from shared.vendors.contract import FieldType


class Health(View):
    """The app answers."""

    status: Literal["ok"] = "ok"
    version: str


class Ready(View):
    """Everything that a run needs is within reach."""

    status: Literal["ready"] = "ready"
    version: str


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
    target_word: str = Field(description="What the vendor calls a target: list, tag.")
    oauth: OAuthView | None = Field(default=None, description="Null where the vendor has no such sign-in.")

    @field_validator("reserved_fields", mode="before")
    @classmethod
    def _in_order(cls, names: frozenset[str]) -> tuple[str, ...]:
        return tuple(sorted(names))


class ConnectionName(View):
    """What people who are not administrators see of a connection."""

    name: str
    display_name: str
    vendor: str
    usable: bool = Field(description="You may put exports on it.")


class AuthorizationView(View):
    """A sign-in at a vendor that was begun."""

    url: str = Field(description="The vendor's page, to open in a browser.")
    expires_at: datetime = Field(description="Until then the person may come back.")


class TargetChoice(View):
    """A list or tag that an export may be given, with what the vendor tells of it that people should know."""

    list_id: str
    name: str
    warnings: tuple[str, ...] = ()


class AddressInput(BaseModel):
    """A person, by address; always in a body and never in a URL."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: str = Field(min_length=1, max_length=320)


class Forgotten(View):
    """How many ledgers and runs held the address. What stays is a record with a salted hash."""

    ledgers: int
    runs: int
