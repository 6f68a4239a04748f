"""Opt-outs come back: who unsubscribed, bounced, was suppressed or deleted at a vendor, among the people that we sent.

A reading is a job of its own. Slice by slice it reads the vendor's rolls, lands what is new as a part of the
connection's folder, has the model.json name that part, and remembers how far it got, in this order: a worker that dies
in between writes the same part once more. The next reading begins where the last one ended.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from shared.catalog.issues import NotFound
from shared.catalog.models import Connection
from shared.catalog.store import connection_store
from shared.catalog.targets import TargetStore
from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import open_leased, usable
from shared.delivery.account.lease import AccountLease
from shared.delivery.jobs import BlobKind, Clock, Course, LeasedAccount, leased
from shared.delivery.messages import CollectMessage
from shared.delivery.opt_outs import gathering, record
from shared.delivery.opt_outs.gathering import Lines, SentList
from shared.delivery.opt_outs.landing import Landing
from shared.delivery.opt_outs.model import Part
from shared.delivery.opt_outs.record import OptOutReading, OptOutRecord, ReadingState
from shared.delivery.state import layout
from shared.delivery.state.records import now
from shared.delivery.state.scratch import database, folder
from shared.errors import ExportError, RetryAfter, Unprocessable, UserMustAct
from shared.vendors.contract import Definition
from shared.vendors.opt_outs import OptOutRoll
from shared.wording import say

log = logging.getLogger(__name__)

WHOLE_EVERY = timedelta(days=7)
"""Everybody is read so often: also who opted out before we sent them, and who was met by no page."""
DAILY = timedelta(hours=20)
"""A reading that began no longer ago is today's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting(Course):
    """A reading that is under way; how far it is, is in the connection's record."""

    connection: str
    mark: str


class _Kind(BlobKind[CollectMessage, Collecting]):
    words = "A reading of opt-outs"
    folder = layout.COLLECTING
    patience = timedelta(hours=18)
    poisoned = say("Reading who opted out failed several times; the log has the details. Have them read again.")
    too_late = say("Reading who opted out did not end within 18 hours: have them read again.")

    def blob(self, of: Collecting | CollectMessage) -> str:
        return layout.collecting(of.connection)

    def message(self, course: Collecting) -> CollectMessage:
        return CollectMessage(course.connection, course.mark, course.turn)

    def account(self, cloud: Cloud, job: Collecting) -> LeasedAccount | None:
        return leased(job.account, _connection(cloud, job))

    def step(self, cloud: Cloud, course: Collecting, lease: AccountLease, clock: Clock) -> None:
        connection = _connection(cloud, course)
        kept = _kept(cloud, connection, course.mark)
        if kept.reading is not None and kept.reading.state is ReadingState.RUNNING:
            kept = _Slice(cloud, connection, lease, clock, kept, kept.reading).carry_out()
        if kept.reading is not None and kept.reading.state is ReadingState.RUNNING:
            self.again(cloud, course, 0.0, clock)
        else:
            _sweep(cloud, connection, kept)
            _finish(cloud, course)

    def fail(self, cloud: Cloud, job: Collecting, words: str, clock: Clock) -> None:
        with suppress(UserMustAct):
            kept = record.read(cloud, job.connection)
            if kept and kept.reading and kept.reading.mark == job.mark:
                ended = replace(kept.reading, state=ReadingState.FAILED, message=words, finished=clock().timestamp())
                record.write(cloud, job.connection, replace(kept, reading=ended))
        _finish(cloud, job)


KIND = _Kind(Collecting)


def _sweep(cloud: Cloud, connection: Connection, kept: OptOutRecord) -> None:
    """Delete the files of parts that count no more."""
    assert connection.opt_outs is not None
    landing = Landing(cloud, connection.name, connection.opt_outs)
    for part in kept.gone:
        landing.drop(part)
    if kept.gone:
        record.write(cloud, connection.name, replace(kept, gone=()))


def _finish(cloud: Cloud, course: Collecting) -> None:
    cloud.blobs.delete(layout.collecting(course.connection))


