"""Forgetting a person: a job that erases an address wherever it is kept, and leaves a certificate without it.

It goes through the accounts, one slice each at least: under an account's lease it erases the ledgers and what may still
be committed to them (`ledgers.py`). Then it erases events of all lists (`events.py`) and searches what deliveries left,
which needs no account; and erases what it found, and what had not ended yet, under the leases of the accounts that it
was for. An account that is in use keeps nobody else waiting, and is not kept longer than a slice.

A delivery that begins while it goes on plans from a ledger without the person, or gives way until there is one. What it
finds in its segment it delivers: people have to be gone from the source first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar

from shared.cloud.cloud import Cloud
from shared.delivery.account.lease import AccountLease
from shared.delivery.erase import certificates, deliveries, same_person
from shared.delivery.erase import events as happened
from shared.delivery.erase.certificates import Certificate, Remains
from shared.delivery.erase.ledgers import AccountLedgers, accounts
from shared.delivery.erase.places import EXPIRING, DeliveryFiles, EachHowFar, how_far
from shared.delivery.erase.places import deliveries as all_deliveries
from shared.delivery.erase.searching import Holding, batches, search
from shared.delivery.erase.whom import Whom
from shared.delivery.jobs import BlobKind, Clock, Course, LeasedAccount
from shared.delivery.messages import ForgetMessage
from shared.delivery.opt_outs import erasing as opt_outs
from shared.delivery.state import events, layout
from shared.delivery.state.events import EventFile
from shared.delivery.state.records import delivery_key, new_run_id, now
from shared.delivery.state.scratch import Scratch, scratch
from shared.delivery.verify import doctor
from shared.errors import Blocked, UserMustAct
from shared.vendors.registry import DEFINITIONS
from shared.wording import NOTHING, Said, say

T = TypeVar("T")

SEARCHING = "people.forgetting"
"""Whose lease searching takes: it reads for minutes, and needs no vendor's account."""
LONGEST_WAIT = 60.0
FIRST_WAIT = 2.0
"""Seconds between two looks whether a delivery has ended, at first and at the most."""
LATE_RUNS = timedelta(minutes=5)
"""Runs that began so long after the search did are not searched. Clocks of those who start runs differ less."""


class Stage(StrEnum):
    """How far it is."""

    BEGIN = "begin"
    LEDGERS = "ledgers"
    WAIT = "wait"
    """For ledgers whose list had a delivery that was half done."""
    EVENTS = "events"
    SEARCH = "search"
    FILES = "files"
    OVER = "over"


class Whereabouts(NamedTuple):
    """A ledger, or a delivery, by its account and folder."""

    account: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting(Course):
    """A request to forget somebody, under way.

    `account` is that of the next slice, and `accounts` follow it in this stage; what comes up to `after` is done.
    `waiting` are ledgers to come back to; `found` are deliveries that hold the person, or had not ended when they were
    searched, of runs that began up to `until`. `looked` and `erased` count by place; `waits` counts rounds in a row
    that brought nothing.
    """

    request: str
    whom: Whom
    asked_by: str
    stage: Stage = Stage.BEGIN
    accounts: list[str] = field(default_factory=list)
    after: str = ""
    until: str = ""
    waiting: list[Whereabouts] = field(default_factory=list)
    found: list[Whereabouts] = field(default_factory=list)
    looked: dict[str, int] = field(default_factory=dict)
    erased: dict[str, int] = field(default_factory=dict)
    remains: list[Remains] = field(default_factory=list)
    message: Said = NOTHING
    waits: int = 0


