"""The doctor: compares the ledger of a target with its vendor, when a person asks for it. It changes nothing there.

A check-up is a blob, kept until the next one of the same target; a queue message carries it out under the account's
lease. In full it reads everyone on the target, which the vendor's rates must allow within one slice.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from shared.catalog.issues import NotFound, NotNow
from shared.catalog.models import Export
from shared.catalog.store import export_store
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import Opened, open_leased, usable_connection
from shared.delivery.account.lease import AccountLease
from shared.delivery.jobs import BlobKind, Clock, Course, LeasedAccount, leased
from shared.delivery.messages import DoctorMessage
from shared.delivery.state import layout, ledger, lookup
from shared.delivery.state.ledger import Commit
from shared.delivery.state.lookup import KnownTarget
from shared.delivery.state.records import now
from shared.delivery.verify import members
from shared.errors import Unprocessable, UserMustAct
from shared.vendors.contract import Definition, TargetFound
from shared.vendors.registry import definition
from shared.wording import Message, Said, say, say_many

KEPT = timedelta(days=1)
"""For so long the file with addresses is kept."""
_UNDER_WAY = say("A run of the export is under way: check again when it has ended.")


class CheckState(StrEnum):
    """How far a check-up is."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a check-up takes, told beforehand: requests to the vendor, and why a full one is not possible, if so."""

    count_requests: int
    full_requests: int
    not_in_full: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUp(Course):
    """One target beside its ledger. `mark` names its message; times are seconds since 1970.

    `members` and `maybe` are the ledger's; `counted` is the vendor's number, None where it tells none. After a full one
    `listed` people are at the vendor, `missing` of the ledger's are not, `strangers` are and are not the ledger's;
    `returned` are those of them whom we had taken off. `advice` is for people.
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
    advice: list[Said] = field(default_factory=list)


class _Kind(BlobKind[DoctorMessage, CheckUp]):
    words = "A check-up"
    folder = layout.DOCTOR
    patience = timedelta(hours=6)
    poisoned = say("The check-up failed several times; the log has the details.")
    too_late = say("Nobody got to the end of the check-up in six hours: start it again.")

    def blob(self, of: CheckUp | DoctorMessage) -> str:
        return layout.check_up(of.export, of.target)

    def message(self, course: CheckUp) -> DoctorMessage:
        return DoctorMessage(course.export, course.target, course.mark)

    def account(self, cloud: Cloud, job: CheckUp) -> LeasedAccount | None:
        return leased(job.account, usable_connection(cloud, _export(cloud, job).connection))

    def step(self, cloud: Cloud, course: CheckUp, lease: AccountLease, clock: Clock) -> None:
        export = _export(cloud, course)
        opened = open_leased(cloud, usable_connection(cloud, export.connection), lease, export=export)
        found = _compare(cloud, course, _target(cloud, export, course.target), opened)
        lease.hold()
        ended = replace(found, advice=_advice(found, opened.definition))
        self.write(cloud, _ended(ended, CheckState.ENDED, "", clock))

    def waiting(self, course: CheckUp, reason: str) -> CheckUp:
        return replace(course, message=say("Waiting: %(why)s", why=reason))

    def fail(self, cloud: Cloud, job: CheckUp, words: str, clock: Clock) -> None:
        self.write(cloud, _ended(job, CheckState.FAILED, words, clock))

    def is_over(self, course: CheckUp) -> bool:
        return course.state is not CheckState.RUNNING

    def tidy(self, cloud: Cloud, course: CheckUp, clock: Clock) -> None:
        """Drop the file with addresses once it is a day old."""
        if clock().timestamp() - (course.finished or 0.0) > KEPT.total_seconds():
            cloud.blobs.delete(layout.differences(course.export, course.target))


KIND = _Kind(CheckUp)


def cost(cloud: Cloud, export: Export, target: int) -> Cost:
    """Raises NotFound, Blocked for a damaged ledger, and Unprocessable where the export has no vendor."""
    known, vendor = _target(cloud, export, target), _definition(cloud, export)
    return _cost(ledger.read(cloud.blobs, known.ledger).members, vendor)


def start(cloud: Cloud, export: Export, target: int, *, full: bool, by: str, clock: Clock = now) -> CheckUp:
    """Start a check-up, or give the one that is under way.

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
    )
    cloud.blobs.delete(layout.differences(export.name, target))
    KIND.begin(cloud, made)
    return made


def read(cloud: Cloud, export: str, target: int) -> CheckUp | None:
    """The latest check-up of a target."""
    return KIND.read(cloud, layout.check_up(export, target))


