"""Campaign Monitor's switches. Where the contract is UNCONFIRMED, the default is the reading that forgives least."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common import settings
from dev.simulators.common.windows import Rate

ACCOUNT = "acme"
CLIENT = "4a39c1d07be24f5a9c66d2e8b0137f5e"
OUTLET_CLIENT = "b83f02a5d9174c6e8f21a7705ce94d13"
OTHER_CLIENT = "17e6d40c92bb4831a5f0c38e6da2794b"

ACCOUNT_KEY = "campaign-monitor-account-key"
CLIENT_KEY = "campaign-monitor-client-key"
OTHER_KEY = "campaign-monitor-other-key"

APPLICATION = "128431"
APPLICATION_SECRET = "campaign-monitor+application/secret="  # noqa: S105 - opens nothing but a simulator
# Signs that have a meaning in forms and addresses: who does not encode them is found out.
ACCESS_TOKEN = "access+token/of-acme=="  # noqa: S105
REFRESH_TOKEN = "refresh+token/of-acme=="  # noqa: S105

State = Literal["Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted"]

PERMISSIONS = frozenset(
    {
        "ViewReports",
        "ManageLists",
        "CreateCampaigns",
        "ImportSubscribers",
        "SendCampaigns",
        "ViewSubscribersInReports",
        "ManageTemplates",
        "AdministerPersons",
        "AdministerAccount",
        "ViewTransactional",
        "SendTransactional",
        "Automation",
    }
)


class ClientSettings(BaseModel):
    """A client: a customer of the account, with lists and a suppression list of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    account: str = ACCOUNT


class Key(BaseModel):
    """An API key: of a whole account, or of one `client`. It has all permissions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = ACCOUNT
    client: str | None = None


class Application(BaseModel):
    """An OAuth application; where it sends people back must begin with `redirect_uri`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str
    redirect_uri: str = "http"


def _clients() -> dict[str, ClientSettings]:
    return {
        CLIENT: ClientSettings(name="Acme"),
        OUTLET_CLIENT: ClientSettings(name="Acme Outlet"),
        OTHER_CLIENT: ClientSettings(name="Globex", account="globex"),
    }


def _keys() -> dict[str, Key]:
    return {ACCOUNT_KEY: Key(), CLIENT_KEY: Key(client=CLIENT), OTHER_KEY: Key(account="globex")}


def _applications() -> dict[str, Application]:
    return {APPLICATION: Application(secret=APPLICATION_SECRET)}


class Settings(settings.Settings):
    """`README.md` says what each switch does and which defaults are assumptions."""

    clients: dict[str, ClientSettings] = Field(default_factory=_clients)
    keys: dict[str, Key] = Field(default_factory=_keys)
    utc_offset_hours: float = Field(default=10.0, ge=-12, le=14)
    wait_header: Literal["x-ratelimit-reset", "retry-after"] = "x-ratelimit-reset"

    applications: dict[str, Application] = Field(default_factory=_applications)
    authorisation: Literal["ask", "grant", "deny"] = "ask"
    grants: str = ACCOUNT
    code_seconds: float = Field(default=600.0, gt=0)
    token_seconds: int = Field(default=1_209_600, ge=1)
    refresh_rotates: bool = True
    refreshed_access: Literal["lives", "expired", "revoked"] = "lives"
    oauth_error_status: Literal[200, 400, 401] = 200
    reads_permission: Literal["ViewSubscribersInReports", "ManageLists"] = "ViewSubscribersInReports"

    unknown_list: Literal["401_101", "400_101", "404_empty"] = "401_101"
    stats_age: float = Field(default=60.0, ge=0)

    field_key: Literal["letters_and_digits", "without_spaces", "lower_case"] = "letters_and_digits"
    most_fields: int | None = Field(default=None, ge=1)
    longest_field_name: int | None = Field(default=None, ge=1)
    keys_any_case: bool = False
    bracketed_keys: bool = False
    read_keys: Literal["name", "key"] = "name"

    long_values: Literal["truncated", "ignored", "row_fails"] = "truncated"
    empty_value: Literal["kept", "clears"] = "kept"
    iso_dates: bool = False
    name_omitted: Literal["cleared", "kept"] = "cleared"
    address_case: Literal["kept", "lower"] = "kept"
    international_addresses: bool = False

    consent_errors: Literal["request", "row"] = "request"
    unchanged_for_new: Literal["Yes", "No"] = "No"
    untold: list[Literal["Suppressed", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted"]] = Field(
        default_factory=list
    )
    duplicate_rows: Literal["last_wins", "first_wins"] = "last_wins"
    failure_codes: Literal["numbers", "texts"] = "numbers"
    poison: list[str] = Field(default_factory=list)
    most_bytes: int | None = Field(default=None, ge=1)

    single_add_seconds: float = Field(default=10.0, ge=0)
    same_subscriber: Rate | None = Rate(calls=3, seconds=60)
    delete_absent: Literal["203", "404", "200"] = "203"

    date_required: bool = True
    past_last_page: Literal["800", "empty"] = "800"