def start(cloud: Cloud, name: str, by: str, *, afresh: bool = False, clock: Clock = now) -> OptOutReading:
    """Start a reading, or give the one that is under way. `afresh`: whoever is in a roll now takes the place of all who
    were landed before.

    Raises NotFound, and Unprocessable where the connection does not say where to, or cannot be used.
    """
    held = connection_store(cloud.connections).get(name)
    if held is None:
        raise NotFound("connection", name)
    connection = held.item
    require_ready(connection)
    kept = _current(cloud, connection)
    under_way = KIND.read(cloud, layout.collecting(name))
    alive = under_way is not None and not KIND.is_silent(cloud, under_way, clock)
    if alive and under_way and kept.reading and kept.reading.mark == under_way.mark:
        return kept.reading
    at = clock().timestamp()
    whole = afresh or at - kept.whole_at > WHOLE_EVERY.total_seconds()
    reading = OptOutReading(mark=secrets.token_hex(4), started=at, started_by=by, whole=whole, afresh=afresh)
    record.write(cloud, name, replace(kept, reading=reading, gone=kept.left_over))
    KIND.begin(
        cloud,
        Collecting(account=str(connection.account), started=at, due=at, connection=name, mark=reading.mark),
    )
    return reading


def start_due(cloud: Cloud, *, clock: Clock = now) -> int:
    """Start the readings of connections that want one every day; how many. For the timer, once a day: one connection's
    trouble is not another's."""
    started = 0
    for held in connection_store(cloud.connections).all():
        wanted = held.item.opt_outs
        if wanted is None or not wanted.daily or held.item.disabled:
            continue
        with apart("opt-outs", held.item.name):
            started += _start_due(cloud, held.item, clock)
    return started


def _start_due(cloud: Cloud, connection: Connection, clock: Clock) -> bool:
    kept = record.read(cloud, connection.name)
    if kept and kept.reading and clock().timestamp() - kept.reading.started < DAILY.total_seconds():
        begun = kept.reading.state is not ReadingState.RUNNING or cloud.blobs.exists(layout.collecting(connection.name))
        if begun:  # else whoever was about to start it died
            return False
    try:
        start(cloud, connection.name, "", clock=clock)
    except UserMustAct as error:
        log.warning("Opt-outs of the connection %s are due but cannot be read: %s", connection.name, error.message)
        return False
    return True


def require_ready(connection: Connection) -> None:
    """Raises Unprocessable where opt-outs cannot be read over the connection now."""
    if connection.opt_outs is None:
        raise Unprocessable(
            "opt_outs_nowhere", say("The connection does not say where opt-outs are landed: give it a location.")
        )
    if connection.account is None:
        raise Unprocessable("not_checked", say("Check the connection first: its account is not known yet."))
    try:
        usable(connection, connection.name)
    except UserMustAct as error:
        raise Unprocessable(error.code, error.message) from None


def _connection(cloud: Cloud, course: Collecting) -> Connection:
    """Raises UserMustAct, which ends the job."""
    held = connection_store(cloud.connections).get(course.connection)
    connection = usable(held.item if held else None, course.connection)
    if connection.opt_outs is None or connection.account != course.account:
        raise UserMustAct("opt_outs_changed", say("The connection was changed meanwhile: read its opt-outs again."))
    return connection


def _current(cloud: Cloud, connection: Connection) -> OptOutRecord:
    """What is known, as far as it holds for the connection as it is now: another folder is empty, and what was read of
    another account says nothing of this one."""
    fresh, kept = blank(connection), record.read(cloud, connection.name)
    if kept is None:
        return fresh
    kept = kept.at(fresh.location)
    if kept.account == fresh.account:
        return kept
    return replace(fresh, parts=kept.parts, former=kept.former, gone=kept.left_over)


def blank(connection: Connection) -> OptOutRecord:
    """The record of a connection of which nothing was read."""
    assert connection.opt_outs is not None
    return OptOutRecord(account=str(connection.account), location=connection.opt_outs.location)


def _kept(cloud: Cloud, connection: Connection, mark: str) -> OptOutRecord:
    """Raises UserMustAct where it is another reading's, or of another folder."""
    kept = _current(cloud, connection)
    if kept.reading is None or kept.reading.mark != mark:
        raise UserMustAct("opt_outs_changed", say("The connection was changed meanwhile: read its opt-outs again."))
    return kept


