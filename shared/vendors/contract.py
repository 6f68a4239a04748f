"""What every vendor consists of: a definition (data) and a `Vendor` (the calls). The engine knows no vendor by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from shared.vendors.forms import Form
from shared.vendors.looking_up import Looks, Prospect
from shared.vendors.opt_outs import OptOutKind, OptOutRoll

ConnectionSettings = Mapping[str, str | float | bool]
"""Settings of a connection by name, with those of an export where there is one."""


class Kind(StrEnum):
    """What an operation does to one person on the target."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


class FieldType(StrEnum):
    """Type of a vendor's field; data matching turns a cell into it, or leaves the value out and counts it."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    PHONE = "phone"
    """A telephone number, sent as a text: `+441632960000` (E.164)."""

    @property
    def sent_as(self) -> FieldType:
        """The type of the values that are sent."""
        return FieldType.STRING if self is FieldType.PHONE else self


@dataclass(frozen=True, slots=True)
class Fit:
    """What one field takes of the values of its type, by the vendor's contract.

    A value that can be made to fit is; any other is left out and counted. Nobody is refused for a value.
    """

    type: FieldType | None = None
    """What its values are, where the account or the list has fixed that."""
    longest: int = 0
    """Characters of a text; 0 where the vendor tells of no limit."""
    cut: bool = False
    """Longer texts are cut, and counted, in place of being left out."""
    pattern: str = ""
    """Of texts: a regular expression for all that the field takes."""
    choices: tuple[str, ...] = ()
    """The only texts that the field takes, in the vendor's spelling."""
    synonyms: Mapping[str, str] = field(default_factory=dict)
    """What people write, in small letters -> the choice that it means."""
    several: bool = False
    """A cell may hold several choices, which are sent as a list."""
    day: bool = False
    """Of a date, the day alone counts: the day that is written, whatever time and time zone stand behind it."""
    first_day: str = "0001-01-01"
    last_day: str = "9999-12-31"
    digits: int | None = None
    """Of a number, before the point. None where the vendor tells of no limit."""
    decimals: int | None = None
    """Of a number, behind the point: further ones are rounded away. None where the vendor tells of no limit."""


ANY = Fit()


class Outcome(StrEnum):
    """The vendor's word on one operation."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """How sure an acceptance is: said row by row, or only for the request."""

    CONFIRMED = "confirmed"
    ACKNOWLEDGED = "acknowledged"


class Retry(StrEnum):
    """When a rejected operation is tried again."""

    NEVER = "never"
    WHEN_CHANGED = "when changed"
    NEXT_RUN = "next run"


class KnownBefore(NamedTuple):
    """An address that somebody was known by. `refused`: the vendor refused it for good."""

    address: str
    vendor_id: str | None
    refused: bool = False


class Row(NamedTuple):
    """One person in a batch, made by the million.

    `values` is a JSON object, vendor field -> typed value (null clears); `{}` on removals.
    """

    address: str
    values: str = "{}"
    vendor_id: str | None = None
    returning: bool = False
    """An addition: we took this person off the target before."""
    unsure_since: float | None = None
    """A removal: the person may never have got onto the target. When we tried to add them, in seconds since 1970."""
    shown_at: float | None = None
    """A change or removal: when the vendor showed this person on the target, in seconds since 1970, where it did."""
    entry: bytes | None = None
    """What `Vendor.form` makes of the person; None where the vendor's Python writes them."""
    known_before: Sequence[KnownBefore] = ()
    """An addition: other addresses of the person that the target had, or has."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one operation. `reason` is for people and never holds an address."""

    outcome: Outcome
    code: str = ""
    reason: str = ""
    retry: Retry | None = None
    evidence: Evidence | None = None
    vendor_id: str | None = None
    left_out: tuple[str, ...] = ()
    """Of an acceptance: fields whose values the vendor did not take, so that the person was sent without them."""

    def without(self, fields: Sequence[str]) -> Receipt:
        """The same, of somebody who was sent without these fields."""
        return replace(self, left_out=tuple(fields)) if fields and self.outcome is Outcome.ACCEPTED else self


CONFIRMED = Receipt(Outcome.ACCEPTED, evidence=Evidence.CONFIRMED)
ACKNOWLEDGED = Receipt(Outcome.ACCEPTED, evidence=Evidence.ACKNOWLEDGED)

