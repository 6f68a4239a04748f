"""The life of work under a vendor account's lease, the same for every kind of job.

A job lies in storage with a turn, and a queue message names both. Whoever receives the message takes the account's
lease, does what fits in a slice, and leaves the job with its next turn and that turn's message, or at its end. A
message of another turn is dropped; work that cannot have the lease, or loses it, is sent again; the timer sends the
message of a job that went silent; a message that fails too often ends its job. A kind says what its work is.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.catalog.models import Connection
from shared.cloud import telemetry
from shared.cloud.apart import apart, tell_trouble
from shared.cloud.cloud import Cloud
from shared.cloud.telemetry import Metric
from shared.delivery.account.lease import AccountLease, InUse, Taken, sent_again
from shared.delivery.account.waiting import WaitingMessage, WaitingRow, standing, ticket
from shared.delivery.messages import JobMessage
from shared.delivery.state.records import now
from shared.errors import Conflict, ExportError, LeaseLost, RetryAfter, UserMustAct
from shared.vendors.registry import definition
from shared.wording import STORED

log = logging.getLogger(__name__)

M = TypeVar("M", bound=JobMessage)
J = TypeVar("J")
C = TypeVar("C", bound="Course")
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class LeasedAccount:
    """Whose lease a job needs. `quiet_seconds` and `look` are as AccountLease has them."""

    id: str
    quiet_seconds: float = 0.0
    look: Callable[[], None] = lambda: None


class JobKind(ABC, Generic[M, J]):
    """One kind of job, `J`, and the messages `M` that carry it on. `words` name its work in the log."""

    words: ClassVar[str]
    poisoned: ClassVar[str]
    """What a person reads of a job whose message failed too often."""

    @abstractmethod
    def current(self, cloud: Cloud, message: M) -> J | None:
        """The job, where it waits for this very message."""

    def still(self, cloud: Cloud, message: M, job: J) -> J | None:
        """The job once the lease is held; None where another worker has carried it on since it was read."""
        return self.current(cloud, message)

    @abstractmethod
    def account(self, cloud: Cloud, job: J) -> LeasedAccount | None:
        """Whose lease it needs; None where nothing is left to do. Raises UserMustAct, which ends the job."""

    @abstractmethod
    def carry_on(self, cloud: Cloud, job: J, lease: AccountLease, clock: Clock) -> None:
        """Do what fits in a slice, and leave the job with its next message, or at its end."""

    @abstractmethod
    def fail(self, cloud: Cloud, job: J, words: str, clock: Clock) -> None:
        """End the job without what it was for; `words` are for people."""

    @abstractmethod
    def wake(self, cloud: Cloud, standing: Set[str] = frozenset(), *, clock: Clock = now) -> int:
        """Send the messages of silent jobs again; how many. For the timer. `standing` are tickets of messages that
        wait for an account: those jobs are silent, and well."""


def carry_out(kind: JobKind[M, J], cloud: Cloud, message: M, *, clock: Clock = now) -> None:
    """Do what a message asks for. Raises what a repetition of the message may mend."""
    job = kind.current(cloud, message)
    if job is None:
        log.info("%s: dropped a message of another turn.", kind.words)
        _give_way(cloud, message)
        return
    with sent_again(cloud.slices, message.body(), kind.words):
        try:
            account = kind.account(cloud, job)
        except UserMustAct as error:
            kind.fail(cloud, job, error.message, clock)
            account = None
        if account is None:
            _give_way(cloud, message)
            return

        def work(lease: AccountLease) -> None:
            if (held := kind.still(cloud, message, job)) is not None:
                kind.carry_on(cloud, held, lease, clock)

        _under_lease(cloud, account, message, work)


def _under_lease(
    cloud: Cloud, account: LeasedAccount, message: JobMessage, work: Callable[[AccountLease], None]
) -> None:
    """Work while the account is ours; where it is in use, stand in the row of those who are called. Raises Taken."""
    row = WaitingRow(cloud.waiting, cloud.slices, account.id, ticket(message.body()))
    for _ in range(2):  # the second time for the case that the account was left before we stood in the row
        lease = AccountLease(cloud.blobs, account.id, quiet_seconds=account.quiet_seconds, look=account.look, row=row)
        try:
            with lease:
                work(lease)
            return
        except InUse as error:
            if not row.stands:
                telemetry.measure(Metric.LEASE_WAITS, 1)
            if isinstance(error, Taken):
                raise
            row.stand(message.body(), account.quiet_seconds)


def call_next(cloud: Cloud, waiting: WaitingMessage, own: str = "") -> None:
    """Hold the account that somebody waits for during a moment, if it is free: whoever leaves it calls the first. `own`
    is the ticket of a message for which the account may be kept."""
    row = WaitingRow(cloud.waiting, cloud.slices, waiting.account, own)
    quiet = waiting.quiet_seconds
    with suppress(InUse), AccountLease(cloud.blobs, waiting.account, quiet_seconds=quiet, look=lambda: None, row=row):
        return


def _give_way(cloud: Cloud, message: JobMessage) -> None:
    """A message that asks for nothing any more waits for no account: whoever comes after it is called."""
    own = ticket(message.body())
    for waiting in standing(cloud.waiting, own):
        WaitingRow(cloud.waiting, cloud.slices, waiting.account).leave(own)
        call_next(cloud, waiting, own)


def fail_poisoned(kind: JobKind[M, J], cloud: Cloud, message: M, *, clock: Clock = now) -> None:
    """End the job of a message that was tried too often."""
    if (job := kind.current(cloud, message)) is not None:
        kind.fail(cloud, job, kind.poisoned, clock)


def leased(account: str, connection: Connection) -> LeasedAccount:
    """An account with as long a quiet as the connection's vendor needs."""
    return LeasedAccount(account, definition(connection.vendor).quiet_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A job that lies in a blob. Times are seconds since 1970; `due` moves on with each sign of life."""

    account: str
    started: float
    due: float
    turn: int = 1


class BlobKind(JobKind[M, C]):
    """A kind whose jobs lie in blobs below `folder`. After `patience` a job ends that waiting does not help."""

    folder: ClassVar[str]
    patience: ClassVar[timedelta]
    too_late: ClassVar[str]
    """What a person reads of a job that nobody carried to its end in that time."""

    def __init__(self, shape: type[C]) -> None:
        self._shape = TypeAdapter(shape)

    @abstractmethod
    def blob(self, of: C | M) -> str:
        """Where a course lies, which a message of it can tell as well."""

    @abstractmethod
    def message(self, course: C) -> M:
        """The message that the course waits for."""

    @abstractmethod
    def step(self, cloud: Cloud, course: C, lease: AccountLease, clock: Clock) -> None:
        """Do what fits in a slice; call `again`, or end it. Raises RetryAfter to be called later, and any other
        ExportError to end it."""

    def waiting(self, course: C, reason: str) -> C:
        """The course while it waits; where people see it, it tells why."""
        return course

    def is_over(self, course: C) -> bool:
        """Whether it ended, and is kept for people to see."""
        return False

    def tidy(self, cloud: Cloud, course: C, clock: Clock) -> None:
        """What the timer does with a course that is over."""

    def current(self, cloud: Cloud, message: M) -> C | None:
        course = self.read(cloud, self.blob(message))
        return course if course is not None and self.message(course) == message and not self.is_over(course) else None

    def carry_on(self, cloud: Cloud, job: C, lease: AccountLease, clock: Clock) -> None:
        try:
            self.step(cloud, job, lease, clock)
        except (LeaseLost, Conflict):
            raise
        except RetryAfter as error:
            lease.hold()
            if self._is_late(job, clock):
                self.fail(cloud, job, error.reason, clock)
            else:
                self.again(cloud, self.waiting(job, error.reason), error.seconds, clock)
        except ExportError as error:
            lease.hold()
            self.fail(cloud, job, error.words, clock)

    def wake(self, cloud: Cloud, standing: Set[str] = frozenset(), *, clock: Clock = now) -> int:
        woken = 0
        for name in [each for each in cloud.blobs.names(self.folder) if each.endswith(".json")]:
            with apart("wake", name):
                woken += self._wake(cloud, name, standing, clock)
        return woken

    def _wake(self, cloud: Cloud, name: str, standing: Set[str], clock: Clock) -> int:
        course = self.read(cloud, name, unreadable=lambda why: tell_trouble("wake", name, why))
        if course is None:
            return 0
        if self.is_over(course):
            self.tidy(cloud, course, clock)
        elif self.is_silent(cloud, course, clock) and self._is_late(course, clock):
            self.fail(cloud, course, self.too_late, clock)
        elif self.is_silent(cloud, course, clock) and ticket(self.message(course).body()) not in standing:
            self.begin(cloud, self.alive(course, clock))
            return 1
        return 0

    def begin(self, cloud: Cloud, course: C, delay: float = 0.0) -> None:
        """Write the course, then send its message: a worker that dies in between leaves it to the timer."""
        self.write(cloud, course)
        cloud.slices.send(self.message(course).body(), delay=delay)

    def again(self, cloud: Cloud, course: C, seconds: float, clock: Clock) -> None:
        """Give the course its next turn, after so many seconds."""
        self.begin(cloud, replace(course, turn=course.turn + 1, due=clock().timestamp() + seconds), seconds)

    def alive(self, course: C, clock: Clock) -> C:
        """The course with a sign of life."""
        return replace(course, due=clock().timestamp())

    def is_silent(self, cloud: Cloud, course: C, clock: Clock) -> bool:
        """Whether nobody seems to carry it on any more."""
        return clock().timestamp() - course.due > cloud.settings.stale_seconds

    def _is_late(self, course: C, clock: Clock) -> bool:
        return clock().timestamp() - course.started > self.patience.total_seconds()

    def read(self, cloud: Cloud, blob: str, *, unreadable: Callable[[str], None] = log.error) -> C | None:
        """A course; None where there is none, or none that can be read: it is left where it is, for a person."""
        stored = cloud.blobs.read(blob)
        if stored is None:
            return None
        try:
            course = self._shape.validate_json(stored[0])
        except ValidationError as error:
            unreadable(f"The job in {blob} cannot be read ({error.error_count()} problems): delete the blob.")
            return None
        if self.blob(course) != blob:
            unreadable(f"The job in {blob} belongs into {self.blob(course)}: delete the blob.")
            return None
        return course

    def write(self, cloud: Cloud, course: C) -> None:
        cloud.blobs.write(self.blob(course), self._shape.dump_json(course, context=STORED))


AnyKind = JobKind[Any, Any]