class _Kind(BlobKind[ForgetMessage, Forgetting]):
    words = "Forgetting"
    folder = layout.FORGETTING
    patience = timedelta(days=7)
    poisoned = say("Forgetting failed several times; the log has the details. Ask for it again.")
    too_late = say("Forgetting did not end within a week: ask for it again.")

    def blob(self, of: Forgetting | ForgetMessage) -> str:
        return layout.forgetting(of.request)

    def message(self, course: Forgetting) -> ForgetMessage:
        return ForgetMessage(course.request, course.turn)

    def account(self, cloud: Cloud, job: Forgetting) -> LeasedAccount:
        """The vendor is sent nothing, but whoever holds its account next must still wait for one that died."""
        quiet = max(each.quiet_seconds for each in DEFINITIONS.values()) if job.account != SEARCHING else 0.0
        return LeasedAccount(job.account, quiet)

    def step(self, cloud: Cloud, course: Forgetting, lease: AccountLease, clock: Clock) -> None:
        with scratch(cloud.settings) as room:
            done = _Slice(cloud, course, lease, room, clock).carry_on()
        lease.hold()
        if done.waits and self._is_late(done, clock):
            self._end(cloud, replace(done, remains=[*done.remains, *_late(done)]), clock)
        elif done.stage is Stage.OVER:
            self._end(cloud, done, clock)
        else:
            pause = min(FIRST_WAIT * 2 ** min(done.waits - 1, 10), LONGEST_WAIT) if done.waits else 0.0
            self.again(cloud, done, pause, clock)

    def fail(self, cloud: Cloud, job: Forgetting, words: str, clock: Clock) -> None:
        known = self.read(cloud, self.blob(job)) or job
        self._end(cloud, replace(known, remains=[*known.remains, Remains("", "", words)]), clock)

    def _end(self, cloud: Cloud, course: Forgetting, clock: Clock) -> None:
        """The certificate first, the blob last: one that dies in between ends once more."""
        made = Certificate(
            request=course.request,
            salt=course.whom.salt,
            hash=course.whom.hash,
            asked_by=course.asked_by,
            asked_at=datetime.fromtimestamp(course.started, UTC),
            ended_at=clock(),
            looked=course.looked,
            erased=course.erased,
            remains=course.remains,
        )
        certificates.write(cloud, made)
        cloud.blobs.delete(self.blob(course))


KIND = _Kind(Forgetting)


def start(cloud: Cloud, address: str, by: str, *, clock: Clock = now) -> Forgetting:
    """Start to forget somebody, or give the request for the same person that is under way. The address is not kept.
    Other addresses that ledgers know the person by are forgotten too, each by a request of its own: they come first,
    since nothing leads to them once the ledgers have forgotten this one."""
    for each in same_person.other_addresses(cloud, address):
        _start(cloud, each, by, clock)
    return _start(cloud, address, by, clock)


def _start(cloud: Cloud, address: str, by: str, clock: Clock) -> Forgetting:
    if known := next((each for each in under_way(cloud) if each.whom.is_it(address)), None):
        return known
    at = clock()
    made = Forgetting(
        account=SEARCHING,
        started=at.timestamp(),
        due=at.timestamp(),
        request=new_run_id(at),
        whom=Whom.of(address, events.salt(cloud.blobs)),
        asked_by=by,
    )
    KIND.begin(cloud, made)
    return made


def under_way(cloud: Cloud) -> Iterator[Forgetting]:
    """Requests that have not ended, the newest first."""
    for name in sorted(cloud.blobs.names(layout.FORGETTING), reverse=True):
        if (found := KIND.read(cloud, name)) is not None:
            yield found


def read(cloud: Cloud, request: str) -> Forgetting | None:
    """A request that has not ended."""
    return KIND.read(cloud, layout.forgetting(request))