@dataclass(slots=True)
class _Slice:
    """One slice of a reading."""

    cloud: Cloud
    connection: Connection
    lease: AccountLease
    clock: Clock
    kept: OptOutRecord
    reading: OptOutReading
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.cloud.settings.slice_seconds

    def carry_out(self) -> OptOutRecord:
        """The record with how far this slice got. Raises what a vendor's calls raise, once that is kept."""
        opened = open_leased(self.cloud, self.connection, self.lease)
        lists = list(_lists(self.cloud, str(self.connection.account)))
        rolls = opened.vendor.opt_outs([each.list_id for each in lists])
        with folder() as where, closing(Lines(where / "told.csv")) as lines:
            trouble: ExportError | None = None
            try:
                self._read(rolls, lines)
            except (RetryAfter, UserMustAct) as error:
                trouble = error
            self._land(lines, lists, opened.definition, where)
        if trouble is not None:
            raise trouble
        return self.kept

    def _read(self, rolls: Sequence[OptOutRoll], lines: Lines) -> None:
        """Roll after roll, as long as there is time: a page at least, since a slice is to get further."""
        left = [each for each in rolls if each.name not in self.reading.done]
        for number, roll in enumerate(left):
            if number and time.monotonic() > self.deadline:
                return
            try:
                if not self._read_roll(roll, lines):
                    return
            except UserMustAct as error:
                if error.code != "target_vanished" or not roll.list_id:
                    raise
                self.reading = replace(self.reading, lost=(*self.reading.lost, roll.list_id))
            self.reading = replace(self.reading, done=(*self.reading.done, roll.name), roll="", place="")
        self.reading = replace(self.reading, state=ReadingState.ENDED, finished=self.clock().timestamp())

    def _read_roll(self, roll: OptOutRoll, lines: Lines) -> bool:
        """Whether it was read to its end."""
        since = "" if self.reading.whole else self.kept.since.get(roll.name, "")
        place = self.reading.place if self.reading.roll == roll.name else ""
        while True:
            page = roll.read(since, place)
            lines.add(roll.list_id, page.people)
            newest = max([self.reading.newest.get(roll.name, ""), *(each.at for each in page.people)])
            place = page.after or ""
            self.reading = replace(
                self.reading, roll=roll.name, place=place, newest={**self.reading.newest, roll.name: newest}
            )
            if page.after is None:
                return True
            if time.monotonic() > self.deadline:
                return False

    def _land(self, lines: Lines, lists: Sequence[SentList], vendor: Definition, where: Path) -> None:
        """The part's files, then the model.json that names it, then the record."""
        before, found = self.reading.parts if self.reading.afresh else self.kept.parts, dict[str, int]()
        at = self.clock().isoformat(timespec="seconds")
        wanted = self.connection.opt_outs
        assert wanted is not None
        landing = Landing(self.cloud, self.connection.name, wanted)
        landed = before
        if lines.count:
            with database(self.cloud.settings, where) as found_in:
                gathering.sift(self.cloud, found_in, lines, lists, where)
                gathering.forget_landed(found_in, landing, before, where)
                found = gathering.counts(found_in)
                if found:
                    part = Part(self.kept.next_number, sum(found.values()), at)
                    told = {"vendor": vendor.name, "connection": self.connection.name, "found_at": at}
                    gathering.save(found_in, told, where / "part.csv", where / "part.parquet")
                    self.lease.hold()
                    landing.upload(part.parquet, where / "part.parquet")  # first: forgetting looks for it
                    landing.upload(part.csv, where / "part.csv")
                    landed = (*before, part)
        self.kept = _with(self.kept, replace(self.reading, found=record.added(self.reading.found, found)), landed)
        self.lease.hold()
        landing.publish(self.kept.parts, at)
        record.write(self.cloud, self.connection.name, self.kept)


def _with(kept: OptOutRecord, reading: OptOutReading, landed: tuple[Part, ...]) -> OptOutRecord:
    """The record after a slice. What was read afresh takes the place of what was landed before at the reading's end."""
    ended = reading.state is ReadingState.ENDED
    if not reading.afresh:
        return _ended(replace(kept, parts=landed, reading=reading), reading)
    if not ended:
        return replace(kept, reading=replace(reading, parts=landed))
    gone = (*kept.gone, *kept.parts)
    return _ended(replace(kept, parts=landed, gone=gone, reading=replace(reading, parts=())), reading)


def _ended(kept: OptOutRecord, reading: OptOutReading) -> OptOutRecord:
    """The record after a slice: at the reading's end the next one begins where this one was."""
    if reading.state is not ReadingState.ENDED:
        return kept
    newest = {roll: at for roll, at in reading.newest.items() if at}
    whole_at = reading.started if reading.whole else kept.whole_at
    return replace(kept, since={**kept.since, **newest}, whole_at=whole_at)


def _lists(cloud: Cloud, account: str) -> Iterator[SentList]:
    """The lists of an account that exports ever sent people to, each once."""
    seen = set[str]()
    for claim in TargetStore(cloud.targets).claims(account):
        list_id = str(claim.memory.get("list_id") or "")
        where = str(claim.memory.get("ledger") or layout.ledger_folder(account, claim.key))
        if list_id and where not in seen:
            seen.add(where)
            yield SentList(list_id, str(claim.memory.get("list_name") or ""), where)
