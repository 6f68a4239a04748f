"""Carry out one slice of a delivery: the work of one queue message, a few minutes at the most.

A slice goes on where the row says that the last one stopped. It ends by writing the row with the next turn and then
sending the message of that turn; if it dies between the two, the timer sends the message again.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.catalog.models import Connection, Export
from shared.catalog.store import connection_store
from shared.catalog.targets import Owned, TargetStore
from shared.cloud import telemetry
from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.cloud.telemetry import Metric, Span
from shared.cloud.under_way import UnderWay
from shared.cloud.unreadable import UnreadableRow
from shared.delivery.account import open_jobs
from shared.delivery.account.connecting import open_leased, rehearsing, usable
from shared.delivery.account.lease import AccountLease
from shared.delivery.account.waiting import ticket
from shared.delivery.commit import step as commit_step
from shared.delivery.jobs import Clock, JobKind, LeasedAccount
from shared.delivery.messages import SliceMessage
from shared.delivery.plan import step as plan_step
from shared.delivery.rehearse import step as rehearse_step
from shared.delivery.send import step as send_step
from shared.delivery.state.files import Files
from shared.delivery.state.records import ENDED, Delivery, Run, State, Step, now
from shared.delivery.state.runs import Runs, Versioned
from shared.delivery.state.scratch import Scratch, scratch
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Cancelled, SliceOver, Work
from shared.errors import Blocked, Conflict, LeaseLost, RetryAfter, UserMustAct
from shared.vendors.limits import BATCH_SHARE, INTERACTIVE_SHARE
from shared.vendors.registry import definition
from shared.wording import say

log = logging.getLogger(__name__)

PATIENCE = timedelta(hours=24)
"""A delivery that has made no progress for so long, for reasons that waiting should mend, fails."""
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 3600.0
_LOOKS = 3
CANCELLED = say("The run was cancelled.")


@dataclass(frozen=True, slots=True)
class Wait:
    """The slice ends here; the next one starts after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HeldDelivery:
    """A delivery, its run and its connection as they were read."""

    delivery: Versioned[Delivery]
    run: Versioned[Run]
    export: Export
    connection: Connection | None
    trouble: str = ""
    """Why there is no connection."""


def active_runs(cloud: Cloud) -> Iterator[Versioned[Run]]:
    """Every run that is under way or blocked, and can be read."""
    return Runs(cloud.runs).active_runs(UnderWay(cloud.underway).exports())


class _Kind(JobKind[SliceMessage, HeldDelivery]):
    """Deliveries: rows of the table `runs`. What is known to pass or to need a person is dealt with here. Anything
    else is raised, for the host to deliver the message again and, in the end, to the poison queue."""

    words = "A slice of a run"
    poisoned = say("The service failed on this run several times; its log has the details. Run the export again.")

    def current(self, cloud: Cloud, message: SliceMessage) -> HeldDelivery | None:
        runs = Runs(cloud.runs)
        try:
            held = runs.delivery(message.export, message.run, message.delivery)
            run = runs.run(message.export, message.run)
            if held is None or run is None or not _is_current(held.value, message):
                return None
        except UnreadableRow as error:  # the timer sends the message again, for the case that it is put back
            log.error("%s", error.message)
            return None
        try:
            export = run.value.pinned
        except UnreadableRow as error:
            _fail_without_vendor(runs, held, error.message, now, code=error.code)
            return None
        connection, trouble = _connection(cloud, export.connection)
        return HeldDelivery(held, run, export, connection, trouble)

    def still(self, cloud: Cloud, message: SliceMessage, job: HeldDelivery) -> HeldDelivery:
        """What was read: the first write of a slice fails where another worker carried the delivery on."""
        return job

    def account(self, cloud: Cloud, job: HeldDelivery) -> LeasedAccount:
        run, runs = job.run.value, Runs(cloud.runs)
        quiet = definition(job.connection.vendor).quiet_seconds if job.connection else 0.0

        def look() -> None:
            current = runs.run(run.export, run.run)
            if current is None or current.value.cancel_requested:
                raise Cancelled(CANCELLED)

        if run.kind is RunKind.DRY_RUN:  # it sends nothing, so it needs none of the account's turns
            return LeasedAccount(f"{job.delivery.value.account}.looking", quiet, look)
        return LeasedAccount(job.delivery.value.account, quiet, look)

    def carry_on(self, cloud: Cloud, job: HeldDelivery, lease: AccountLease, clock: Clock) -> None:
        with (
            telemetry.span(Span.SLICE, job.run.value.trace, **_names(job.delivery.value)),
            scratch(cloud.settings) as room,
        ):
            _carry_on(cloud, job, lease, room, clock)

    def fail(self, cloud: Cloud, job: HeldDelivery, words: str, clock: Clock) -> None:
        """Fail the delivery, and commit what it did."""
        runs, held = Runs(cloud.runs), job.delivery
        if held.value.ending:  # the commit itself failed: nothing more can be done here
            runs.finish(held, state=State(held.value.ending), finished_at=clock())
            return
        saved = runs.save(
            held, step=Step.COMMIT, ending=str(State.FAILED), code="poisoned", message=words, turn=held.value.turn + 1
        )
        cloud.slices.send(message_of(saved.value).body())

    def wake(self, cloud: Cloud, standing: Set[str] = frozenset(), *, clock: Clock = now) -> int:
        """Also ends runs that nobody ended."""
        runs, woken = Runs(cloud.runs), 0
        for held in active_runs(cloud):
            with apart("wake", held.value.export):
                woken += _wake(cloud, runs, held.value, standing, clock)
        return woken


