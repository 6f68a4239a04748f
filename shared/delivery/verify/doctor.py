"""The doctor: compares the ledger of a target with its vendor, when a person asks for it. It changes nothing there.

A check-up is a blob, kept until the next one of the same target; a queue message carries it out under the account's
lease. In full it reads everyone on the target, which the vendor's rates must allow within one slice.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.catalog.issues import NotFound, NotNow
from shared.catalog.models import Connection, Export
from shared.catalog.store import connection_store, export_store
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import open_leased, usable
from shared.delivery.account.lease import AccountLease, sent_again
from shared.delivery.messages import DoctorMessage
from shared.delivery.state import layout, ledger, lookup
from shared.delivery.state.lookup import KnownTarget
from shared.delivery.state.records import now
from shared.delivery.verify import members
from shared.errors import ExportError, RetryAfter, Unprocessable, UserMustAct
from shared.vendors.contract import Definition, TargetFound
from shared.vendors.registry import definition

log = logging.getLogger(__name__)

KEPT = timedelta(days=1)
"""For so long the file with addresses is kept."""
GIVEN_UP = timedelta(hours=6)
_POISONED = "The check-up failed several times; the log has the details."
_UNDER_WAY = "A run of the export is under way: check again when it has ended."

Clock = Callable[[], datetime]


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


@dataclass(frozen=True, slots=True)
class CheckUp:
    """One target beside its ledger. `turn` names its message; times are seconds since 1970.

    `members` and `maybe` are the ledger's; `counted` is the vendor's number, None where it tells none. After a full one
    `listed` people are at the vendor, `missing` of the ledger's are not, `strangers` are and are not the ledger's;
    `returned` are those of them whom we had taken off. `advice` is for people.
    """

    export: str
    target: int
    account: str
    full: bool
    started: float
    started_by: str
    due: float
    mark: str
    state: CheckState = CheckState.RUNNING
    finished: float | None = None
    message: str = ""
    members: int = 0
    maybe: int = 0
    counted: int | None = None
    listed: int | None = None
    missing: int | None = None
    strangers: int | None = None
    returned: int | None = None
    advice: list[str] = field(default_factory=list)

    @property
    def sent(self) -> DoctorMessage:
        return DoctorMessage(self.export, self.target, self.mark)


def cost(cloud: Cloud, export: Export, target: int) -> Cost:
    """Raises NotFound, Blocked for a damaged ledger, and Unprocessable where the export has no vendor."""
    known, vendor = _target(cloud, export, target), _definition(cloud, export)
    return _cost(ledger.read(cloud.blobs, known.ledger, expected=False).members, vendor)


def start(cloud: Cloud, export: Export, target: int, *, full: bool, by: str, clock: Clock = now) -> CheckUp:
    """Start a check-up, or give the one that is under way.

    Raises NotFound, Unprocessable `nothing_delivered` and `too_many_members`, NotNow while a run is under way.
    """
    known, vendor = _target(cloud, export, target), _definition(cloud, export)
    if not known.memory.get("list_id"):
        raise Unprocessable("nothing_delivered", "Nothing was delivered to this target yet: run the export first.")
    if known.memory.get("open"):
        raise NotNow("run_under_way", _UNDER_WAY)
    before, at = read(cloud, export.name, target), clock().timestamp()
    if before and before.state is CheckState.RUNNING and at - before.due < cloud.settings.stale_seconds:
        return before
    takes = _cost(ledger.read(cloud.blobs, known.ledger, expected=False).members, vendor)
    if full and takes.not_in_full:
        raise Unprocessable("too_many_members", takes.not_in_full)
    mark = f"{random.getrandbits(32):08x}"
    made = CheckUp(export.name, target, export.account, full, at, by, at, mark)
    cloud.blobs.delete(layout.differences(export.name, target))
    _write(cloud, made)
    cloud.slices.send(made.sent.body())
    return made


def read(cloud: Cloud, export: str, target: int) -> CheckUp | None:
    """The latest check-up of a target."""
    stored = cloud.blobs.read(layout.check_up(export, target))
    return _parse(stored[0]) if stored else None


def carry_out(cloud: Cloud, message: DoctorMessage, *, clock: Clock = now) -> None:
    """Do a check-up; a message of another one is dropped."""
    made = _current(cloud, message)
    if made is None:
        log.info("Dropped a message of another check-up: %s.", message.export)
        return
    try:
        with sent_again(cloud.slices, message.body(), "A check-up"):
            _with_lease(cloud, made, clock)
    except RetryAfter as error:
        at = clock().timestamp()
        if at - made.started > GIVEN_UP.total_seconds():
            _end(cloud, made, clock, state=CheckState.FAILED, message=error.reason)
            return
        _write(cloud, replace(made, due=at + error.seconds, message=f"Waiting: {error.reason}"))
        cloud.slices.send(message.body(), delay=error.seconds)
    except ExportError as error:
        _end(cloud, made, clock, state=CheckState.FAILED, message=str(error))


def fail_poisoned(cloud: Cloud, message: DoctorMessage, *, clock: Clock = now) -> None:
    """End a check-up whose message was tried too often."""
    if made := _current(cloud, message):
        _end(cloud, made, clock, state=CheckState.FAILED, message=_POISONED)


def wake(cloud: Cloud, *, clock: Clock = now) -> None:
    """Send the messages of silent check-ups again, and drop files with addresses that are a day old; for the timer."""
    at = clock().timestamp()
    for name in list(cloud.blobs.names(layout.DOCTOR)):
        stored = cloud.blobs.read(name) if name.endswith(".json") else None
        made = _parse(stored[0]) if stored else None
        if made is None:
            continue
        if made.state is CheckState.RUNNING and at - made.due > cloud.settings.stale_seconds:
            _write(cloud, replace(made, due=at))
            cloud.slices.send(made.sent.body())
        if made.state is not CheckState.RUNNING and at - (made.finished or 0.0) > KEPT.total_seconds():
            cloud.blobs.delete(layout.differences(made.export, made.target))


def drop_files(cloud: Cloud) -> None:
    """Delete every file with addresses; for who is to be forgotten."""
    for name in list(cloud.blobs.names(layout.DOCTOR)):
        if not name.endswith(".json"):
            cloud.blobs.delete(name)


def _with_lease(cloud: Cloud, made: CheckUp, clock: Clock) -> None:
    stored = export_store(cloud.exports).get(made.export)
    if stored is None or stored.item.account != made.account:
        raise UserMustAct("export_changed", "The export was deleted, or leads to another account now.")
    export = stored.item
    connection, vendor = _connection(cloud, export), _definition(cloud, export)
    with AccountLease(cloud.blobs, made.account, quiet_seconds=vendor.quiet_seconds, look=lambda: None) as lease:
        if _current(cloud, made.sent) is None:
            return
        opened = open_leased(cloud, connection, lease, export=export)
        known = _target(cloud, export, made.target)
        if known.memory.get("open"):
            raise NotNow("run_under_way", _UNDER_WAY)
        kept = ledger.read(cloud.blobs, known.ledger, expected=bool(known.memory.get("committed")))
        target = TargetFound(str(known.memory["list_id"]), str(known.memory.get("list_name", "")))
        maybe = sum(each.maybe for each in kept.files)
        count = opened.vendor.count(target)
        found = replace(made, members=kept.members - maybe, maybe=maybe, counted=count.people if count else None)
        if made.full:
            name = layout.differences(made.export, made.target)
            result = members.compare(cloud, kept, opened.vendor.members(target), name)
            found = replace(found, **asdict(result))
        lease.hold()
        _end(cloud, replace(found, advice=_advice(found, vendor)), clock)


def _advice(found: CheckUp, vendor: Definition) -> list[str]:
    word, label = vendor.target_word, vendor.label
    if not found.full:
        return _advice_of_count(found, word, label)
    said = []
    if found.missing:
        said.append(
            f"{found.missing} people whom the export put on the {word} are not there. Who unsubscribed, bounced or was "
            f"deleted in {label} stays off it; to send everyone again, run the export with the kind full_resync."
        )
    if found.returned:
        said.append(f"{found.returned} people whom the export took off are on the {word} again.")
    if found.strangers:
        said.append(
            f"{found.strangers} people on the {word} are not from this export, which never takes them off: where they "
            f"do not belong there, take them off in {label}."
        )
    return said or [f"The record and the {word} agree."]


def _advice_of_count(found: CheckUp, word: str, label: str) -> list[str]:
    if found.counted is None:
        return [f"{label} does not tell how many people are on the {word}: check it in full."]
    if found.members <= found.counted <= found.members + found.maybe:
        return [f"{label} counts as many people as the record has."]
    return [f"{label} counts {found.counted} people, the record has {found.members}: check in full who differs."]


def _cost(members: int, vendor: Definition) -> Cost:
    pages = -(-max(members, 1) // vendor.members_page)
    too_many = ""
    if members > vendor.most_members:
        too_many = (
            f"{vendor.label} allows {vendor.most_members:,} people to be read at once, and the record has "
            f"{members:,}: only their number can be compared."
        )
    return Cost(1, 1 + pages, too_many)


def _target(cloud: Cloud, export: Export, target: int) -> KnownTarget:
    for number, known in enumerate(lookup.targets(cloud, export)):
        if number == target:
            return known
    raise NotFound("target", str(target))


def _connection(cloud: Cloud, export: Export) -> Connection:
    stored = connection_store(cloud.connections).get(export.connection)
    return usable(stored.item if stored else None, export.connection)


def _definition(cloud: Cloud, export: Export) -> Definition:
    try:
        return definition(_connection(cloud, export).vendor)
    except UserMustAct as error:
        raise Unprocessable(error.code, error.message) from None


def _current(cloud: Cloud, message: DoctorMessage) -> CheckUp | None:
    made = read(cloud, message.export, message.target)
    return made if made is not None and made.sent == message and made.state is CheckState.RUNNING else None


def _end(cloud: Cloud, made: CheckUp, clock: Clock, **changes: Any) -> None:
    ended: dict[str, Any] = {"state": CheckState.ENDED, "message": "", "finished": clock().timestamp(), **changes}
    _write(cloud, replace(made, **ended))


def _write(cloud: Cloud, made: CheckUp) -> None:
    cloud.blobs.write(layout.check_up(made.export, made.target), json.dumps(asdict(made)).encode())


def _parse(body: bytes) -> CheckUp:
    plain = json.loads(body)
    return CheckUp(**{**plain, "state": CheckState(plain["state"])})
