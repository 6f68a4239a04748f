"""Mailchimp's switches. Where the contract is UNCONFIRMED, the default is the reading that forgives a client least."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common import settings

ACCOUNT = "8d3a3db4d97663a9074efcc16"
OTHER_ACCOUNT = "5b2c9e11a07f4d68b3c0f7a21"
AUDIENCE = "57afe96172"
DATA_CENTRE = "us6"

STANDARD_KEY = f"0123456789abcdef0123456789abcdef-{DATA_CENTRE}"
VIEWER_KEY = f"fedcba9876543210fedcba9876543210-{DATA_CENTRE}"
OTHER_KEY = "00112233445566778899aabbccddeeff-us20"
ACCESS = "mailchimp-access-token"
CLIENT = "628127402"
CLIENT_PASSWORD = "mailchimp-application-secret"  # noqa: S105 - of the simulator

Role = Literal["owner", "admin", "manager", "author", "viewer"]
Status = Literal["subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"]


class Key(BaseModel):
    """An API key or an access token: it opens one account in one data centre, with the role of its user."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = ACCOUNT
    data_centre: str = DATA_CENTRE
    role: Role = "admin"
    disabled: bool = False


class Application(BaseModel):
    """An OAuth application; who allows it hands out a token that opens `grants`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str
    grants: Key = Key()


def _keys() -> dict[str, Key]:
    return {
        STANDARD_KEY: Key(),
        VIEWER_KEY: Key(role="viewer"),
        OTHER_KEY: Key(account=OTHER_ACCOUNT, data_centre="us20"),
    }


def _applications() -> dict[str, Application]:
    return {CLIENT: Application(secret=CLIENT_PASSWORD)}


class Settings(settings.Settings):
    """`README.md` says what each switch does and which defaults are assumptions."""

    most_in_flight: int | None = Field(default=10, ge=1)

    keys: dict[str, Key] = Field(default_factory=_keys)
    tokens: dict[str, Key] = Field(default_factory=lambda: {ACCESS: Key()})
    applications: dict[str, Application] = Field(default_factory=_applications)
    writing_roles: tuple[Role, ...] = ("owner", "admin", "manager")

    most_members: int = Field(default=500, ge=1)
    most_bytes: int = Field(default=1_000_000, ge=1)
    most_count: int = Field(default=1000, ge=1)
    update_existing_default: bool = True
    missing_status: Literal["refused", "subscribed"] = "refused"
    duplicates: Literal["refused", "first_wins"] = "refused"
    archived_in_batch: Literal["revived", "exists"] = "revived"
    batch_status: Literal["resubscribes", "ignored"] = "resubscribes"
    unsubscribed_by: Literal["self", "admin"] = "self"
    put_without_status: Literal["refused", "subscribed"] = "refused"
    row_failures: dict[str, str] = Field(default_factory=dict)
    fake_domains: list[str] = Field(default_factory=list)

    null_value: Literal["refused", "clears"] = "refused"
    longest_tag: int = Field(default=10, ge=1)
    most_fields: int = Field(default=30, ge=1)

    longest_segment_name: int = Field(default=100, ge=1)
    duplicate_segment_names: bool = False
    taggable: tuple[Status, ...] = ("subscribed", "transactional")
    already_tagged: Literal["unlisted", "listed"] = "unlisted"
    count_flags: Literal["ignored", "honoured"] = "ignored"
    count_stale_seconds: float = Field(default=0.0, ge=0)
    stats_stale_seconds: float = Field(default=300.0, ge=0)

    batch_pending_seconds: float = Field(default=0.05, ge=0)
    batch_seconds: float = Field(default=0.2, ge=0)
    batches_at_once: int | None = Field(default=1, ge=1)
    most_pending: int = Field(default=500, ge=1)
    batch_kept_seconds: float = Field(default=7 * 86_400, ge=0)
    batch_params: Literal["get_only", "all"] = "get_only"
    results_host: str = ""
    results_seconds: float = Field(default=600.0, ge=0)
    results_per_file: int = Field(default=100, ge=1)
    fail_operations_every: int | None = Field(default=None, ge=1)
    fail_operations_status: int = Field(default=500, ge=400, le=599)