PROFILE_MISSING = "profile_missing"
"""Code of a rejected change whose person the vendor no longer has: the next run adds the person again."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Receipts of a batch: `default` holds for every row whose index is not in `others`.

    With `staged` (the vendor's job id) the receipts come later, from `Vendor.settle`, and `default` is meaningless.
    """

    default: Receipt
    others: Mapping[int, Receipt] = field(default_factory=dict)
    staged: str | None = None
    requests: int = 0
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting or credential of a connection, as the form, the validation and the docs show it."""

    name: str
    label: str
    description: str
    type: FieldType = FieldType.STRING
    required: bool = False
    default: str | float | bool | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    decisions: Mapping[str, str] = field(default_factory=dict)
    """Choices that somebody has to answer for -> what they decide, word for word: kept with the connection, with their
    name and the time."""
    made_at: tuple[str, ...] = ()
    """Of a credential that people type: the menus of the vendor's own pages that lead to where it is made."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field that data matching can fill. Field names outside this list are allowed where `custom_fields` says so."""

    name: str
    label: str
    type: FieldType = FieldType.STRING
    required: bool = False
    fit: Fit = ANY
    clears: bool = True
    """An empty cell may clear it: the vendor can, and it would mean something."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in any `seconds`, over all of `endpoints` together. Unpublished rates are our own choice
    and not multiplied by the rate budget; `setting` names the connection setting that overrides `requests`."""

    endpoints: tuple[str, ...]
    requests: float
    seconds: float
    published: bool = True
    setting: str | None = None


@dataclass(frozen=True, slots=True)
class OAuth:
    """How a person gives us access at the vendor in place of a key: the authorisation code grant of RFC 6749.

    Refreshing sends the refresh token alone.
    """

    credential: str
    """The credential that holds both tokens; it takes the place of all others of the vendor."""
    host: str
    authorize_path: str
    token_path: str
    scopes: tuple[str, ...]
    separator: str = " "
    """Between scopes."""
    asking: Mapping[str, str] = field(default_factory=lambda: {"response_type": "code"})
    """Further parameters of the authorisation address, besides client, scopes and state."""
    refreshes: bool = True
    """The access token runs out and is replaced; else there is one token, which is good until it is revoked."""


@dataclass(frozen=True, slots=True)
class Question:
    """A point that the vendor's contract leaves open. `asks` is for people; `not_tried` says why no probe tries it."""

    id: str
    asks: str
    section: str
    not_tried: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a vendor is: data for validation, forms, docs and the engine."""

    name: str
    label: str
    credentials: tuple[Setting, ...]
    settings: tuple[Setting, ...]
    fields: tuple[Field, ...]
    rates: tuple[Rate, ...]
    hosts: tuple[str, ...]
    """`*.vendor.example` stands for all hosts below that one."""
    batch_rows: int
    """Rows of a plan's batch; one batch is one call of `Vendor.deliver`."""
    concurrency: int
    """Batches under way at once."""
    email_field: str = "email"
    custom_fields: bool = True
    custom_fit: Fit = ANY
    """What a field takes that is not one of `fields`."""
    custom_name: str = ""
    """A regular expression for the names of such fields, "" where the vendor tells of no rule; `custom_name_rule` says
    the same to people."""
    custom_name_rule: str = ""
    custom_clears: bool = True
    """An empty cell may clear such a field."""
    fields_of_list: bool = False
    """Each list has fields and values of its own, so that two exports never write the same one."""
    longest_list_name: int = 0
    """Characters; 0 where the vendor tells of no limit."""
    list_id_of: Callable[[str], str] | None = None
    """Name of a list -> its id, where the name alone makes it: of two names with one id only one can be had."""
    reserved_fields: frozenset[str] = frozenset()
    export_settings: tuple[Setting, ...] = ()
    """Settings of an export on this vendor; `open_vendor` gets them together with the connection's."""
    most_jobs: int = 0
    """Staged jobs that an account may have open at once; 0 where batches are never staged."""
    max_profiles: int = 1_000_000
    minutes_per_million: float = 0.0
    """What a million new people take within the vendor's limits, as docs/performance.md has it; 0: not measured."""
    calls_per_thousand: float = 0.0
    """Requests that a thousand new people take, as docs/cost-and-scale.md has it; 0: not measured."""
    bills_by: str = ""
    """What the vendor bills by, where its published contract tells."""
    request_seconds: float = 60.0
    """The longest that one request may take; what a takeover of the account waits out."""
    first_batch_alone: bool = False
    target_word: str = "list"
    default_list: str = ""
    """The connection's setting with the id of a list for exports whose target names none, where there is one."""
    list_warning: str = ""
    """What people look up at the vendor before they choose a list that exists, where its API does not tell."""
    oauth: OAuth | None = None
    """Set where a person may sign in at the vendor in place of giving us a key."""
    account_is_key: bool = False
    """The vendor tells no account, so it is known by its key: a new key looks like another account."""
    verifiable: bool = True
    """`count` or `look_at` tells how a target is after a delivery."""
    fresh_seconds: float = 60.0
    """For so long after a write, `count` and `look_at` may still show how things were before it."""
    most_members: int = 200_000
    """People that `members` reads within one slice, at the vendor's rates."""
    members_page: int = 1000
    """People of one of the answers that `members` and `people` read."""
    looks: Looks | None = None
    """How `presence.Presence` finds out whom the vendor has; None where the vendor's module has a way of its own."""
    lists_values: bool = False
    """`people` shows the values of everyone on a target, in as many answers as `members` takes."""
    questions: tuple[Question, ...] = ()
    """What the vendor's contract leaves open. A vendor without questions needs no probe."""
    unforeseen: tuple[str, ...] = ()
    """What the vendor does not tell before people are sent, so that no rehearsal foresees it. For people."""
    opt_outs: tuple[OptOutKind, ...] = ()
    """What `Vendor.opt_outs` tells of people; empty where the vendor has no rolls that can be read."""

    def clears(self, field: str) -> bool:
        """Whether an empty cell may clear this field."""
        return next((each.clears for each in self.fields if each.name == field), self.custom_clears)

    @property
    def quiet_seconds(self) -> float:
        """By then no request of a dead worker is under way or counted: its longest request, then a full window."""
        return self.request_seconds + max((rate.seconds for rate in self.rates), default=0.0)


