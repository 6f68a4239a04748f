"""Klaviyo's switches. Where the contract is UNCONFIRMED, the default is the reading that forgives a client least."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common import settings
from dev.simulators.common.windows import Rate
from dev.simulators.klaviyo.query import Longest

ACCOUNT = "AbC123"
REVISION = "2026-07-15"
_NEWEST = "2026-10-15"

STANDARD_KEY = f"pk_{ACCOUNT}_standard"
FLOWS_KEY = f"pk_{ACCOUNT}_flows"
READING_KEY = f"pk_{ACCOUNT}_reading"
ACCESS = "klaviyo-access-token"

Scope = Literal["accounts:read", "lists:read", "lists:write", "profiles:read", "profiles:write", "flows:read"]
Consent = Literal["SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"]
Revision = Literal["current", "retired"]

_READS: tuple[Scope, ...] = ("accounts:read", "lists:read", "profiles:read")
_NEEDED: tuple[Scope, ...] = (*_READS, "lists:write", "profiles:write")

# Contract section 8: burst and steady; a list can be made 150 times a day.
_SLOWEST = (Rate(calls=1, seconds=1), Rate(calls=15, seconds=60))
_SLOW = (Rate(calls=3, seconds=1), Rate(calls=60, seconds=60))
_MEDIUM = (Rate(calls=10, seconds=1), Rate(calls=150, seconds=60))
_FAST = (Rate(calls=75, seconds=1), Rate(calls=750, seconds=60))
COUNTED_LIST = "GET /api/lists/{id}?additional-fields[list]=profile_count"


class Key(BaseModel):
    """A private key or an access token: it belongs to one account and may do what its scopes say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = ACCOUNT
    scopes: tuple[Scope, ...] = _NEEDED


def _keys() -> dict[str, Key]:
    return {
        STANDARD_KEY: Key(),
        FLOWS_KEY: Key(scopes=(*_NEEDED, "flows:read")),
        READING_KEY: Key(scopes=_READS),
    }


def _revisions() -> dict[str, Revision]:
    return {REVISION: "current", _NEWEST: "current"}


def _limits() -> dict[str, tuple[Rate, ...]]:
    return {
        "GET /api/accounts": _SLOWEST,
        COUNTED_LIST: _SLOWEST,
        "GET /api/lists/{id}/flow-triggers": _SLOW,
        "GET /api/profiles/{id}/relationships/lists": _SLOW,
        "POST /api/lists": (*_MEDIUM, Rate(calls=150, seconds=86_400)),
        "PATCH /api/lists/{id}": _MEDIUM,
        "DELETE /api/lists/{id}": _MEDIUM,
        "POST /api/lists/{id}/relationships/profiles": _MEDIUM,
        "DELETE /api/lists/{id}/relationships/profiles": _MEDIUM,
        "GET /api/profile-bulk-import-jobs": _MEDIUM,
        "POST /api/profile-bulk-import-jobs": _MEDIUM,
        "GET /api/profile-bulk-import-jobs/{id}": _MEDIUM,
        "GET /api/profile-bulk-import-jobs/{id}/profiles": _MEDIUM,
        "GET /api/profile-bulk-import-jobs/{id}/relationships/profiles": _MEDIUM,
        "GET /api/profile-bulk-import-jobs/{id}/import-errors": _MEDIUM,
        "GET /api/lists": _FAST,
        "GET /api/lists/{id}": _FAST,
        "GET /api/lists/{id}/profiles": _FAST,
        "GET /api/lists/{id}/relationships/profiles": _FAST,
        "GET /api/profiles": _FAST,
        "GET /api/profiles/{id}": _FAST,
        "PATCH /api/profiles/{id}": _FAST,
        "POST /api/profile-import": _FAST,
    }


class Settings(settings.Settings):
    """`README.md` says what each switch does and which defaults are assumptions."""

    retry_after: Literal["absent", "seconds", "http_date"] = "seconds"
    limits: dict[str, tuple[Rate, ...]] = Field(default_factory=_limits)
    methods_share: bool = True

    keys: dict[str, Key] = Field(default_factory=_keys)
    tokens: dict[str, Key] = Field(default_factory=lambda: {ACCESS: Key()})
    revisions: dict[str, Revision] = Field(default_factory=_revisions)

    longest_list_name: int | None = Field(default=None, ge=1)
    longest_any: int = Field(default=100, ge=1)
    longest_query: int = Field(default=8000, ge=1)
    stale_seconds: float = Field(default=0.0, ge=0)
    absent_removal: Literal[204, 400] = 204

    queued_seconds: float = Field(default=0.05, ge=0)
    job_seconds: float = Field(default=0.2, ge=0)
    job_kept_seconds: float = Field(default=7 * 86_400, ge=0)
    next_job_statuses: list[str] = Field(default_factory=list)
    cancelled_writes: Literal["half", "nothing", "all"] = "half"
    most_rows: int = Field(default=10_000, ge=1)
    most_bytes: int = Field(default=5_000_000, ge=1)
    most_row_bytes: int = Field(default=100_000, ge=1)
    named_rows: Literal["first", "all"] = "first"
    bad_identifiers: Literal["request", "row"] = "request"
    barred: list[str] = Field(default_factory=list)
    bulk_null: Literal["refused", "ignored"] = "refused"
    bulk_unset: Literal["ignored", "honoured"] = "ignored"
    unknown_attribute: Literal["refused", "ignored"] = "refused"
    many_lists: Literal["refused", "accepted"] = "refused"
    same_person: Literal["dropped", "written"] = "dropped"
    completed_count: Literal["successes", "all"] = "successes"
    error_pointer: Literal["job", "row"] = "job"
    original_payload: Literal["flat", "nested", "null"] = "flat"

    @property
    def longest(self) -> Longest:
        return Longest(self.longest_any, self.longest_query)
