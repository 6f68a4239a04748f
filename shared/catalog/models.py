"""Connections and exports: what people write (`...Input`), and what is kept of it (with server-kept fields).

An input ignores the fields that only the server writes, so an answer can be edited and sent back as it is.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    model_validator,
)

from shared.access.person import SharedWith
from shared.catalog.derived import Derived
from shared.catalog.opt_outs import OptOutsWanted
from shared.catalog.rules import NO_RULES, Rules
from shared.catalog.shapes import Column, PhoneCountry, Reference, Strict, printable
from shared.vendors.contract import FieldType, Told
from shared.wording import Said, say

MAX_FIELDS = 200
MAX_SEGMENTS = 100
MAX_TARGETS = 97
"""A run begins in one transaction of a table, which takes 100 rows: the run, what makes it the active one, its notice,
and a delivery for each target."""
MAX_ALSO = 10
"""Other connections of an export."""
MAX_DEFINITION = 24_000
"""Characters of a stored definition: 48 KB in UTF-16, of the 64 KB that a table property holds."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
NAME_RULE = say("Use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit.")
RESERVED = frozenset({"new", "run-all", "several"})
"""Words that stand in addresses of pages where names of exports and connections do."""


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(printable),
]
Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern="^[^,]*$"),
    AfterValidator(printable),
]
Listing = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(printable),
]
SettingValue = StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=500)]
Share = Annotated[float, Field(ge=0, le=1)]


