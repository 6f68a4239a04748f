"""Dotdigital's switches. Where the contract is UNCONFIRMED, the default is the reading that forgives a client least."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common import settings
from dev.simulators.common.windows import Rate

Region = Literal["r1", "r2", "r3"]
Case = Literal["spec", "camel", "pascal"]

ACCOUNT = 4711

USER_R1 = "apiuser-0a1b2c3d4e5f@apiconnector.com"
USER_R2 = "apiuser-1a2b3c4d5e6f@apiconnector.com"
USER_R3 = "apiuser-2a3b4c5d6e7f@apiconnector.com"
PASSWORD = "dotdigital-password"  # noqa: S105 - opens nothing but this simulator


class ApiUser(BaseModel):
    """A generated API user: it belongs to one account in one region."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    password: str = PASSWORD
    account: int = ACCOUNT
    region: Region = "r1"


class Pace(NamedTuple):
    """How long a job of one kind goes on: until it was asked about `polls` times or `seconds` have passed,
    whichever comes first (None: never that way). Then its status is `ending`; one that ends as `unfinished` never ends.
    Each thousand of its people takes `each_thousand` seconds more.
    """

    polls: int | None
    seconds: float | None
    ending: str
    unfinished: str
    each_thousand: float = 0.0


def _users() -> dict[str, ApiUser]:
    return {
        USER_R1: ApiUser(),
        USER_R2: ApiUser(account=4712, region="r2"),
        USER_R3: ApiUser(account=4713, region="r3"),
    }


def _tiers() -> dict[str, Rate]:
    """Contract section 9: 35 a minute is the published cell of the low tier; the medium one is assumed."""
    return {"low": Rate(calls=35, seconds=60), "medium": Rate(calls=150, seconds=60)}


def _endpoint_tiers() -> dict[str, str]:
    """Contract section 9: imports and large reads are usually low; the tier of the polls is UNCONFIRMED."""
    return {
        "PUT /contacts/v3/import": "low",
        "GET /contacts/v3/import/{importId}": "low",
        "GET /contacts/v3": "low",
        "POST /contacts/v3/delete": "low",
        "POST /v2/address-books/{id}/contacts/delete": "low",
        "POST /v2/address-books/{id}/contacts/delete-all": "low",
        "GET /v2/contacts/deletion/{id}": "low",
        "GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}": "low",
        "GET /v2/contacts/suppressed-since/{date}": "low",
        "GET /v2/contacts/unsubscribed-since/{date}": "low",
    }


class Settings(settings.Settings):
    """`README.md` says what each switch does and which defaults are assumptions."""

    users: dict[str, ApiUser] = Field(default_factory=_users)
    forbidden_body: Literal["html", "json", "empty"] = "html"

    rate_scheme: Literal["tiered", "flat"] = "tiered"
    tiers: dict[str, Rate] = Field(default_factory=_tiers)
    endpoint_tiers: dict[str, str] = Field(default_factory=_endpoint_tiers)
    rate_reset: Literal["epoch", "epoch_ms", "delta"] = "epoch"
    flat_calls: int = Field(default=2000, ge=1)
    flat_cap_text: Literal["prose", "token"] = "prose"

    import_polls: int | None = Field(default=1, ge=0)
    import_seconds: float | None = Field(default=60.0, ge=0)
    import_seconds_each_thousand: float = Field(default=0.0, ge=0)
    import_status: str = "Finished"
    next_import_statuses: list[str] = Field(default_factory=list)
    broken_imports_write: Literal["nothing", "half", "all"] = "half"
    most_imports: int = Field(default=25, ge=1)
    most_bytes: int = Field(default=50_000_000, ge=1)
    too_large_status: Literal[400, 413] = 413
    contact_limit: int | None = Field(default=None, ge=1)
    imports_kept_seconds: float | None = Field(default=None, ge=0)
    empty_results: Literal["absent", "empty"] = "absent"

    unknown_field: Literal["row", "ignored", "request"] = "row"
    field_names_any_case: bool = False
    bad_value: Literal["row", "value"] = "row"
    text_as_value: bool = False
    longest_text: int = Field(default=1000, ge=1)
    null_clears_if_not_empty: bool = False
    duplicate_rows: Literal["all_fail", "first_wins", "last_wins"] = "all_fail"
    unknown_list: Literal["created_and_failed", "failed"] = "created_and_failed"
    told_address: Literal["stored", "sent"] = "stored"
    row_failures: dict[str, str] = Field(default_factory=dict)

    suppressed_contacts: Literal["updated", "refused"] = "updated"
    subscribed_revives: Literal["everyone", "unsubscribed"] = "everyone"
    adding_resubscribes: bool = True
    removal_forgets_unsubscribe: bool = True
    enforce_double_opt_in: bool = False

    failure_codes: Literal["spec", "docs"] = "spec"
    enum_case: Case = "spec"
    error_details: Literal["description", "error", "absent"] = "description"

    list_read_suppressed: bool = True
    unknown_list_read: Literal["empty", "error"] = "empty"
    last_page_next: Literal["absent", "empty_marker"] = "absent"
    list_count_lag: float = Field(default=60.0, ge=0)
    list_created_status: Literal[200, 201] = 200
    most_lists: int | None = Field(default=None, ge=1)

    removal_polls: int | None = Field(default=1, ge=0)
    removal_seconds: float | None = Field(default=60.0, ge=0)
    removal_status: str = "Completed"
    next_removal_statuses: list[str] = Field(default_factory=list)
    removal_keys: Literal["pascal", "camel"] = "pascal"
    most_removals: int = Field(default=5000, ge=1)
    one_removal_per_list: bool = True
    absent_removal_status: Literal[404, 204] = 404
    v2_statuses: dict[str, int] = Field(default_factory=lambda: {"ERROR_ADDRESSBOOK_NOT_FOUND": 404})

    def import_pace(self) -> Pace:
        more = self.import_seconds_each_thousand
        return Pace(self.import_polls, self.import_seconds, self.import_status, "NotFinished", more)

    def removal_pace(self) -> Pace:
        return Pace(self.removal_polls, self.removal_seconds, self.removal_status, "Started")

    def deletion_pace(self) -> Pace:
        """Deleting people from the account: no export does that, so it has no switches of its own."""
        return Pace(self.removal_polls, self.removal_seconds, "Finished", "NotFinished")