def _wake(cloud: Cloud, runs: Runs, run: Run, standing: Set[str], clock: Clock) -> int:
    """Send the messages of a run's silent deliveries again; how many. Raises UnreadableRow."""
    woken, limit = 0, timedelta(seconds=cloud.settings.stale_seconds)
    deliveries = [each.value for each in runs.deliveries(run.export, run.run)]
    for delivery in deliveries:
        body = message_of(delivery).body()
        if _is_silent(delivery, clock(), limit) and ticket(body) not in standing:
            cloud.slices.send(body)
            woken += 1
    if all(each.state in ENDED or each.state is State.BLOCKED for each in deliveries):
        runs.end_if_all_ended(run.export, run.run)
    return woken


KIND = _Kind()


def _connection(cloud: Cloud, name: str) -> tuple[Connection | None, str]:
    """The connection of this name; else why there is none."""
    try:
        stored = connection_store(cloud.connections).get(name)
    except UnreadableRow as error:
        return None, error.message
    return (stored.item, "") if stored else (None, say("There is no connection '%(name)s' any more.", name=name))


def _names(delivery: Delivery) -> dict[str, str | int]:
    """A slice's attributes in telemetry."""
    return {"export": delivery.export, "run": delivery.run, "delivery": delivery.index, "turn": delivery.turn}


def _is_current(delivery: Delivery, message: SliceMessage) -> bool:
    return delivery.turn == message.turn and delivery.step is not Step.DONE and delivery.state is not State.BLOCKED


def _is_silent(delivery: Delivery, at: datetime, limit: timedelta) -> bool:
    if delivery.step is Step.DONE or delivery.state is State.BLOCKED:
        return False
    return at - max(delivery.heartbeat, delivery.due_at) > limit


def _carry_on(cloud: Cloud, job: HeldDelivery, lease: AccountLease, room: Scratch, clock: Clock) -> None:
    runs, run, first = Runs(cloud.runs), job.run.value, job.delivery.value.started_at is None
    begun = _begin(runs, job.delivery, job.run, clock)
    if begun is None:
        return
    delivery, connection = begun.value, job.connection
    if connection is None:
        _fail_without_vendor(runs, begun, job.trouble, clock)
        return
    share = INTERACTIVE_SHARE if run.kind is RunKind.DRY_RUN else BATCH_SHARE
    opened = open_leased(cloud, connection, lease, export=job.export, share=share)
    if run.kind is RunKind.REHEARSAL:
        opened = rehearsing(opened, connection, job.export)
    delivery_id = f"{delivery.export}/{delivery.run}/{delivery.index}"
    work = Work(
        cloud=cloud,
        runs=runs,
        targets=TargetStore(cloud.targets),
        held=begun,
        first=first,
        run=run,
        export=job.export,
        connection=connection,
        lease=lease,
        opened=opened,
        scratch=room,
        files=Files(cloud.blobs),
        deadline=time.monotonic() + cloud.settings.slice_seconds,
        clock=clock,
        requests_before=delivery.requests,
        retries_before=delivery.retries,
        throttled_before=delivery.throttled_seconds,
        jobs_elsewhere=open_jobs.elsewhere(lease.carried, delivery_id),
    )
    lease.state = lambda: {
        **opened.carried(),
        "jobs": open_jobs.carried(lease.carried, delivery_id, work.open_jobs),
    }
    done = work.delivery.done
    telemetry.measure(Metric.QUEUE_AGE, max((clock() - work.delivery.due_at).total_seconds(), 0.0))
    try:
        _slice(work)
    finally:
        _measure(work, max(work.delivery.done - done, 0))


def _begin(runs: Runs, held: Versioned[Delivery], run: Versioned[Run], clock: Clock) -> Versioned[Delivery] | None:
    """Write that a slice goes on with the delivery; None where another worker did so since it was read."""
    wanted = held.value
    for _ in range(_LOOKS):
        started = held.value.started_at or clock()
        changes = {"state": State.RUNNING, "worker": secrets.token_hex(4), "started_at": started}
        with suppress(Conflict):
            return runs.begin(run, held, heartbeat=clock(), **changes)
        again = runs.delivery(wanted.export, wanted.run, wanted.index)
        if again is None or again.value.turn != wanted.turn or again.value.step is Step.DONE:
            return None
        held = again  # a worker that died meanwhile had begun with this same turn
    raise LeaseLost("another worker goes on with this delivery")