@dataclass(slots=True)
class _Slice:
    """One slice. `course` is as it will be written."""

    cloud: Cloud
    course: Forgetting
    lease: AccountLease
    room: Scratch
    clock: Clock
    deadline: float = 0.0
    without_copies: bool = False

    def carry_on(self) -> Forgetting:
        """Do what fits in; the course as it goes on."""
        self.deadline = time.monotonic() + self.cloud.settings.slice_seconds
        work: dict[Stage, Callable[[], bool]] = {
            Stage.BEGIN: self._begin,
            Stage.LEDGERS: self._ledgers,
            Stage.WAIT: self._waiting_ledgers,
            Stage.EVENTS: self._events,
            Stage.SEARCH: self._search,
            Stage.FILES: self._files,
        }
        through = work[self.course.stage]()
        return _following(self.course) if through else self.course

    def _begin(self) -> bool:
        found = set(accounts(self.cloud))
        try:
            found |= opt_outs.accounts(self.cloud)
        except UserMustAct as error:
            self._remains("opt_outs", "", error.message)
        self._change(accounts=sorted(found))
        return True

    def _ledgers(self) -> bool:
        """Erase the ledgers of an account, but those of lists with a delivery that is half done."""
        if not self.course.after:
            self._copies()
        ledgers = self._account()
        folders = (each for each in ledgers.folders() if each > self.course.after)
        return self._in_time(folders, lambda folder: self._ledger(ledgers, folder))

    def _copies(self) -> None:
        """Erase what check-ups and readings of opt-outs took from the account's ledgers, once a slice: neither can take
        more while the account is ours, and either may once it was not."""
        if self.without_copies:
            return
        self.without_copies = True
        self._count(erased=Counter(check_ups=doctor.drop_files(self.cloud)))
        self._opt_outs()

    def _opt_outs(self) -> None:
        try:
            held = opt_outs.erase(self.cloud, self.course.account, self.course.whom.row)
        except UserMustAct as error:
            self._remains("opt_outs", self.course.account, error.message)
        else:
            self._count(erased=Counter(opt_outs=held))

    def _waiting_ledgers(self) -> bool:
        ledgers = self._account()
        folders = [each.folder for each in self.course.waiting if each.account == self.course.account]
        return self._in_time(folders, lambda folder: self._ledger(ledgers, folder))

    def _account(self) -> AccountLedgers:
        return AccountLedgers(self.cloud, self.course.account, self.course.request, self.course.whom, self.room)

    def _ledger(self, ledgers: AccountLedgers, folder: str) -> None:
        place = Whereabouts(self.course.account, folder)
        others = [each for each in self.course.waiting if each != place]
        self._change(after=folder)
        erased = Counter[str]()
        try:
            if export := ledgers.half_done(folder):
                ledgers.mark(folder)
                self._change(waiting=[*others, place], message=_waits_for(export))
                return
            self._copies()
            self.lease.hold()
            erased = ledgers.erase(folder)
        except Blocked as error:
            self._remains("ledgers", folder, error.message)
        self._change(waiting=others, waits=0)
        self._count(Counter(ledgers=1), erased)

    def _events(self) -> bool:
        """Erase what happened to the person, on every list."""
        course = self.course
        return self._in_time(happened.batches(self.cloud, course.whom, course.after), self._some_events)

    def _some_events(self, batch: Sequence[EventFile]) -> None:
        self.lease.hold()
        if not self.course.whom.event and not self.course.after:
            self._remains("events", "", happened.ASKED_BEFORE)
        erased = 0
        for file in batch:
            try:
                erased += happened.erase(self.cloud, self.room, self.course.whom, file)
            except Blocked as error:
                self._remains("events", file.name, error.message)
        self._change(after=batch[-1].name)
        self._count(Counter(events=len(batch)), Counter(events=erased))

    def _search(self) -> bool:
        """Find the deliveries that hold the person."""
        until = self.course.until or new_run_id(self.clock() + LATE_RUNS)[: len("20261122-144501")]
        self._change(until=until)
        standings = EachHowFar(self.cloud)
        listed = all_deliveries(self.cloud)
        wanted = (each for each in listed if each.folder > self.course.after and each.run <= until)
        return self._in_time(batches(wanted), lambda batch: self._search_some(batch, standings))

    def _search_some(self, batch: Sequence[DeliveryFiles], standings: EachHowFar) -> None:
        stand = {each.folder: standings.of(each) for each in batch}
        held = search(self.cloud, self.room, self.course.whom, [each for each in batch if stand[each.folder].ended])
        found = [
            Whereabouts(each.account or SEARCHING, folder)
            for folder, each in stand.items()
            if held.get(folder, Holding.PERHAPS) is not Holding.NO
        ]
        self._change(found=[*self.course.found, *found], after=batch[-1].folder)
        self._count(Counter(runs=len(batch)))

    def _files(self) -> bool:
        """Erase what was found of an account's deliveries, of those that have ended or wait for a decision."""
        mine = [each for each in self.course.found if each.account == self.course.account]
        return self._in_time(mine, self._delivery)

    def _delivery(self, place: Whereabouts) -> None:
        export, run, index = place.folder.split("/")[1:4]
        stored = self.cloud.runs.get(export, delivery_key(run, int(index)))
        found = how_far(stored) if stored else EXPIRING
        if not (found.ended or found.blocked):
            self._change(message=_waits_for(export))
            return
        self.lease.hold()
        erased = Counter[str]()
        try:
            erased = deliveries.erase(self.cloud, self.room, self.course.whom, place.folder)
        except Blocked as error:
            self._remains("runs", f"{export}/{run}", error.message, certificates.expires(self.cloud, export, run))
        self._change(found=[each for each in self.course.found if each != place], waits=0)
        self._count(erased=erased)

    def _in_time(self, each: Iterable[T], do: Callable[[T], None]) -> bool:
        """One after the other, for a slice; whether all were done. What was erased is written down at once, so that a
        worker that dies leaves it in the certificate."""
        for one in each:
            before = self.course.erased
            do(one)
            if self.course.erased != before:
                self.lease.hold()
                KIND.write(self.cloud, KIND.alive(self.course, self.clock))
            if time.monotonic() > self.deadline:
                return False
        return True

    def _change(self, **changes: object) -> None:
        self.course = replace(self.course, **changes)  # type: ignore[arg-type]

    def _count(self, looked: Counter[str] | None = None, erased: Counter[str] | None = None) -> None:
        known = self.course
        self._change(
            looked=dict(Counter(known.looked) + (looked or Counter())),
            erased=dict(Counter(known.erased) + (erased or Counter())),
        )

    def _remains(self, place: str, what: str, why: str, until: str = "") -> None:
        self._change(remains=[*self.course.remains, Remains(place, what, why, until)])


