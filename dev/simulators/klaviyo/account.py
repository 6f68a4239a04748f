"""What one Klaviyo account holds: profiles with their consent, lists, import jobs."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from dev.simulators.klaviyo.settings import Consent, Settings

IDENTIFIERS = ("email", "phone_number", "external_id")
_ID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIRST_PROFILE = 0x018D8D6B7A5500000000000000000000


class Profile:
    """`created` and `updated` are epoch seconds; `suppressions` are reasons, `list_suppressions` list id -> since when.

    Its attributes are kept packed: a million people then fit in a few hundred megabytes.
    """

    __slots__ = (
        "_packed",
        "consent",
        "consent_changed",
        "created",
        "gone",
        "list_suppressions",
        "number",
        "suppressions",
        "updated",
    )

    def __init__(self, number: int, now: float) -> None:
        self.number = number
        self.created = self.updated = now
        self.consent: Consent = "NEVER_SUBSCRIBED"
        self.consent_changed = now
        self.suppressions: tuple[str, ...] = ()
        self.list_suppressions: Mapping[str, float] = {}
        self.gone = False
        self._packed = b"{}"

    @property
    def id(self) -> str:
        """26 letters and digits, as a ULID."""
        value, letters = _FIRST_PROFILE + self.number, []
        for _ in range(26):
            value, rest = divmod(value, 32)
            letters.append(_ID_LETTERS[rest])
        return "".join(reversed(letters))

    @property
    def attributes(self) -> dict[str, Any]:
        """A copy; give it back with `store`."""
        attributes: dict[str, Any] = orjson.loads(self._packed)
        return attributes

    def store(self, attributes: Mapping[str, Any]) -> None:
        # orjson hands out bytes with room behind them; a copy has none.
        self._packed = bytes(memoryview(orjson.dumps(attributes)))

    @property
    def email(self) -> str:
        found: str = self.attributes.get("email") or ""
        return found

    @property
    def can_receive(self) -> bool:
        return self.consent != "UNSUBSCRIBED" and not self.suppressions


class Flow(NamedTuple):
    id: str
    name: str
    status: str


@dataclass(slots=True, eq=False)
class MailingList:
    """`members` -> when they joined, `left` -> when they left; both are epoch seconds."""

    id: str
    name: str
    created: float
    updated: float
    opt_in: str = "single_opt_in"
    flows: tuple[Flow, ...] = ()
    members: dict[Profile, float] = field(default_factory=dict)
    left: dict[Profile, float] = field(default_factory=dict)
    _walk: list[tuple[float, int, Profile]] | None = None

    def join(self, profile: Profile, now: float) -> None:
        if profile not in self.members:
            self.members[profile] = now
            self.left.pop(profile, None)
            self._walk = None

    def leave(self, profile: Profile, now: float) -> None:
        if self.members.pop(profile, None) is not None:
            self.left[profile] = now
            self._walk = None

    def shows(self, profile: Profile, horizon: float) -> bool:
        """Whether a reader that sees things as they were at `horizon` finds the profile here."""
        joined = self.members.get(profile)
        return joined <= horizon if joined is not None else self.left.get(profile, 0.0) > horizon

    def walk(self) -> list[tuple[float, int, Profile]]:
        """All members by the moment they joined; kept until one comes or goes."""
        if self._walk is None:
            self._walk = sorted((at, profile.number, profile) for profile, at in self.members.items())
        return self._walk

    def count(self, horizon: float) -> int:
        if not self.left and (not self.walk() or self.walk()[-1][0] <= horizon):
            return len(self.members)
        known = bisect_right(self.walk(), horizon, key=lambda each: each[0])
        return known + sum(at > horizon for at in self.left.values())


class RowError(NamedTuple):
    """A row of an import that could not be carried out; `row` counts from 0."""

    row: int
    code: str
    title: str
    detail: str
    payload: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Job:
    """An import. Moments are epoch seconds; `packed` are its rows until they are carried out."""

    number: int
    account: str
    list_ids: tuple[str, ...]
    total: int
    created: float
    starts: float
    ends: float
    expires: float
    end_status: str
    packed: bytes = b""
    identifiers: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    done: bool = False
    errors: list[RowError] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Opaque, as the vendor's are."""
        text = f"{self.account}.maintenance.{self.number:08d}.{int(self.created)}"
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    def status(self, now: float) -> str:
        if now < self.starts:
            return "queued"
        if now < self.ends:
            return "processing"
        return self.end_status

    @property
    def is_endless(self) -> bool:
        return self.end_status in ("queued", "processing")

    def is_open(self, now: float) -> bool:
        return now < self.ends or self.is_endless