def _measure(work: Work, rows: int) -> None:
    counters, vendor = work.opened.sent, work.connection.vendor
    telemetry.measure(Metric.ROWS, rows, vendor=vendor)
    telemetry.measure(Metric.REQUESTS, counters.requests, vendor=vendor)
    telemetry.measure(Metric.RETRIES, counters.retries, vendor=vendor)
    telemetry.measure(Metric.THROTTLED, counters.throttled_seconds, vendor=vendor)


def _slice(work: Work) -> None:
    wait = _steps(work)
    if wait is not None:
        advance(work, wait)
    elif work.delivery.state is State.BLOCKED:
        work.runs.end_if_all_ended(work.run.export, work.run.run)


def _steps(work: Work) -> Wait | None:
    """Step after step until the delivery is done (None), blocked (None), or the slice must end."""
    while work.delivery.step is not Step.DONE and work.delivery.state is not State.BLOCKED:
        try:
            if work.delivery.step is Step.COMMIT:
                with telemetry.span(Span.STEP, step=str(Step.COMMIT)):
                    commit_step.commit(work)
                continue
            if work.run.cancel_requested:  # before this slice began; the lease looks for it from now on
                raise Cancelled(CANCELLED)
            usable(work.connection, work.connection.name)
            work.lease.check()
            with telemetry.span(Span.STEP, step=str(work.delivery.step)):
                wait = _step(work)
            if wait is not None:
                return wait
        except SliceOver:
            return Wait(0.0)
        except (RetryAfter, Blocked, UserMustAct, Cancelled, Owned) as error:
            if (wait := _react(work, error)) is not None:
                return wait
    return None


def _step(work: Work) -> Wait | None:
    match work.delivery.step:
        case Step.PLAN:
            plan_step.require_same_account(work)
            if not work.run.kind.only_looks:  # what is open may be a delivery that is under way
                commit_step.commit_leftover(work)
            plan_step.plan(work)
        case Step.PREPARE:
            work.require_owned()
            send_step.prepare(work)
        case Step.REHEARSE:
            seconds = rehearse_step.rehearse(work)
            return None if seconds is None else Wait(seconds)
        case _:
            work.require_owned()
            seconds = send_step.deliver(work)
            return None if seconds is None else Wait(seconds)
    return None


def _react(work: Work, error: RetryAfter | UserMustAct | Cancelled | Owned) -> Wait | None:
    """What happens next after an error that has a name."""
    match error:
        case RetryAfter():
            since = work.delivery.stalled_since or work.clock()
            if work.clock() - since < PATIENCE:
                work.save(stalled_since=since, message=say("Waiting: %(why)s", why=error.reason))
                return Wait(min(max(error.seconds, SHORTEST_WAIT), LONGEST_WAIT))
            work.save(step=Step.COMMIT, ending=str(State.FAILED), code="no_progress", message=_gave_up(error))
        case Blocked():
            work.save(state=State.BLOCKED, code=error.code, message=error.message)
        case UserMustAct():
            work.save(step=Step.COMMIT, ending=str(State.FAILED), code=error.code, message=error.message)
        case Cancelled():
            work.save(step=Step.COMMIT, ending=str(State.CANCELLED), code="cancelled", message=error.words)
        case Owned():
            work.save(step=Step.COMMIT, ending=str(State.FAILED), code="target_owned", message=_owned(error.export))
    return None


def _owned(export: str) -> str:
    if not export:
        return say("What is known of the list is gone from storage, or the list was given up: save the export again.")
    return say("The list belongs to the export '%(export)s' now: give this export a list of its own.", export=export)


def _gave_up(error: RetryAfter) -> str:
    return say(
        "No progress for %(hours)s hours: %(why)s Run the export again later.",
        hours=round(PATIENCE.total_seconds() / 3600),
        why=error.reason,
    )


def advance(work: Work, wait: Wait) -> None:
    """Give the delivery its next turn, then send the message of that turn."""
    turn = work.delivery.turn + 1
    work.save(turn=turn, due_at=work.clock() + timedelta(seconds=wait.seconds))
    work.cloud.slices.send(message_of(work.delivery).body(), delay=wait.seconds)


def message_of(delivery: Delivery) -> SliceMessage:
    return SliceMessage(delivery.export, delivery.run, delivery.index, delivery.turn)


def _fail_without_vendor(
    runs: Runs, held: Versioned[Delivery], message: str, clock: Clock, *, code: str = "connection_missing"
) -> None:
    """End a delivery that cannot reach its vendor; its journal stays for the next run."""
    try:
        runs.finish(held, state=State.FAILED, code=code, message=message, finished_at=clock())
    except Conflict:
        return
