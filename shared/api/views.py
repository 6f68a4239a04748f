"""What the API answers. Times have a time zone; counts are people, or rows where the name says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.catalog.models import Export, SettingValue
from shared.delivery.records import ENDED, State
from shared.delivery.transitions import RunKind
from shared.vendors.contract import FieldType


class View(BaseModel):
    """Frozen; may be made from an object with attributes of the same names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class IssueView(View):
    """One thing to put right, or to know."""

    pointer: str = Field(description='JSON pointer into what was sent; "" is all of it, "?name" a query parameter.')
    message: str


class Problem(View):
    """Every refusal and failure (RFC 9457), as `application/problem+json`."""

    type: str = Field(description="Address of the kind of problem, explained on the documentation page.")
    title: str
    status: int
    detail: str
    code: str = Field(description="A stable word for programs.")
    errors: list[IssueView] = Field(default_factory=list)
    incident: str | None = Field(default=None, description="Unexpected failures: look for it in the log.")


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


class CheckView(View):
    """What a connection check found."""

    ok: bool
    code: str
    message: str
    account: str | None
    details: dict[str, str]
    checked_at: datetime
    warnings: list[str] = Field(default_factory=list)


class AuthorizationView(View):
    """A sign-in at a vendor that was begun."""

    url: str = Field(description="The vendor's page, to open in a browser.")
    expires_at: datetime = Field(description="Until then the person may come back.")


class TargetChoice(View):
    """A list or tag that an export may be given, with what the vendor tells of it that people should know."""

    list_id: str
    name: str
    warnings: tuple[str, ...] = ()


class SegmentView(View):
    """A segment and its newest snapshot."""

    id: str
    name: str
    columns: tuple[str, ...]
    taken_at: datetime | None = Field(description="Null while no complete snapshot is there.")
    age_seconds: int | None
    bytes: int
    files: int
    rows: int | None = Field(description="Null until they are counted.")
    problems: tuple[str, ...]
    exports: tuple[str, ...] = Field(default=(), description="Names of the exports that carry it.")


UNFINISHED = frozenset(State) - ENDED


class Progress(View):
    """How far it is; `total` is null until it is planned. The unit is operations."""

    done: int = 0
    total: int | None = None
    step: str = ""
    rate: float | None = Field(default=None, description="Operations per second, while it delivers.")
    seconds_left: int | None = Field(default=None, description="A guess from the rate so far.")


class Counts(View):
    """`add + change + remove` are the plan, and equal `accepted + rejected + skipped + unknown` at the end.
    `rows_read = add + change + unchanged + duplicates + refused_here` and the people held back."""

    rows_read: int = 0
    duplicates: int = 0
    refused_here: int = Field(default=0, description="Rows without a usable address.")
    unchanged: int = 0
    held: int = Field(default=0, description="People in the segment whom an earlier refusal keeps off the target.")
    add: int = 0
    change: int = 0
    remove: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    unknown: int = 0


class RunSummary(View):
    """One run, in a word."""

    run: str
    export: str
    state: State
    trigger: str
    kind: RunKind = RunKind.DELIVERY
    started_at: datetime
    finished_at: datetime | None = None
    message: str = ""


class SampleView(View):
    """A few people who were delivered, looked up at the vendor. `differing`: field -> people with another value."""

    looked_at: int = 0
    missing: int = Field(default=0, description="Were delivered, and are not on the target.")
    still_there: int = Field(default=0, description="Were taken off, and are on the target.")
    inactive: int = Field(default=0, description="Are off the target by their own doing.")
    compared: tuple[str, ...] = Field(default=(), description="Fields.")
    differing: dict[str, int] = Field(default_factory=dict)


class Verification(View):
    """What the vendor showed after the delivery. `difference` is people counted beyond those expected, below nought
    where some lack. `evidence`: accepted operations that are confirmed, and that were only acknowledged."""

    verdict: Literal["agrees", "explained", "differs", "not verified"]
    message: str = Field(description="What the difference is, and what to do about it; empty where there is none.")
    at: datetime
    looks: int
    expected: int | None = Field(default=None, description="People whom the export has put on the target.")
    maybe: int = Field(default=0, description="People of whom it is not known.")
    strangers: int = Field(default=0, description="People who were on it before the export, where they were read.")
    counted: int | None = Field(default=None, description="Null where the vendor does not tell.")
    difference: int | None = None
    sample: SampleView = SampleView()
    evidence: dict[str, int] = Field(default_factory=dict)


