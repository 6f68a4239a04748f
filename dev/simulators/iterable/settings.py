"""Iterable's switches. Where the contract is UNCONFIRMED, the default is the reading that forgives a client least."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common import settings
from dev.simulators.common.windows import Rate

PROJECT = 10216

STANDARD_KEY = "iterable-standard-key"
MOBILE_KEY = "iterable-mobile-key"
EU_KEY = "iterable-eu-key"


class Key(BaseModel):
    """An API key: it belongs to one project in one data centre."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: int = PROJECT
    type: Literal["Standard", "Mobile", "JavaScript", "JWT"] = "Standard"
    data_center: Literal["US", "EU"] = "US"
    disabled: bool = False


def _keys() -> dict[str, Key]:
    return {STANDARD_KEY: Key(), MOBILE_KEY: Key(type="Mobile"), EU_KEY: Key(data_center="EU")}


def _rates() -> dict[str, Rate]:
    """Contract section 8: per project; subscribe and unsubscribe have no published rate."""
    return {
        "GET /api/lists": Rate(calls=100, seconds=1),
        "GET /api/channels": Rate(calls=100, seconds=1),
        "GET /api/lists/getUsers": Rate(calls=5, seconds=60),
        "GET /api/lists/previewUsers": Rate(calls=5, seconds=60),
        "GET /api/lists/{listId}/size": Rate(calls=5, seconds=60),
        "POST /api/users/bulkUpdate": Rate(calls=5, seconds=1),
        "GET /api/users/getByEmail": Rate(calls=100, seconds=1),
        "GET /api/users/{email}": Rate(calls=100, seconds=1),
        "GET /api/users/getFields": Rate(calls=3, seconds=1),
        "GET /api/export/data.json": Rate(calls=4, seconds=60),
    }


class Settings(settings.Settings):
    """`README.md` says what each switch does and which defaults are assumptions."""

    rates: dict[str, Rate] = Field(default_factory=_rates)

    data_center: Literal["US", "EU"] = "US"
    keys: dict[str, Key] = Field(default_factory=_keys)
    project_type: Literal["email", "hybrid"] = "email"

    drop_unknown_fields: bool = False
    type_mismatch: Literal["row", "batch"] = "row"
    unique_fields: int = Field(default=1000, ge=1)
    longest_value: int = Field(default=32_000, ge=1)
    known_domains_only: bool = True

    most_rows: int = Field(default=1000, ge=1)
    most_bytes: int = Field(default=4_000_000, ge=1)
    too_large_status: Literal[400, 413] = 400

    new_list_invalid_seconds: float = Field(default=0.0, ge=0)
    new_list_invalid_calls: int = Field(default=0, ge=0)
    invalid_list_status: Literal[400, 500] = 400
    duplicate_list_names: bool = True
    longest_list_name: int | None = Field(default=None, ge=1)

    unsubscribe_creates_unknown: bool = True
    channel_unsubscribe_default: bool = True
    duplicate_rows: Literal["last_wins", "first_wins"] = "last_wins"
    no_ops: Literal["counted", "listed"] = "counted"
    answer_shape: Literal["full", "minimal"] = "full"