SWITCHED = "account_switched"
"""Code of a check that found another account than the one in which exports have their lists."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Outcome of a connection check. `account` identifies what the vendor counts limits by; no secret, no key."""

    ok: bool
    message: str
    account: str | None = None
    code: str = "ok"
    details: Mapping[str, str] = field(default_factory=dict)


class Told(StrEnum):
    """Whether a probe could answer a question."""

    ANSWERED = "answered"
    UNTOLD = "could not tell"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """What a probe says to a question: the answer in a few words, or why there is none. Never holds an address."""

    told: Told
    answer: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class TargetWanted:
    """What the export asks for: the list with this id, or the list with exactly this name (created when missing)."""

    list_id: str | None
    name: str

    def known_id(self, remembered: TargetFound | None) -> str | None:
        """The id that the export gives, else that of the list which earlier runs wrote to."""
        return self.list_id or (remembered.list_id if remembered else None)


@dataclass(frozen=True, slots=True)
class TargetFound:
    """A target that exists at the vendor."""

    list_id: str
    name: str
    created: bool = False
    """Made by this very call."""
    warnings: Sequence[str] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    """What the vendor module needs again with every batch, such as keys of custom fields; kept with the delivery."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many people are on a target, by the vendor's own count. `inactive` counts people apart from these: the target
    keeps them, but they get nothing, since they unsubscribed or bounced."""

    people: int
    inactive: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A person as the vendor shows them, beside the row that was sent. `inactive`: the person left the target, by
    unsubscribing for example. `compared` and `differing` are names of fields; a field that the vendor does not show is
    not compared."""

    on_target: bool
    inactive: bool = False
    compared: frozenset[str] = frozenset()
    differing: frozenset[str] = frozenset()


class Vendor(ABC):
    """One connection's calls. What is not abstract is optional: a vendor that cannot do it leaves it as it is here.

    All methods may raise UserMustAct, RetryAfter, OutcomeUnknown and LeaseLost.
    """

    @abstractmethod
    def account(self) -> str:
        """The account's identity, without a request where the vendor allows it."""

    @abstractmethod
    def check(self) -> CheckResult:
        """Can this connection do what exports need? A wrong key or data centre is a result, never an error."""

    @abstractmethod
    def prepare(
        self, wanted: TargetWanted, remembered: TargetFound | None, fields: Mapping[str, FieldType]
    ) -> TargetFound:
        """Find or create the target. `remembered` is what an earlier run used; `fields` are those of the data
        matching, for vendors where fields have to exist first.

        Raises UserMustAct `target_vanished` when a remembered list or one given by id is gone.
        """

    @abstractmethod
    def build(self, target: TargetFound, kind: Kind, row: Row) -> object:
        """Build what requests say of this one person; nothing is sent. Whatever it raises refuses this person, and
        nobody else of the batch. `target` may be one that is not known yet, with the id 0 and no details."""

    def form(self, target: TargetFound, kind: Kind, fields: Sequence[str]) -> Form | None:
        """How a bulk request writes people with values in these fields, for the engine to fill in (`Row.entry`). None
        where `deliver` writes everybody itself, as it does whoever has no entry."""
        return None

    def expect(self, expected: Prospect) -> None:
        """Hear before a slice's first batch what all of them may ask about."""
        return

    @abstractmethod
    def deliver(self, target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
        """Carry out one batch; called from several threads. Splits by bytes itself. An empty batch makes no request.

        Neither a change nor a removal creates a profile. Where the vendor's call would, the client first looks people
        up (`shared/vendors/presence.py`); for those whom the vendor does not have, nothing is sent.

        Raises RetryAfter only when nothing of the batch was done; once part of it was, it returns receipts.
        """

    @abstractmethod
    def members(self, target: TargetFound) -> Iterator[str]:
        """Addresses of everyone on the target, streamed. Raises as the others do."""

    def targets(self) -> Sequence[TargetFound]:
        """The lists that an export may write to, for pickers. Empty where the vendor cannot list them."""
        return []

    def warnings_of(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        """What people should know before an export writes to this target; nothing is made. `remembered` is as for
        `prepare`. Raises UserMustAct where no run could write to it."""
        return ()

    def field_types(self) -> Mapping[str, FieldType]:
        """Types that the account has fixed for its fields; fields not in it are free."""
        return {}

    def fits(self, wanted: TargetWanted, remembered: TargetFound | None, names: Collection[str]) -> Mapping[str, Fit]:
        """What these fields take on the target, where it tells more than the definition: options, for example. Nothing
        is made; a target that is not there tells nothing."""
        return {}

    def count(self, target: TargetFound) -> Count | None:
        """How many people are on the target, in a few requests; None where the vendor does not tell. As fresh as
        `Definition.fresh_seconds` says."""
        return None

    def people(self, target: TargetFound) -> Iterator[tuple[str, str | None]]:
        """As `members`, each with what the vendor shows of the person, as JSON for `beside`; None where it lists no
        values."""
        return ((address, None) for address in self.members(target))

    def beside(self, target: TargetFound, row: Row, shown: str) -> Seen:
        """A person whom `people` showed, beside the row that was sent; nobody is asked."""
        raise NotImplementedError("this vendor lists no values")

    def see(self, target: TargetFound, row: Row) -> Seen | None:
        """What the vendor shows of one person, beside the row that was sent; None where it shows no single people.
        As fresh as `count`."""
        return None

    def look_at(self, target: TargetFound, rows: Sequence[Row]) -> Sequence[Seen]:
        """What the vendor shows of these few people, in the order of the rows. Empty where it shows no single people.
        Asks for one person after the other; a vendor that can tell of several at once has a method of its own."""
        return [seen for row in rows if (seen := self.see(target, row)) is not None]

    def knows(
        self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]
    ) -> Sequence[bool] | None:
        """Which of these few people the vendor has already, in their order, on the target or off it; None where it does
        not tell. A vendor that keeps people list by list tells of the target's. Nothing is made."""
        return None

    def starts(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str] | None:
        """Names of the automations that start for whoever joins the target; None where the vendor does not tell.
        Nothing is made."""
        return None

    def opt_outs(self, lists: Sequence[str]) -> Sequence[OptOutRoll]:
        """The rolls of people who said no, of the whole account and of the lists with these ids; nothing is asked
        before one is read. Empty where the vendor has none that can be read."""
        return ()

    def opposed(self, target: TargetFound, rows: Sequence[Row]) -> Collection[int]:
        """Indexes of the rows whose person said no, as far as the vendor tells: to this target or to everything, or
        their address bounced or is suppressed. Rows have an address and perhaps an id. Raises as the others do."""
        return ()

    def settle(self, target: TargetFound, kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
        """What became of a staged batch: None while the vendor still works on it, its receipts, or another `staged`
        job where one thing had to be done after the other. Makes one request at most for many jobs asked in a row
        where the vendor can tell of several at once.
        """
        raise NotImplementedError("this vendor answers at once, so nothing is ever staged")

    def has_ended(self, kind: Kind, job: str) -> bool:
        """Is nothing of a staged batch under way at the vendor any more? Unlike `settle` it changes nothing: the
        engine asks about jobs that an earlier delivery left behind, whose rows are old by now."""
        raise NotImplementedError("this vendor answers at once, so nothing is ever staged")
