"""Start runs: on demand and by schedule; and send again the messages of deliveries that went silent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.catalog.models import MAX_TARGETS, Connection, Export
from shared.catalog.store import Held, connection_store, export_store
from shared.catalog.targets import target_key
from shared.cloud import telemetry
from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.cloud.telemetry import Span
from shared.cloud.under_way import UnderWay
from shared.delivery.account.connecting import usable, usable_connection
from shared.delivery.opt_outs.excluding import with_opt_outs
from shared.delivery.plan import guards, small_start
from shared.delivery.slices import CANCELLED, message_of
from shared.delivery.start.asked import waits_for_an_answer
from shared.delivery.start.asleep import Asleep, Quiet
from shared.delivery.start.due_times import NewestSnapshot, firing, follows_a_schedule, newest_keys
from shared.delivery.state.records import ENDED, Delivery, Run, State, Step, new_run_id, now
from shared.delivery.state.runs import Runs, Versioned
from shared.delivery.state.transitions import RunKind
from shared.errors import Conflict, Unprocessable, UserMustAct
from shared.wording import say

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Beside:
    """What became of a run on another connection of an export: started or under way, or why it was not started."""

    export: str
    connection: str
    run: Run | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """A run, and whether this call made it; `beside` are those on the export's other connections."""

    run: Run
    new: bool
    beside: tuple[Beside, ...] = ()


def start_run(
    cloud: Cloud,
    export: Export,
    trigger: str,
    *,
    kind: RunKind = RunKind.DELIVERY,
    by: str = "",
    clock: Callable[[], datetime] = now,
) -> Started:
    """Start a run, or give back the active one. A blocked run makes way for a new one. A dry run begins beside whatever
    is under way or waits; only another dry run is given back in its place.

    Raises Unprocessable where the export cannot run now, UnreadableRow where nobody can tell how its run stands.
    """
    with telemetry.span(Span.START, export=export.name, trigger=trigger, kind=str(kind)):
        return _start(cloud, export, trigger, kind, by, clock())


def _start(cloud: Cloud, export: Export, trigger: str, kind: RunKind, by: str, at: datetime) -> Started:
    runs, trace = Runs(cloud.runs), telemetry.traceparent()
    connections = [held.item for held in connection_store(cloud.connections).all()]
    vendor = _vendor(cloud, export, connections)
    export = with_opt_outs(cloud, export, connections)
    if len(export.targets) > MAX_TARGETS:  # saved before there was this limit
        words = say(
            "An export has at most %(most)s targets, and this one has %(targets)s: split it.",
            most=MAX_TARGETS,
            targets=len(export.targets),
        )
        raise Unprocessable("too_many_targets", words)
    if kind is RunKind.WITHDRAW and not export.paused and export.schedule.kind != "manual":
        raise Unprocessable("not_paused", say("Pause the export first: its schedule would bring everyone back."))
    for _ in range(3):
        definition, run_id = export.model_dump_json(), new_run_id(at)
        run = Run(
            export.name,
            run_id,
            State.QUEUED,
            trigger,
            definition,
            len(export.targets),
            kind,
            at,
            trace=trace,
            started_by=by,
            vendor=vendor,
        )
        deliveries = [
            Delivery(export.name, run.run, index, target_key(target), export.account, heartbeat=at, due_at=at)
            for index, target in enumerate(export.targets)
        ]
        UnderWay(cloud.underway).mark(export.name)
        try:
            runs.start(run, deliveries)
        except Conflict:
            if active := runs.active(export.name, run.pointer):
                if active.value.state is not State.BLOCKED:
                    runs.deliveries(export.name, active.value.run)  # where they cannot be read, nobody carries them out
                    return Started(active.value, new=False)
                supersede(runs, active.value, at)
            continue
        for delivery in deliveries:
            cloud.slices.send(message_of(delivery).body())
        return Started(run, new=True)
    raise Conflict("other callers keep starting and ending runs of this export")


def _vendor(cloud: Cloud, export: Export, connections: Sequence[Connection]) -> str:
    """Whose connection it runs over. Raises Unprocessable where it cannot run now."""
    found = next((each for each in connections if each.name == export.connection), None)
    try:
        return (usable(found, found.name) if found else usable_connection(cloud, export.connection)).vendor
    except UserMustAct as error:
        raise Unprocessable(error.code, error.message) from None


def supersede(runs: Runs, run: Run, at: datetime) -> None:
    """End a blocked run, of which nothing was sent, in favour of a newer one."""
    for held in runs.deliveries(run.export, run.run):
        if held.value.state is State.BLOCKED:
            _end_unsent(runs, held, at, code="superseded", message=say("A newer run took its place."))
    runs.end_if_all_ended(run.export, run.run)


def _end_unsent(runs: Runs, held: Versioned[Delivery], at: datetime, **why: Any) -> None:
    """End a blocked delivery: nothing of it was sent, so there is nothing to commit."""
    runs.save(held, state=State.CANCELLED, step=Step.DONE, finished_at=at, **why)


