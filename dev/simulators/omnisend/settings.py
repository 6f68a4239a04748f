"""Omnisend's switches. Where the contract is UNCONFIRMED, the default is the reading that forgives a client least."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common import settings
from dev.simulators.common.windows import Rate

BRAND = "60a6170920d91c215e949b5c"
VERSION = "2026-03-15"

STANDARD_KEY = f"{BRAND}-standard"
CONTACTS_KEY = f"{BRAND}-contacts"
READING_KEY = f"{BRAND}-reading"

Scope = Literal[
    "brands.read",
    "contacts.read",
    "contacts.write",
    "segments.read",
    "segments.write",
    "products.read",
    "products.write",
    "events.read",
    "events.write",
]
Status = Literal["subscribed", "nonSubscribed", "unsubscribed"]
Version = Literal["current", "retired"]


class Key(BaseModel):
    """An API key: it belongs to one brand and may do what its scopes say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    brand: str = BRAND
    scopes: tuple[Scope, ...] = get_args(Scope)


def _keys() -> dict[str, Key]:
    return {
        STANDARD_KEY: Key(),
        CONTACTS_KEY: Key(scopes=("brands.read", "contacts.read", "contacts.write")),
        READING_KEY: Key(scopes=("brands.read", "contacts.read", "segments.read", "products.read", "events.read")),
    }


def _versions() -> dict[str, Version]:
    return {VERSION: "current"}


def _rates() -> dict[str, Rate]:
    """Contract section 6: per brand, all its keys together; "any" is the brand's whole budget."""
    return {
        "any": Rate(calls=400, seconds=60),
        "POST /api/contacts/tags": Rate(calls=60, seconds=60),
        "DELETE /api/contacts/tags": Rate(calls=60, seconds=60),
        "GET /api/segments": Rate(calls=100, seconds=60),
        "GET /api/segments/{segmentID}": Rate(calls=100, seconds=60),
        "GET /api/segments/{segmentID}/statistics": Rate(calls=100, seconds=60),
        "DELETE /api/segments/{segmentID}": Rate(calls=100, seconds=60),
        "POST /api/segments": Rate(calls=15, seconds=60),
        "PUT /api/segments/{segmentID}": Rate(calls=15, seconds=60),
    }


class Settings(settings.Settings):
    """`README.md` says what each switch does and which defaults are assumptions."""

    rates: dict[str, Rate] = Field(default_factory=_rates)
    retry_after: Literal["absent", "seconds", "http_date"] = "seconds"

    keys: dict[str, Key] = Field(default_factory=_keys)
    versions: dict[str, Version] = Field(default_factory=_versions)
    missing_version: Literal["refused", "current"] = "refused"
    batch_scopes: Literal["all", "contacts"] = "all"

    batch_pending_seconds: float = Field(default=0.05, ge=0)
    batch_seconds: float = Field(default=0.2, ge=0)
    tag_seconds: float = Field(default=0.1, ge=0)
    jitter_seconds: float = Field(default=0.0, ge=0)
    visible_seconds: float = Field(default=0.0, ge=0)
    segment_seconds: float = Field(default=0.1, ge=0)
    batch_kept_seconds: float = Field(default=7 * 86_400, ge=0)

    most_items: int = Field(default=100, ge=1)
    most_bytes: int = Field(default=1_000_000, ge=1)
    too_large_status: Literal[400, 413] = 413
    item_shape: Literal["legacy", "current"] = "legacy"
    finished_count: Literal["all", "successes"] = "all"
    put_contacts: Literal["refused", "update"] = "refused"
    stop_every: int | None = Field(default=None, ge=1)
    fail_items_every: int | None = Field(default=None, ge=1)
    fail_items_code: int = Field(default=503, ge=400, le=599)
    failing_addresses: dict[str, int] = Field(default_factory=dict)

    email_case: Literal["sensitive", "insensitive"] = "sensitive"
    new_contact_status: Status = "nonSubscribed"
    welcome: Literal["every_item", "newcomers", "off"] = "every_item"
    clearing: Literal["text", "all"] = "text"
    most_properties: int = Field(default=200, ge=1)
    longest_text: int = Field(default=2048, ge=1)

    tag_characters: Literal["sdk", "any"] = "sdk"
    longest_tag: int = Field(default=128, ge=1)
    tag_case: Literal["sensitive", "insensitive"] = "sensitive"
    tag_selects: Literal["at_call", "when_applied"] = "at_call"
    upsert_tags: Literal["replace", "merge"] = "replace"
    most_stored_tags: int = Field(default=100, ge=1)

    duplicate_segment_names: bool = True
