"""Verification: after a delivery that wrote something, look at the vendor whether it is so.

It begins when the delivery has ended, by a message of its own, and changes neither its state nor the run's. What is
under way is a blob, made before the delivery's row says that it is done: a worker that dies in between leaves it to the
timer. The vendor is asked a second and a third time where what it shows lags behind.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.catalog.models import Export
from shared.catalog.store import connection_store
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import Opened, open_leased, usable
from shared.delivery.account.lease import AccountLease, sent_again
from shared.delivery.messages import VerifyMessage
from shared.delivery.state import layout
from shared.delivery.state.records import Delivery, Step, Verdict, now
from shared.delivery.state.runs import Runs, Versioned
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify.comparison import Subject, compare, report_of
from shared.delivery.work import Work
from shared.errors import ExportError, LeaseLost, RetryAfter, UserMustAct
from shared.vendors.registry import definition

log = logging.getLogger(__name__)

MOST_LOOKS = 3
GIVEN_UP = timedelta(hours=6)
_POISONED = "Verifying failed several times; the log has the details."

Clock = Callable[[], datetime]


@dataclass(slots=True)
class _Course:
    """A verification that is under way. `started` and `due` are seconds since 1970."""

    export: str
    run: str
    delivery: int
    account: str
    started: float
    due: float
    turn: int = 1
    looks: int = 0

    @property
    def message(self) -> VerifyMessage:
        return VerifyMessage(self.export, self.run, self.delivery, self.turn)

    @property
    def blob(self) -> str:
        return layout.verification(self.export, self.run, self.delivery)


def begin(work: Work, counts: Mapping[str, int]) -> _Course | None:
    """Write down that a delivery is to be verified, before it is done; None where it is not."""
    wrote = any(name.endswith(" accepted") for name in counts)
    if not wrote or work.delivery.ending or work.run.kind is RunKind.DRY_RUN or not work.cloud.settings.verify_seconds:
        return None
    at = work.clock().timestamp()
    course = _Course(
        work.run.export,
        work.run.run,
        work.delivery.index,
        work.delivery.account,
        at,
        at + _pause(work.cloud, work.opened),
    )
    _write(work.cloud, course)
    return course


def send(cloud: Cloud, course: _Course, at: datetime) -> None:
    cloud.slices.send(course.message.body(), delay=max(course.due - at.timestamp(), 0.0))


def carry_out(cloud: Cloud, message: VerifyMessage, *, clock: Clock = now) -> None:
    """Look once; a message of another turn is dropped. Raises what a repetition may mend."""
    course = _current(cloud, message)
    if course is None:
        log.info("Dropped a message of another turn: verifying run %s.", message.run)
        return
    held = Runs(cloud.runs).delivery(course.export, course.run, course.delivery)
    if held is None:  # expired
        cloud.blobs.delete(course.blob)
    elif held.value.step is Step.DONE:  # else the commit is repeated, and sends the message anew
        with sent_again(cloud.slices, message.body(), "A verification"):
            _with_lease(cloud, message, held, clock)


def fail_poisoned(cloud: Cloud, message: VerifyMessage, *, clock: Clock = now) -> None:
    """End a verification whose message was tried too often."""
    course = _current(cloud, message)
    held = Runs(cloud.runs).delivery(message.export, message.run, message.delivery)
    if course is None:
        return
    if held is None:
        cloud.blobs.delete(course.blob)
        return
    _end(cloud, course, held, _unverified(_POISONED), clock)


def wake(cloud: Cloud, *, clock: Clock = now) -> None:
    """Send the message of silent verifications again; for the timer."""
    for name in list(cloud.blobs.names(layout.VERIFYING)):
        course = _read(cloud, name)
        if course is not None and clock().timestamp() - course.due > cloud.settings.stale_seconds:
            course.due = clock().timestamp()
            _write(cloud, course)
            cloud.slices.send(course.message.body())


def _with_lease(cloud: Cloud, message: VerifyMessage, held: Versioned[Delivery], clock: Clock) -> None:
    run = Runs(cloud.runs).run(message.export, message.run)
    course = _current(cloud, message)
    if run is None or course is None:
        return
    export = Export.model_validate_json(run.value.definition)
    stored = connection_store(cloud.connections).get(export.connection)
    try:
        connection = usable(stored.item if stored else None, export.connection)
    except UserMustAct as error:
        _end(cloud, course, held, _unverified(error.message), clock)
        return
    quiet = definition(connection.vendor).quiet_seconds
    with AccountLease(cloud.blobs, course.account, quiet_seconds=quiet, look=lambda: None) as lease:
        course = _current(cloud, message)
        if course is not None:
            _look(cloud, course, Subject(held, export, connection), lease, clock)


def _look(cloud: Cloud, course: _Course, subject: Subject, lease: AccountLease, clock: Clock) -> None:
    opened = open_leased(cloud, subject.connection, lease, export=subject.export)
    course.looks += 1
    try:
        found, settled = compare(cloud, subject, opened)
    except LeaseLost:
        raise
    except RetryAfter as error:
        if clock().timestamp() - course.started < GIVEN_UP.total_seconds():
            course.looks -= 1
            _again(cloud, course, error.seconds, clock)
            return
        found, settled = _unverified(error.reason), True
    except ExportError as error:
        found, settled = _unverified(str(error)), True
    if settled or course.looks >= MOST_LOOKS:
        lease.hold()
        _end(cloud, course, subject.held, found, clock)
    else:
        _again(cloud, course, _pause(cloud, opened) * course.looks, clock)


def _unverified(why: str) -> dict[str, Any]:
    return {"verdict": str(Verdict.NOT_VERIFIED), "message": why}


def _pause(cloud: Cloud, opened: Opened) -> float:
    return min(opened.definition.fresh_seconds, cloud.settings.verify_seconds)


def _again(cloud: Cloud, course: _Course, seconds: float, clock: Clock) -> None:
    at = clock()
    later = replace(course, turn=course.turn + 1, due=at.timestamp() + seconds)
    _write(cloud, later)
    send(cloud, later, at)


def _end(cloud: Cloud, course: _Course, held: Versioned[Delivery], found: dict[str, Any], clock: Clock) -> None:
    """The report first, the blob last: one that dies in between ends once more, in the same words."""
    facts = {**found, "looks": course.looks, "at": clock().isoformat()}
    warning = [found["message"]] if found["verdict"] == Verdict.DIFFERS else []
    warnings = list(dict.fromkeys([*held.value.warnings, *warning]))
    folder = layout.delivery_folder(course.export, course.run, course.delivery)
    if report := report_of(cloud, folder):
        body = report | {"verification": facts, "warnings": warnings}
        cloud.blobs.write(layout.report(folder), json.dumps(body, indent=2, ensure_ascii=False).encode())
    runs = Runs(cloud.runs)
    if run := runs.run(course.export, course.run):
        runs.verified(run.value, held, verification=facts, warnings=warnings)
    cloud.blobs.delete(course.blob)
    if warning:
        log.warning("Verifying the run %s found a difference: %s", course.run, found["message"])


def _current(cloud: Cloud, message: VerifyMessage) -> _Course | None:
    course = _read(cloud, layout.verification(message.export, message.run, message.delivery))
    return course if course is not None and course.message == message else None


def _read(cloud: Cloud, blob: str) -> _Course | None:
    stored = cloud.blobs.read(blob)
    return None if stored is None else _Course(**json.loads(stored[0]))


def _write(cloud: Cloud, course: _Course) -> None:
    cloud.blobs.write(course.blob, json.dumps(asdict(course)).encode())
