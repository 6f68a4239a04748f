"""The doctor: compares the ledger of a target with its vendor, when a person asks for it, or an export that is to be
mended by itself. It changes nothing there.

A check-up is a blob, kept until the next one of the same target; a queue message carries it out under the account's
lease. In full it reads everyone on the target, which the vendor's rates must allow within one slice. What it found is
written first, and that it ended last: one that dies in between is carried out again, and writes the same names.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from shared.catalog.issues import NotFound, NotNow
from shared.catalog.models import Connection, Export
from shared.catalog.store import export_store
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import Opened, open_leased, usable_connection
from shared.delivery.account.lease import AccountLease
from shared.delivery.jobs import BlobKind, Clock, Course, LeasedAccount, leased
from shared.delivery.messages import DoctorMessage, RepairMessage
from shared.delivery.state import found, layout, ledger, lookup
from shared.delivery.state.files import BUCKETS
from shared.delivery.state.found import Findings, What
from shared.delivery.state.ledger import Commit, Ledger
from shared.delivery.state.lookup import KnownTarget
from shared.delivery.state.records import now
from shared.delivery.state.scratch import scratch
from shared.delivery.verify import advice, desk, members, values
from shared.delivery.verify.added import EarlierRuns
from shared.delivery.verify.desk import Desk
from shared.delivery.verify.members import Sides
from shared.delivery.verify.values import Values
from shared.errors import Unprocessable, UserMustAct
from shared.vendors.contract import Definition, TargetFound
from shared.vendors.registry import definition
from shared.wording import Said, say

_UNDER_WAY = say("A run of the export is under way: check again when it has ended.")


class CheckState(StrEnum):
    """How far a check-up is."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a check-up takes, told beforehand: requests to the vendor, and why a full one is not possible, if so, or
    compares no values."""

    count_requests: int
    full_requests: int
    not_in_full: str = ""
    without_values: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUp(Course):
    """One target beside its ledger. `mark` names its message; times are seconds since 1970.

    `members` and `maybe` are the ledger's; `counted` is the vendor's number, None where it tells none. After a full one
    `listed` people are at the vendor, `missing` of the ledger's are not, `strangers` are and are not the ledger's;
    `returned` are those of them whom we had taken off, `lost` those whom we added once; `differs` have other values, of
    `compared` people, or `without_values` says why none were compared. `advice` is for people. One that `mends` starts
    a repair of what it finds. Of one that is `cleared` the files with addresses are gone.
    """

    export: str
    target: int
    full: bool
    started_by: str
    mark: str
    state: CheckState = CheckState.RUNNING
    finished: float | None = None
    message: Said = ""
    members: int = 0
    maybe: int = 0
    counted: int | None = None
    listed: int | None = None
    missing: int | None = None
    strangers: int | None = None
    returned: int | None = None
    lost: int | None = None
    differs: int | None = None
    compared: int | None = None
    without_values: Said = ""
    mends: bool = False
    cleared: bool = False
    advice: list[Said] = field(default_factory=list)


class _Kind(BlobKind[DoctorMessage, CheckUp]):
    words = "A check-up"
    folder = layout.DOCTOR
    patience = timedelta(hours=6)
    poisoned = say("The check-up failed several times; the log has the details.")
    too_late = say("The check-up did not end within six hours: start it again.")

    def blob(self, of: CheckUp | DoctorMessage) -> str:
        return layout.check_up(of.export, of.target)

    def message(self, course: CheckUp) -> DoctorMessage:
        return DoctorMessage(course.export, course.target, course.mark)

    def account(self, cloud: Cloud, job: CheckUp) -> LeasedAccount | None:
        return leased(job.account, usable_connection(cloud, _export(cloud, job).connection))

    def step(self, cloud: Cloud, course: CheckUp, lease: AccountLease, clock: Clock) -> None:
        export = _export(cloud, course)
        connection = usable_connection(cloud, export.connection)
        opened = open_leased(cloud, connection, lease, export=export)
        compared, findings = _compare(cloud, course, _Place(export, connection, lease, opened, clock()))
        lease.hold()
        if findings is not None:
            found.write(cloud.blobs, course.export, course.target, findings)
        mends = course.mends and findings is not None and findings.total > 0
        ended = replace(compared, advice=advice.advice(compared, opened.definition), mends=mends)
        self.write(cloud, _ended(ended, CheckState.ENDED, "", clock))
        if mends:
            _ask_for_repair(cloud, ended)

    def waiting(self, course: CheckUp, reason: str) -> CheckUp:
        return replace(course, message=say("Waiting: %(why)s", why=reason))

    def fail(self, cloud: Cloud, job: CheckUp, words: str, clock: Clock) -> None:
        self.write(cloud, _ended(job, CheckState.FAILED, words, clock))

    def is_over(self, course: CheckUp) -> bool:
        return course.state is not CheckState.RUNNING

    def tidy(self, cloud: Cloud, course: CheckUp, clock: Clock) -> None:
        """Drop the files with addresses once they are a day old, and remember that: the timer sees it at every tick.
        Ask for the repair again that nobody started."""
        if course.cleared:
            return
        if clock().timestamp() - (course.finished or 0.0) > found.KEPT.total_seconds():
            cloud.blobs.delete(layout.differences(course.export, course.target))
            found.drop(cloud.blobs, course.export, course.target)
            if self.read(cloud, self.blob(course)) == course:  # else another one began
                self.write(cloud, replace(course, cleared=True))
        elif course.mends and course.state is CheckState.ENDED:
            _ask_for_repair(cloud, course)


KIND = _Kind(CheckUp)


def cost(cloud: Cloud, export: Export, target: int) -> Cost:
    """Raises NotFound, Blocked for a damaged ledger, and Unprocessable where the export has no vendor."""
    known, vendor = _target(cloud, export, target), _definition(cloud, export)
    return _cost(ledger.read(cloud.blobs, known.ledger).members, vendor)


def start(
    cloud: Cloud, export: Export, target: int, *, full: bool, by: str, mends: bool = False, clock: Clock = now
) -> CheckUp:
    """Start a check-up, or give the one that is under way. One that `mends` starts a repair of what it finds.

    Raises NotFound, Unprocessable `nothing_delivered` and `too_many_members`, NotNow while a run is under way.
    """
    known, vendor = _target(cloud, export, target), _definition(cloud, export)
    if not known.memory.get("list_id"):
        raise Unprocessable("nothing_delivered", say("Nothing was delivered to this target yet: run the export first."))
    if known.memory.get("open"):
        raise NotNow("run_under_way", _UNDER_WAY)
    before, at = read(cloud, export.name, target), clock().timestamp()
    if before and not KIND.is_over(before) and not KIND.is_silent(cloud, before, clock):
        return before
    takes = _cost(ledger.read(cloud.blobs, known.ledger).members, vendor)
    if full and takes.not_in_full:
        raise Unprocessable("too_many_members", takes.not_in_full)
    made = CheckUp(
        export=export.name,
        target=target,
        account=export.account,
        full=full,
        started=at,
        started_by=by,
        due=at,
        mark=secrets.token_hex(4),
        mends=mends,
    )
    cloud.blobs.delete(layout.differences(export.name, target))
    found.drop(cloud.blobs, export.name, target)
    KIND.begin(cloud, made)
    return made


def read(cloud: Cloud, export: str, target: int) -> CheckUp | None:
    """The latest check-up of a target."""
    return KIND.read(cloud, layout.check_up(export, target))


def drop_files(cloud: Cloud) -> int:
    """Delete every file with addresses, for who is to be forgotten; how many people could fetch."""
    found.drop_all(cloud.blobs)
    names = [each for each in cloud.blobs.names(layout.DOCTOR) if not each.endswith(".json")]
    for name in names:
        cloud.blobs.delete(name)
    return len(names)


def _export(cloud: Cloud, made: CheckUp) -> Export:
    stored = export_store(cloud.exports).get(made.export)
    if stored is None or stored.item.account != made.account:
        raise UserMustAct("export_changed", say("The export was deleted, or leads to another account now."))
    return stored.item


@dataclass(frozen=True, slots=True)
class _Place:
    """What a check-up is carried out with."""

    export: Export
    connection: Connection
    lease: AccountLease
    opened: Opened
    at: datetime


def _compare(cloud: Cloud, made: CheckUp, place: _Place) -> tuple[CheckUp, Findings | None]:
    """The check-up with its numbers; in full also what a repair may mend. Raises NotNow where a run is under way."""
    known, vendor = _target(cloud, place.export, made.target), place.opened.vendor
    if known.memory.get("open"):
        raise NotNow("run_under_way", _UNDER_WAY)
    kept = ledger.read(cloud.blobs, known.ledger, committed=Commit.of(known.memory))
    target = TargetFound(str(known.memory["list_id"]), str(known.memory.get("list_name", "")))
    maybe = sum(each.maybe for each in kept.files)
    count = vendor.count(target)
    counted = replace(made, members=kept.members - maybe, maybe=maybe, counted=count.people if count else None)
    return _in_full(cloud, counted, place, kept, target) if made.full else (counted, None)


def _in_full(
    cloud: Cloud, made: CheckUp, place: _Place, kept: Ledger, target: TargetFound
) -> tuple[CheckUp, Findings | None]:
    index, account = made.target, place.export.account
    folder = f"{layout.found_folder(made.export, index)}{made.mark}/"
    with scratch(cloud.settings) as room, ExitStack() as stack:
        work = desk.desk(
            cloud,
            place.export,
            index,
            mark=made.mark,
            at=place.at,
            connection=place.connection,
            lease=place.lease,
            opened=place.opened,
            room=room,
        )
        least = max((BUCKETS // (each.last - each.first + 1) for each in kept.files), default=1)
        shown, why = _values(stack, work, kept)
        earlier = EarlierRuns(cloud, made.export, index, account, work.delivery.target_key, room.where)
        connection = stack.enter_context(room.database())
        sides = Sides(
            kept,
            place.opened.vendor.people(target),
            shown.staged.parts if shown else least,
            partial(earlier.find, connection),
            partial(shown.compare, connection) if shown else lambda part: 0,
        )
        lines = layout.differences(made.export, index)
        compared = members.compare(connection, cloud.blobs, sides, room.where, lines=lines, folder=folder)
    counts = compared.counts
    people: dict[str, int] = {What.MISSING: counts.missing, What.LOST: counts.lost, What.DIFFERS: counts.differs}
    findings = Findings(Commit(kept.commit, kept.generation), place.at.timestamp(), people, compared.files)
    return replace(made, **asdict(counts), without_values=why), findings


def _values(stack: ExitStack, work: Desk, kept: Ledger) -> tuple[Values | None, str]:
    """What compares values; None where none are compared, and why in words."""
    if not work.export.matching:
        return None, ""
    if why := _without_values(kept.members, work.opened.definition):
        return None, why
    target = desk.delivered_target(work.cloud, work.export.name, kept)
    if target is None:
        return None, _DETAILS_GONE
    try:
        return stack.enter_context(values.values(work, target, kept)), ""
    except UserMustAct as error:
        return None, error.message


_DETAILS_GONE = say("Values were not compared: the last delivery is too long ago. They are after the next one.")


def _without_values(people: int, vendor: Definition) -> str:
    if vendor.lists_values or people <= values.MOST_LOOKED_AT:
        return ""
    return say(
        "%(vendor)s shows people's values one by one only, so they are compared on lists of up to %(most)s people. A "
        "full resync sends everyone's values again.",
        vendor=vendor.label,
        most=values.MOST_LOOKED_AT,
    )


def _ask_for_repair(cloud: Cloud, made: CheckUp) -> None:
    cloud.slices.send(RepairMessage(made.export, made.target, made.mark).body())


def _ended(made: CheckUp, state: CheckState, message: str, clock: Clock) -> CheckUp:
    return replace(made, state=state, message=message, finished=clock().timestamp())


def _cost(members: int, vendor: Definition) -> Cost:
    pages = -(-max(members, 1) // vendor.members_page)
    too_many = ""
    if members > vendor.most_members:
        too_many = say(
            "%(vendor)s allows %(most)s people to be read at once, and the record has %(members)s: only their "
            "number can be compared. A full resync sends everyone again.",
            vendor=vendor.label,
            most=vendor.most_members,
            members=members,
        )
    looks = 0 if vendor.lists_values or members > values.MOST_LOOKED_AT else members
    return Cost(1, 1 + pages + looks, too_many, _without_values(members, vendor))


def _target(cloud: Cloud, export: Export, target: int) -> KnownTarget:
    if not 0 <= target < len(export.targets):
        raise NotFound("target", str(target))
    return lookup.target(cloud, export, target)


def _definition(cloud: Cloud, export: Export) -> Definition:
    try:
        return definition(usable_connection(cloud, export.connection).vendor)
    except UserMustAct as error:
        raise Unprocessable(error.code, error.message) from None