class Written(Strict):
    """What people write; `server_kept` names what an answer holds beyond that."""

    server_kept: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _ignore_what_the_server_keeps(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        ignored = cls.server_kept - cls.model_fields.keys()
        return {key: value for key, value in sent.items() if key not in ignored}


_STAMPS = frozenset({"name", "account", "created_at", "created_by", "updated_at", "updated_by"})


class Consent(Strict):
    """A person's agreement that profiles, with personal data, go to the vendor at the organisation's instruction."""

    agreed_by: Title = Field(default="unknown", description="Who agreed. Set by the service when `text` is new.")
    text: str = Field(min_length=1, max_length=4000, description="What was agreed to, word for word.")
    agreed_at: datetime | None = Field(default=None, description="Set by the service when `text` is new.")


class SettingDecision(Strict):
    """What somebody answers for by choosing a value of a setting: who may be made at the vendor, for example."""

    choice: str = Field(max_length=100, description="The setting's value that it is about.")
    text: str = Field(min_length=1, max_length=4000, description="What was decided, word for word.")
    decided_by: Title = Field(default="unknown", description="Who decided. Set by the service when it is new.")
    decided_at: datetime | None = Field(default=None, description="Set by the service when it is new.")


class ProbeState(StrEnum):
    """Failed: something has to be put right first; the message says what."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


class ProbeAnswer(Strict):
    """A point that the vendor's documentation leaves open, and what the account showed."""

    id: str
    asks: Said
    section: str = Field(description="Of the vendor's contract in this project's documentation.")
    told: Told
    answer: Said = Field(description="In a few words; or why there is none.")
    evidence: Said = ""


class Probed(Strict):
    """A probe of the account: under way, or what it found out. Written by the server only."""

    mark: str = Field(description="In the names of the probe's lists and in its canaries' addresses.")
    state: ProbeState
    started_at: datetime
    started_by: str
    finished_at: datetime | None = None
    message: Said = ""
    answers: tuple[ProbeAnswer, ...] = ()


def _from_json(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored


class ConnectionInput(Written):
    """How to reach one vendor account."""

    server_kept = _STAMPS | {"checked_at", "check_code", "check_message", "probe"}

    display_name: Title
    vendor: str = Field(max_length=63, description="Name of a vendor; fixed while exports use the connection.")
    shared_with: SharedWith = SharedWith.ADMINISTRATORS
    settings: dict[str, SettingValue] = Field(default_factory=dict, max_length=50)
    secrets: dict[str, str] = Field(
        default_factory=dict,
        max_length=20,
        description="Credential -> name of the Key Vault secret that holds it. Never the secret itself.",
    )
    rate_budget: float = Field(
        default=0.75, ge=0.05, le=1, description="Share of the vendor's published rate limit that exports may use."
    )
    consent: Consent | None = Field(default=None, description="Exports need it.")
    decisions: dict[str, SettingDecision] = Field(
        default_factory=dict,
        max_length=20,
        description="Setting -> what was decided, for values that somebody has to answer for.",
    )
    disabled: bool = Field(default=False, description="No export may be saved on it or run with it.")
    opt_outs: OptOutsWanted | None = Field(
        default=None, description="Have people who opt out at the vendor come back as files."
    )


class Connection(ConnectionInput):
    """A stored connection. `account`, `checked_at` and the check's words are from the last connection check;
    they are empty when the vendor, settings or secrets were changed after it."""

    name: str
    account: str | None = None
    checked_at: datetime | None = None
    check_code: str = ""
    check_message: Said = ""
    probe: Annotated[Probed | None, BeforeValidator(_from_json)] = None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


class WhenEmpty(StrEnum):
    """What an empty cell means for the vendor's field."""

    KEEP = "keep"
    CLEAR = "clear"


class Match(Strict):
    """Data matching of one field: vendor field <- snapshot column, or a value that is made of columns."""

    field: str = Field(min_length=1, max_length=100)
    column: Column | None = Field(default=None, description="Column that fills the field; else `derived` does.")
    derived: Derived | None = None
    when_empty: WhenEmpty = WhenEmpty.KEEP
    type: FieldType | None = Field(
        default=None, description="Type of a custom field; without it the vendor's own type, else string."
    )

    @model_validator(mode="after")
    def _is_filled_by_one(self) -> Match:
        if (self.column is None) == (self.derived is None):
            raise ValueError(say("Give the column that fills the field, or what its value is made of, not both."))
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it reads."""
        return self.derived.columns if self.derived else (self.column or "",)


class Existing(StrEnum):
    """What becomes of people who were on a list before us: theirs once we add them, or never taken off."""

    ADOPT = "adopt"
    PROTECT = "protect"


class Target(Strict):
    """Where people go. Several segments on one target are their union.

    With neither `list_id` nor `list_name` the list has the name of the first segment.
    """

    segments: tuple[Reference, ...] = Field(min_length=1, max_length=MAX_SEGMENTS)
    list_id: Listing | None = Field(default=None, description="A list that exists.")
    list_name: Listing | None = Field(default=None, description="The list of this name; created when missing.")
    existing: Existing | None = Field(
        default=None,
        description="Needed with `list_id`. adopt: whoever is in the segment is ours, and taken off when they leave. "
        "protect: who was on the list before the first run is never taken off.",
    )


class AlsoTarget(Strict):
    """Where the people of one of the export's targets go on another connection. With neither `list_id` nor `list_name`
    the list has the name of the target's first segment."""

    list_id: Listing | None = Field(default=None, description="A list that exists.")
    list_name: Listing | None = Field(default=None, description="The list of this name; created when missing.")
    existing: Existing | None = Field(default=None, description="Needed with `list_id`: as in a target.")


class Also(Strict):
    """Another connection that the same people go to. What it does not say is the export's."""

    connection: str = Field(min_length=1, max_length=63, description="Name of another connection.")
    targets: tuple[AlsoTarget, ...] = Field(
        default=(),
        max_length=MAX_TARGETS,
        description="One for each target of the export, in their order. Empty: lists of the same names.",
    )
    matching: tuple[Match, ...] = Field(default=(), max_length=MAX_FIELDS)
    settings: dict[str, SettingValue] = Field(
        default_factory=dict, max_length=50, description="Settings that this vendor has for exports."
    )


class Mode(StrEnum):
    """Mirror takes leavers off the target, add never does."""

    MIRROR = "mirror"
    ADD = "add"


class Schedule(Strict):
    """When an export runs by itself: never, by a clock, or when a newer snapshot of a segment landed."""

    kind: Literal["manual", "cron", "on_refresh"] = "manual"
    expression: str | None = Field(
        default=None, max_length=200, description="cron: minute, hour, day of month, month, day of week."
    )
    time_zone: str | None = Field(default=None, max_length=64, description="cron: IANA name, `Europe/Berlin`.")
    existing: bool = Field(
        default=False,
        description="on_refresh: deliver the snapshot, too, that is there when the export is saved or resumed.",
    )


class KeyKind(StrEnum):
    """Kinds of runs that the function key may start only where the export says so."""

    RETRY = "retry"
    FULL_RESYNC = "full_resync"
    REBUILD = "rebuild"
    WITHDRAW = "withdraw"
    REPAIR = "repair"


class Repair(StrEnum):
    """When a list is mended that is not as it was delivered: when somebody asks, or after a verification that
    differs."""

    ON_REQUEST = "on_request"
    WHEN_IT_DIFFERS = "when_it_differs"


def _each_once(kinds: tuple[KeyKind, ...]) -> tuple[KeyKind, ...]:
    return tuple(kind for kind in KeyKind if kind in kinds)


class Guards(Strict):
    """What stops a delivery before its first write. That `null` switches a guard off is said where it does."""

    max_removed_share: Share | None = Field(
        default=0.20,
        description="Removals, as a share of the members, where there are more than 20; to take off everyone always "
        "stops. `null`: off, that too.",
    )
    max_removed_people: int | None = Field(
        default=0,
        ge=0,
        description="As many removals never stop a delivery, whatever their share, but for everyone. `null` is 0.",
    )
    max_removed_times: int | None = Field(
        default=10,
        ge=1,
        description="Removals of more than 1% and more than 20 people, as a multiple of the most of the last ten runs "
        "that changed something (at least three). `null`: off.",
    )
    max_moved_share: Share | None = Field(
        default=0.5,
        description="With an id column: people whose address changed, as a share of the members, where there are more "
        "than 20; also switches the checks that the ids are the same people's as before. `null`: off.",
    )
    max_invalid_share: Share | None = Field(default=0.5, description="Rows without a usable address. `null`: off.")
    max_unreadable_share: Share | None = Field(
        default=0.02,
        description="People who would leave because their address cannot be read any more, as a share of the members, "
        "where there are more than 5. `null`: off.",
    )
    max_age_days: int | None = Field(default=30, ge=1, le=3650, description="Age of the snapshot. `null`: off.")
    min_profiles: int | None = Field(default=None, ge=1, description="People in the segments. `null`: off.")
    max_deviation_share: float | None = Field(
        default=1.0,
        ge=0,
        description="Change of the number of people since the last delivery; 1 is twice as many. `null`: off.",
    )
    max_profiles: int | None = Field(default=None, ge=1, description="`null`: the vendor's own limit.")


class FirstRun(StrEnum):
    """What a run does that would put very many people on a target at once: ask first, or deliver."""

    ASK = "ask"
    DELIVER = "deliver"


class ExportInput(Written):
    """Connection, segments, targets, data matching, mode, rules and schedule."""

    server_kept = _STAMPS | {"next_times", "last_run", "warnings", "owned_by"}

    display_name: Title
    connection: str = Field(max_length=63, description="Name of a connection; empty in a detached export.")
    targets: tuple[Target, ...] = Field(min_length=1, max_length=MAX_SEGMENTS)
    address_column: Column = Field(description="Column that holds the e-mail address.")
    id_column: Column | None = Field(
        default=None,
        description="Column with an id of the person that stays the same when the address changes; `null`: people are "
        "known by their address alone.",
    )
    matching: tuple[Match, ...] = Field(default=(), max_length=MAX_FIELDS)
    phone_country: PhoneCountry = ""
    settings: dict[str, SettingValue] = Field(
        default_factory=dict, max_length=50, description="Settings that the vendor has for exports."
    )
    mode: Mode = Mode.MIRROR
    rules: Rules = Field(default=NO_RULES, description="Who of the segments is kept back.")
    schedule: Schedule = Schedule()
    guards: Guards = Guards()
    first_run: FirstRun = Field(
        default=FirstRun.ASK,
        description="ask: a run that would add more than 1,000 people where the export has nobody yet, or more than "
        "double a list of over 1,000, stops before its first write. deliver: it does not.",
    )
    repair: Repair = Field(
        default=Repair.ON_REQUEST,
        description="when_it_differs: after a verification that differs the list is read in full, and what was found "
        "is mended, within the guards.",
    )
    paused: bool = Field(default=False, description="The schedule is off; asking for a run still works.")
    function_key_starts: Annotated[tuple[KeyKind, ...], AfterValidator(_each_once)] = Field(
        default=(),
        description="Kinds of runs that the function key may start, beyond deliveries and dry runs.",
    )
    tags: tuple[Tag, ...] = Field(default=(), max_length=20, description="Words of people's own to find it by.")
    also: tuple[Also, ...] = Field(
        default=(),
        max_length=MAX_ALSO,
        description="Other connections that the same people go to. For each the service keeps an export of its own, "
        "`owned_by` this one, with runs of its own: what keeps one waiting keeps no other.",
    )

    @property
    def followed(self) -> tuple[str, ...]:
        """References of all segments whose snapshots change who is delivered, each once."""
        own = [segment for target in self.targets for segment in target.segments]
        return tuple(dict.fromkeys([*own, *(rule.segment for rule in self.rules.exclude)]))


class Export(ExportInput):
    """A stored export. `account` is the connection's when the export was saved: its targets are claimed there."""

    name: str
    account: str
    owned_by: str = Field(default="", description="The export whose other connection this is; changed there.")
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    @property
    def detached(self) -> bool:
        """Its connection was taken off: it keeps its definition and does not run."""
        return not self.connection

    @property
    def segments(self) -> tuple[str, ...]:
        """References of all its segments, each once."""
        return tuple(dict.fromkeys(segment for target in self.targets for segment in target.segments))
