"""Verification: after a delivery that wrote something, look at the vendor whether it is so.

It begins when the delivery has ended, by a message of its own, and changes neither its state nor the run's. What is
under way is a blob, made before the delivery's row says that it is done: a worker that dies in between leaves it to the
timer. The vendor is asked a second and a third time where what it shows lags behind.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.catalog.issues import NotFound, NotNow
from shared.catalog.models import Repair
from shared.catalog.store import export_store
from shared.cloud.cloud import Cloud
from shared.cloud.under_way import UnderWay
from shared.delivery.account.connecting import Opened, open_leased, usable_connection
from shared.delivery.account.lease import AccountLease
from shared.delivery.jobs import BlobKind, Clock, Course, LeasedAccount, leased
from shared.delivery.messages import VerifyMessage
from shared.delivery.state import layout
from shared.delivery.state.records import Delivery, Step, Verdict
from shared.delivery.state.runs import Runs, Versioned
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify import doctor
from shared.delivery.verify.comparison import Subject, compare, report_of
from shared.delivery.work import Work
from shared.errors import Blocked, Unprocessable
from shared.wording import say

log = logging.getLogger(__name__)

MOST_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying(Course):
    """A verification that is under way."""

    export: str
    run: str
    delivery: int
    looks: int = 0


class _Kind(BlobKind[VerifyMessage, Verifying]):
    words = "A verification"
    folder = layout.VERIFYING
    patience = timedelta(hours=6)
    poisoned = say("Verifying failed several times; the log has the details.")
    too_late = say(
        "Verifying did not end within six hours: the next run that changes somebody is verified, and a check-up looks "
        "at everybody."
    )

    def blob(self, of: Verifying | VerifyMessage) -> str:
        return layout.verification(of.export, of.run, of.delivery)

    def current(self, cloud: Cloud, message: VerifyMessage) -> Verifying | None:
        """A delivery that was to be verified and never is says so in the log."""
        course = super().current(cloud, message)
        if course is None and not cloud.blobs.exists(self.blob(message)):
            held = Runs(cloud.runs).delivery(message.export, message.run, message.delivery)
            if held and held.value.step is Step.DONE and not held.value.verification:
                log.error("The verification in %s is gone: the delivery stays unverified.", self.blob(message))
        return course

    def message(self, course: Verifying) -> VerifyMessage:
        return VerifyMessage(course.export, course.run, course.delivery, course.turn)

    def account(self, cloud: Cloud, job: Verifying) -> LeasedAccount | None:
        held = _delivery(cloud, job)
        if held is not None and held.value.step is not Step.DONE:  # the commit is repeated, and sends the message anew
            return None
        subject = _subject(cloud, job, held)
        return leased(job.account, subject.connection) if subject else None

    def step(self, cloud: Cloud, course: Verifying, lease: AccountLease, clock: Clock) -> None:
        subject = _subject(cloud, course, _delivery(cloud, course))
        if subject is None:
            return
        opened = open_leased(cloud, subject.connection, lease, export=subject.export)
        found, settled = compare(cloud, subject, opened)
        looked = replace(course, looks=course.looks + 1)
        if settled or looked.looks >= MOST_LOOKS:
            lease.hold()
            _end(cloud, looked, subject.held, found, clock)
        else:
            self.again(cloud, looked, _pause(cloud, opened) * looked.looks, clock)

    def fail(self, cloud: Cloud, job: Verifying, words: str, clock: Clock) -> None:
        if (held := _delivery(cloud, job)) is None:
            cloud.blobs.delete(self.blob(job))
        else:
            _end(cloud, replace(job, looks=job.looks + 1), held, _unverified(words), clock)


KIND = _Kind(Verifying)


def begin(work: Work, counts: Mapping[str, int]) -> Verifying | None:
    """Write down that a delivery is to be verified, before it is done; None where it is not."""
    wrote = any(name.endswith(" accepted") for name in counts)
    if not wrote or work.delivery.ending or work.run.kind.only_looks or not work.cloud.settings.verify_seconds:
        return None
    at = work.clock().timestamp()
    made = Verifying(
        export=work.run.export,
        run=work.run.run,
        delivery=work.delivery.index,
        account=work.delivery.account,
        started=at,
        due=at + _pause(work.cloud, work.opened),
    )
    KIND.write(work.cloud, made)
    return made


def send(cloud: Cloud, made: Verifying, at: datetime) -> None:
    """Send the message of a verification once the delivery is done."""
    cloud.slices.send(KIND.message(made).body(), delay=max(made.due - at.timestamp(), 0.0))


def _delivery(cloud: Cloud, course: Verifying) -> Versioned[Delivery] | None:
    return Runs(cloud.runs).delivery(course.export, course.run, course.delivery)


def _subject(cloud: Cloud, course: Verifying, held: Versioned[Delivery] | None) -> Subject | None:
    """What is verified; None where it expired, and the verification with it. Raises UserMustAct where the connection
    cannot be used."""
    run = Runs(cloud.runs).run(course.export, course.run)
    if held is None or run is None:
        cloud.blobs.delete(KIND.blob(course))
        return None
    export = run.value.pinned
    return Subject(held, export, usable_connection(cloud, export.connection))


def _mend(cloud: Cloud, course: Verifying, clock: Clock) -> list[str]:
    """Have the target read in full and mended where the export wants that, once for a difference: a repair that did not
    help is no reason for the next. What stood in the way, in words."""
    stored, run = export_store(cloud.exports).get(course.export), Runs(cloud.runs).run(course.export, course.run)
    if stored is None or stored.item.repair is not Repair.WHEN_IT_DIFFERS or stored.item.account != course.account:
        return []
    if run is None or run.value.kind is RunKind.REPAIR:
        return []
    try:
        doctor.start(cloud, stored.item, course.delivery, full=True, by="", mends=True, clock=clock)
    except (Unprocessable, NotNow, NotFound, Blocked) as error:
        return [say("It was not repaired by itself: %(why)s", why=error.words)]
    return []


def _unverified(why: str) -> dict[str, Any]:
    return {"verdict": str(Verdict.NOT_VERIFIED), "message": why}


def _pause(cloud: Cloud, opened: Opened) -> float:
    return min(opened.definition.fresh_seconds, cloud.settings.verify_seconds)


def _end(cloud: Cloud, course: Verifying, held: Versioned[Delivery], found: dict[str, Any], clock: Clock) -> None:
    """The report first, the blob last: one that dies in between ends once more, in the same words."""
    facts = {**found, "looks": course.looks, "at": clock().isoformat()}
    warning = [found["message"], *_mend(cloud, course, clock)] if found["verdict"] == Verdict.DIFFERS else []
    warnings = list(dict.fromkeys([*held.value.warnings, *warning]))
    folder = layout.delivery_folder(course.export, course.run, course.delivery)
    if report := report_of(cloud, folder):
        body = report | {"verification": facts, "warnings": warnings}
        cloud.blobs.write(layout.report(folder), json.dumps(body, indent=2, ensure_ascii=False).encode())
    runs = Runs(cloud.runs)
    if run := runs.run(course.export, course.run):
        UnderWay(cloud.underway).mark(run.value.export)
        runs.verified(run.value, held, verification=facts, warnings=warnings)
    cloud.blobs.delete(KIND.blob(course))
    if warning:
        log.warning("Verifying the run %s found a difference: %s", course.run, found["message"])