def tick(
    cloud: Cloud,
    *,
    clock: Callable[[], datetime] = now,
    newest: NewestSnapshot,
    first: Callable[[Sequence[Held[Export]]], None] = lambda exports: None,
) -> list[Run]:
    """Start the runs that are due; the runs started.

    `newest` tells a segment's newest snapshot; `first` is given all exports before any of them is started. One export's
    trouble never keeps others from running.
    """
    started: list[Run] = []
    asleep = Asleep(cloud.underway)
    exports = export_store(cloud.exports).all()
    with apart("companions"):
        first(exports)
    for held in exports:
        with apart("start", held.item.name):
            try:
                if not _sleeps(asleep, held, clock(), newest):
                    started += _fire(cloud, held, asleep, clock, newest)
            except UserMustAct as error:
                log.warning("It is not known whether the export %s is due: %s", held.item.name, error.message)
    return started


def _sleeps(asleep: Asleep, held: Held[Export], at: datetime, newest: NewestSnapshot) -> bool:
    """Whether an earlier tick found out that it need not be looked at now."""
    export, version = held.item, held.etag
    if not follows_a_schedule(export):
        return True
    if export.schedule.kind == "cron":
        until = asleep.until(export.name, version)
        return until is not None and at < until
    keys = asleep.keys(export.name, version)
    return keys is not None and keys == newest_keys(export.followed, newest)


def _fire(
    cloud: Cloud, held: Held[Export], asleep: Asleep, clock: Callable[[], datetime], newest: NewestSnapshot
) -> list[Run]:
    """Start the run that is due, then remember the firing: after a crash between the two it fires again."""
    export = held.item
    fired = firing(cloud, export, clock(), newest)
    if isinstance(fired, Quiet):
        asleep.note(export.name, held.etag, fired)
        return []
    if fired.due_at is None and waits_for_an_answer(cloud, export, fired.keys):
        fired.keep()
        return []
    try:
        found = start_run(cloud, export, f"schedule {export.schedule.kind}", clock=clock)
    except UserMustAct as error:
        log.warning("The export %s is due but cannot run: %s", export.name, error.message)
        fired.keep(missed=error.message)
        return []
    if found.new:
        fired.keep(missed=fired.late())
        return [found.run]
    if fired.due_at is not None:  # a newer snapshot is looked at again once the run has ended
        fired.keep(missed=fired.swallowed(found.run.created_at))
    return []


def cancel(cloud: Cloud, export: str, run: str, *, clock: Callable[[], datetime] = now) -> Run | None:
    """Ask a run to end; what was done is committed. None where there is no such run."""
    runs = Runs(cloud.runs)
    for _ in range(5):
        held = runs.run(export, run)
        if held is None or held.value.state in ENDED:
            return held.value if held else None
        try:
            saved = runs.save(held, cancel_requested=True)
        except Conflict:
            continue
        for each in runs.deliveries(export, run):
            if each.value.state is State.BLOCKED:
                _end_unsent(runs, each, clock(), code="cancelled", message=CANCELLED)
        return runs.end_if_all_ended(export, run) or saved.value
    raise Conflict("the run keeps changing")


def decide(
    cloud: Cloud, export: str, run: str, plan: str, decision: str, *, by: str, clock: Callable[[], datetime] = now
) -> Run:
    """Answer a guard in the name of a person, for the deliveries of a run whose plan has this fingerprint.

    Raises Unprocessable where nothing waits for this decision.
    """
    runs = Runs(cloud.runs)
    waiting = [each for each in runs.deliveries(export, run) if _waits(each.value, plan)]
    if not waiting:
        raise Unprocessable(
            "nothing_to_decide", say("No blocked delivery of this run has that plan: read the run again.")
        )
    few = min(each.value.counts.get("add", 0) for each in waiting)
    if decision == guards.START_SMALL and not small_start.is_possible(few):
        raise Unprocessable(
            "nothing_to_start_with",
            say(
                "Only %(people)s people would join, so nobody would be left for later: deliver or discard.", people=few
            ),
        )
    answer: dict[str, Any] = {"decision": decision, "decided_by": by, "decided_at": clock()}
    for held in waiting:
        if decision == "discard":
            _end_unsent(runs, held, clock(), code="discarded", message=say("The plan was discarded."), **answer)
            continue
        saved = runs.save(held, state=State.QUEUED, turn=held.value.turn + 1, message="", code="", **answer)
        cloud.slices.send(message_of(saved.value).body())
    ended = runs.end_if_all_ended(export, run)
    if ended is None:
        raise Unprocessable("run_missing", say("There is no such run."))
    return ended


def _waits(delivery: Delivery, plan: str) -> bool:
    return delivery.state is State.BLOCKED and delivery.plan == plan and bool(plan)