def _following(course: Forgetting) -> Forgetting:
    """The course with what follows an account that it is through with: the next account, or the next stage."""
    if course.accounts:
        stage = Stage.LEDGERS if course.stage is Stage.BEGIN else course.stage
        return replace(course, stage=stage, account=course.accounts[0], accounts=course.accounts[1:], after="")
    if course.stage in (Stage.BEGIN, Stage.LEDGERS, Stage.WAIT):
        waits = bool(course.waiting)
        return _visiting(course, Stage.WAIT, course.waiting, again=True) if waits else _alone(course, Stage.EVENTS)
    if course.stage is Stage.EVENTS:
        return _alone(course, Stage.SEARCH)
    if course.found:
        return _visiting(course, Stage.FILES, course.found, again=course.stage is Stage.FILES)
    return replace(course, stage=Stage.OVER)


def _alone(course: Forgetting, stage: Stage) -> Forgetting:
    """Begin a stage that needs no account."""
    return replace(course, stage=stage, account=SEARCHING, after="", waits=0, message=NOTHING)


def _visiting(course: Forgetting, stage: Stage, places: Sequence[Whereabouts], *, again: bool) -> Forgetting:
    """Begin a round through the accounts of these places; `again` after a pause, where there was one already."""
    first, *others = dict.fromkeys(each.account for each in places)
    return replace(
        course, stage=stage, account=first, accounts=others, after="", waits=course.waits + 1 if again else 0
    )


def _late(course: Forgetting) -> Iterator[Remains]:
    """What was waited for in vain."""
    places = {"ledgers": course.waiting, "runs": course.found}
    for place, left in places.items():
        yield from (Remains(place, each.folder, course.message) for each in left)


def _waits_for(export: str) -> str:
    return say("Waits for the end of a run of '%(export)s'.", export=export)