def drop_files(cloud: Cloud) -> int:
    """Delete every file with addresses, for who is to be forgotten; how many."""
    names = [each for each in cloud.blobs.names(layout.DOCTOR) if not each.endswith(".json")]
    for name in names:
        cloud.blobs.delete(name)
    return len(names)


def _export(cloud: Cloud, made: CheckUp) -> Export:
    stored = export_store(cloud.exports).get(made.export)
    if stored is None or stored.item.account != made.account:
        raise UserMustAct("export_changed", say("The export was deleted, or leads to another account now."))
    return stored.item


def _compare(cloud: Cloud, made: CheckUp, known: KnownTarget, opened: Opened) -> CheckUp:
    """The check-up with its numbers. Raises NotNow where a run is under way."""
    if known.memory.get("open"):
        raise NotNow("run_under_way", _UNDER_WAY)
    kept = ledger.read(cloud.blobs, known.ledger, committed=Commit.of(known.memory))
    target = TargetFound(str(known.memory["list_id"]), str(known.memory.get("list_name", "")))
    maybe = sum(each.maybe for each in kept.files)
    count = opened.vendor.count(target)
    found = replace(made, members=kept.members - maybe, maybe=maybe, counted=count.people if count else None)
    if not made.full:
        return found
    name = layout.differences(made.export, made.target)
    return replace(found, **asdict(members.compare(cloud, kept, opened.vendor.members(target), name)))


def _ended(made: CheckUp, state: CheckState, message: str, clock: Clock) -> CheckUp:
    return replace(made, state=state, message=message, finished=clock().timestamp())


def _advice(found: CheckUp, vendor: Definition) -> list[str]:
    word, label = vendor.target_word, vendor.label
    if not found.full:
        return _advice_of_count(found, word, label)
    said: list[str] = []
    if found.missing:
        said.append(
            say_many(
                "%(num)s person whom the export put on the %(target)s is not there. Who unsubscribed, bounced or was "
                "deleted in %(vendor)s stays off it; to send everyone again, run the export with the kind "
                "full_resync.",
                "%(num)s people whom the export put on the %(target)s are not there. Who unsubscribed, bounced or "
                "was deleted in %(vendor)s stays off it; to send everyone again, run the export with the kind "
                "full_resync.",
                found.missing,
                target=Message(word),
                vendor=label,
            )
        )
    if found.returned:
        said.append(
            say_many(
                "%(num)s person whom the export took off is on the %(target)s again.",
                "%(num)s people whom the export took off are on the %(target)s again.",
                found.returned,
                target=Message(word),
            )
        )
    if found.strangers:
        said.append(
            say_many(
                "%(num)s person on the %(target)s is not from this export, which never takes them off: where they do "
                "not belong there, take them off in %(vendor)s.",
                "%(num)s people on the %(target)s are not from this export, which never takes them off: where they "
                "do not belong there, take them off in %(vendor)s.",
                found.strangers,
                target=Message(word),
                vendor=label,
            )
        )
    return said or [say("The record and the %(target)s agree.", target=Message(word))]


def _advice_of_count(found: CheckUp, word: str, label: str) -> list[str]:
    if found.counted is None:
        return [
            say(
                "%(vendor)s does not tell how many people are on the %(target)s: check it in full.",
                vendor=label,
                target=Message(word),
            )
        ]
    if found.members <= found.counted <= found.members + found.maybe:
        return [say("%(vendor)s counts as many people as the record has.", vendor=label)]
    return [
        say(
            "%(vendor)s counts %(counted)s people, the record has %(members)s: check in full who differs.",
            vendor=label,
            counted=found.counted,
            members=found.members,
        )
    ]


def _cost(members: int, vendor: Definition) -> Cost:
    pages = -(-max(members, 1) // vendor.members_page)
    too_many = ""
    if members > vendor.most_members:
        too_many = say(
            "%(vendor)s allows %(most)s people to be read at once, and the record has %(members)s: only their "
            "number can be compared.",
            vendor=vendor.label,
            most=vendor.most_members,
            members=members,
        )
    return Cost(1, 1 + pages, too_many)


def _target(cloud: Cloud, export: Export, target: int) -> KnownTarget:
    for number, known in enumerate(lookup.targets(cloud, export)):
        if number == target:
            return known
    raise NotFound("target", str(target))


def _definition(cloud: Cloud, export: Export) -> Definition:
    try:
        return definition(usable_connection(cloud, export.connection).vendor)
    except UserMustAct as error:
        raise Unprocessable(error.code, error.message) from None