@dataclass
class Counts:
    """What no export should cause.

    `readded_after_unsubscribe`: people put back on a list that they had unsubscribed from. `flows_started`: people who
    newly joined a list that starts a flow which is not a draft. `dropped_rows`: rows that were lost in silence, since
    the same person was in another open job, or earlier in the same one. `recreated`: profiles made anew for people who
    had been erased. `forbidden_calls`: calls that touch consent or take people away, all of which are refused.
    """

    readded_after_unsubscribe: int = 0
    flows_started: int = 0
    dropped_rows: int = 0
    recreated: int = 0
    lists_deleted: int = 0
    lists_renamed: int = 0
    forbidden_calls: int = 0


class Account:
    """Everything of one account; `erased` are addresses."""

    def __init__(self, account_id: str, list_numbers: Iterator[int]) -> None:
        self.id = account_id
        self.lists: dict[str, MailingList] = {}
        self.jobs: dict[str, Job] = {}
        self.profiles: list[Profile] = []
        self.counts = Counts()
        self.erased: set[str] = set()
        self._by: dict[str, dict[str, Profile]] = {name: {} for name in IDENTIFIERS}
        self._list_numbers = list_numbers

    def create_list(self, name: str, now: float, list_id: str | None = None) -> MailingList:
        """Without `list_id` the list gets the next free one."""
        while list_id is None or list_id in self.lists:
            list_id = _list_id(next(self._list_numbers))
        made = self.lists[list_id] = MailingList(list_id, name, now, now)
        return made

    def create(self, now: float) -> Profile:
        profile = Profile(len(self.profiles), now)
        self.profiles.append(profile)
        return profile

    def by(self, identifier: str, value: object) -> Profile | None:
        """The profile with that email, phone number or external id; case makes no difference in an address."""
        return self._by[identifier].get(_key(identifier, str(value)))

    def by_id(self, profile_id: str) -> Profile | None:
        number = _number(profile_id)
        found = self.profiles[number] if number is not None and number < len(self.profiles) else None
        return found if found is not None and not found.gone else None

    def write(self, profile: Profile, attributes: Mapping[str, Any], now: float) -> None:
        """Store `attributes` in place of what the profile had."""
        old = profile.attributes
        for name in IDENTIFIERS:
            if (before := old.get(name)) and before != attributes.get(name):
                self._by[name].pop(_key(name, before), None)
            if after := attributes.get(name):
                self._by[name][_key(name, after)] = profile
        profile.store(attributes)
        profile.updated = now

    def add(self, mailing_list: MailingList, profile: Profile, now: float) -> None:
        """A call puts `profile` on a list: consent stays as it is."""
        if profile in mailing_list.members:
            return
        self.counts.readded_after_unsubscribe += mailing_list.id in profile.list_suppressions
        self.counts.flows_started += any(flow.status != "draft" for flow in mailing_list.flows)
        mailing_list.join(profile, now)

    def erase(self, profile: Profile) -> None:
        """Nobody finds `profile` any more."""
        self.erased.add(profile.email)
        for name in IDENTIFIERS:
            if value := profile.attributes.get(name):
                self._by[name].pop(_key(name, value), None)
        for mailing_list in self.lists.values():
            mailing_list.leave(profile, 0.0)
        profile.gone = True
        profile.store({})

    def people(self) -> Iterator[Profile]:
        return (profile for profile in self.profiles if not profile.gone)

    def open_jobs(self, now: float) -> Iterable[Job]:
        return (job for job in self.jobs.values() if job.is_open(now))

    def horizon(self, settings: Settings, now: float) -> float:
        """The moment whose state readers see."""
        return now - settings.stale_seconds


def _key(identifier: str, value: str) -> str:
    return value.lower() if identifier == "email" else value


def _list_id(number: int) -> str:
    """Six letters and digits, as Y6nRLr."""
    letters, value = [], 25_000_000 + number * 7_919
    for _ in range(5):
        value, rest = divmod(value, 32)
        letters.append(_ID_LETTERS[rest].lower() if rest % 2 else _ID_LETTERS[rest])
    return "Y" + "".join(letters)


def _number(profile_id: str) -> int | None:
    if len(profile_id) != 26 or any(letter not in _ID_LETTERS for letter in profile_id):
        return None
    value = 0
    for letter in profile_id:
        value = value * 32 + _ID_LETTERS.index(letter)
    value -= _FIRST_PROFILE
    return value if value >= 0 else None