class TargetRun(View):
    """The delivery of a run to one target. A blocked one names the `plan` that a decision must name."""

    target: str
    state: State
    list_id: str | None = None
    list_name: str | None = None
    message: str = ""
    plan: str | None = None
    progress: Progress = Progress()
    counts: Counts = Counts()
    left_out: dict[str, int] = Field(
        default_factory=dict, description="Field -> cells left out because they are not of its type."
    )
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0
    warnings: tuple[str, ...] = ()
    verification: Verification | None = Field(default=None, description="Null until the vendor was looked at.")


class RunView(RunSummary):
    """One run and its deliveries."""

    connection: str = Field(default="", description="Name of the connection that it ran over.")
    progress: Progress = Progress()
    targets: tuple[TargetRun, ...] = ()


class RunPoint(RunSummary):
    """One ended run of a history. `members`: people on the targets afterwards, null where nothing was committed."""

    seconds: float
    members: int | None


class PreviewRow(View):
    """A row as the vendor would get it; it holds an address. `left_out`: fields whose cell is not of their type."""

    address: str
    problem: str | None
    values: dict[str, Any]
    left_out: tuple[str, ...] = ()


class Identity(View):
    """Whom exports run as, and what that may read. `name` is the managed identity's client id, null for the app's own
    (or on one machine)."""

    name: str | None
    segments: tuple[str, ...] = Field(description="Containers and folders that segments are read from.")
    key_vault: str | None


class RejectedRow(View):
    """A row of `rejected.csv`; it holds an address."""

    address: str
    segment: str
    file: str
    row: str
    operation: str
    outcome: str
    code: str
    reason: str
    tried_again: str


class RunPage(View):
    """Runs, newest first. `next` continues the list: send it as `continue`."""

    runs: tuple[RunSummary, ...]
    next: str | None = None


class Reason(View):
    """How many people had an outcome for one reason."""

    target: str
    outcome: Literal["refused here", "rejected", "skipped", "unknown"]
    code: str
    reason: str
    people: int
    retry: str | None = Field(default=None, description="When it is tried again: never, when changed, next run.")


class SnapshotUsed(View):
    """What a run read."""

    segment: str
    snapshot: str
    taken_at: datetime
    files: int
    rows: int


class Report(View):
    """What a run did, for people. Individual addresses are only in `rejected.csv`."""

    run: RunView
    snapshots: tuple[SnapshotUsed, ...] = ()
    reasons: tuple[Reason, ...] = ()


class Link(View):
    """A short-lived address of a file."""

    url: str
    expires_at: datetime


class StartInput(BaseModel):
    """What a run is for. `retry` sends again what was rejected or stayed unknown; `dry_run` plans and sends nothing;
    `full_resync` sends everyone again; `rebuild` makes a list anew that is gone; `withdraw` takes everyone off whom
    the export added."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: RunKind = RunKind.DELIVERY


class StartedRun(View):
    """The run that was asked for; `new` is false where it was under way already."""

    run: str
    export: str
    state: State
    new: bool


class AddressInput(BaseModel):
    """A person, by address; always in a body and never in a URL."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: str = Field(min_length=1, max_length=320)


class Operation(View):
    """One operation of a plan."""

    operation: str
    address: str
    values: dict[str, Any]


class Explanation(View):
    """Why a person is or is not on an export's targets; it holds no address."""

    export: str
    address: str = Field(description="valid, or what is wrong with the address.")
    targets: list[TargetExplanation]


class TargetExplanation(View):
    """`segments`: where the address stands in the newest snapshots. `ledger`: what is known of it, null if nothing.
    `receipts`: what became of it in the last runs. `verdict`: one sentence."""

    target: str
    verdict: str
    segments: list[dict[str, Any]]
    ledger: dict[str, str] | None
    receipts: list[dict[str, Any]]


class Forgotten(View):
    """How many ledgers and runs held the address. What stays is a record with a salted hash."""

    ledgers: int
    runs: int


class Decision(BaseModel):
    """A person's answer to a guard; `plan` is the one that the person saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: str = Field(min_length=1, max_length=200)
    decision: Literal["deliver", "additions_only", "discard"]


class ExportView(Export):
    """A stored export, with when it runs next, how it last went, and the warnings of saving it."""

    next_times: tuple[datetime, ...] = Field(default=(), description="Empty without a cron schedule or when paused.")
    last_run: RunSummary | None = None
    warnings: tuple[IssueView, ...] = ()
