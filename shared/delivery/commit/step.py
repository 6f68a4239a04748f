"""Last step of a delivery, however it went: fold its journal into the ledger, write the report, end it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from shared.catalog.targets import Owned
from shared.delivery.commit import part_records, report
from shared.delivery.commit.happened import EventLog
from shared.delivery.commit.new_ledger import LedgerPlace, Outcomes, commit_part
from shared.delivery.commit.part_records import PartRecords
from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import drift
from shared.delivery.send import unfinished_jobs
from shared.delivery.state import events, job_times, journal, layout, ledger, once
from shared.delivery.state import plan as plans
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import Commit, Ledger
from shared.delivery.state.plan import Plan
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify import verification
from shared.delivery.work import Work
from shared.errors import Blocked, Conflict, LeaseLost
from shared.wording import say, together

log = logging.getLogger(__name__)

COMPLETE = frozenset({RunKind.DELIVERY, RunKind.FULL_RESYNC, RunKind.REBUILD})
"""Kinds of runs after which the target has the snapshot."""

NEW_LEDGER = frozenset({RunKind.FULL_RESYNC, RunKind.REBUILD})
"""Kinds of runs that get by without the ledger."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The delivery whose journal is committed: this one, or an earlier one that ended before its commit."""

    folder: str
    commit: str
    plan: Plan


def commit(work: Work) -> None:
    """Commit what the journal proves, and end the delivery. Needs no vendor."""
    found = work.plan()
    made = found[0] if found else None
    outcomes = Outcomes()
    if made is None:
        attempts.clear(work)
    looks = work.run.kind.only_looks
    if made and not looks:
        if _changes_ledger(work, made):
            learns = not work.delivery.ending
            outcomes = _commit(work, Finished(work.folder, work.commit_name, made), learns=learns)
        _remember(work, made, outcomes)
    if not looks:
        _drop_what_was_agreed(work, made)
    state = _final_state(work, made, outcomes)
    report.write(work, made, outcomes, state)
    if made and made.parts > 1:
        part_records.clear(work.cloud.blobs, work.folder)
    report.tidy(work, outcomes)
    for name in list(work.cloud.blobs.names(layout.rehearsal(work.folder))) if looks else ():
        work.cloud.blobs.delete(name)
    counts = (made.balance.counts() if made else {}) | outcomes.counts
    message = work.delivery.message if work.delivery.ending else ""
    if looks and not message:
        message = _looked(work, made)
    if made and not message:
        message = together(made.mentions)
    # Written down before the row says done: a worker that dies in between leaves it to the timer.
    begun = verification.begin(work, outcomes.counts)
    work.finish(
        state=state,
        finished_at=work.clock(),
        counts=counts,
        message=message,
        left_out=report.values_left_out(made, outcomes),
        members=report.members(outcomes),
    )
    if begun is not None:
        verification.send(work.cloud, begun, work.clock())


def commit_leftover(work: Work) -> None:
    """Commit an earlier delivery to this target that never got to its own commit, as its journal may hold people."""
    left = work.memory().get("open")
    if not left or left == work.identity:
        return
    folder = layout.delivery_folder(left["export"], left["run"], left["index"])
    facts: dict[str, Any] = {"open": None}
    log.warning("The delivery %d of run %s was never committed; doing it now.", left["index"], left["run"])
    try:
        found = plans.read(work.cloud.blobs, folder)
        if found is None:  # it was there before the first request, and does not expire before it is committed
            raise plans.missing()
        outcomes = _commit(work, Finished(folder, f"{left['run']}-{left['index']:03d}", found[0]))
        facts |= Commit(f"{left['run']}-{left['index']:03d}", outcomes.generation).facts()
        facts["ledger"] = work.ledger_folder
        if outcomes.left_jobs:
            facts["left"] = unfinished_jobs.with_another(work, folder)
        part_records.clear(work.cloud.blobs, folder)
        report.tidy(work, outcomes)
    except Blocked as error:
        if work.run.kind not in NEW_LEDGER:
            raise
        log.warning("It cannot be committed any more, and this run goes on without it: %s", error.message)
    work.remember(**facts)


def _changes_ledger(work: Work, made: Plan) -> bool:
    """Something was to be sent, or more became known of people in a run that came to its end."""
    return bool(made.balance.operations or (made.learns and not work.delivery.ending))


def _commit(work: Work, finished: Finished, *, learns: bool = False) -> Outcomes:
    """Write the new ledger and swap it in; only count where that was done before."""
    blobs, made = work.cloud.blobs, finished.plan
    folded = (work.folded if _is_own(work, finished) else None) or journal.fold(blobs, finished.folder)
    current = _current(work, finished)
    already = current.commit == finished.commit
    generation = current.generation if already else _next_generation(work, current)
    jobs = job_times.of_run(made, folded)
    outcomes = Outcomes(left_jobs=bool(folded.left_behind()), jobs=jobs, generation=generation)
    if not already and current.commit != made.base:
        raise ledger.damaged()
    attempt = f"{finished.commit}-{attempts.execution(work)}"
    place = LedgerPlace(work.ledger_folder, finished.folder, finished.commit, attempt, work.where, learns)
    log = None if already else _event_log(work, finished, current, generation)
    none_yet = work.first and _is_own(work, finished)
    records = PartRecords(blobs, finished.folder, made, current, counting=already, learns=learns, none_yet=none_yet)
    try:
        _commit_parts(
            work, records, outcomes, plan=made, folded=folded, before=None if already else current, place=place, log=log
        )
        records.require_files()
    except once.Unusable:
        part_records.clear(blobs, finished.folder)
        raise
    if already:
        outcomes.files = list(current.files)
    else:
        _swap(work, finished, outcomes, replace(current, listed=_listed(current, log)))
    return outcomes


def _event_log(work: Work, finished: Finished, current: Ledger, generation: int) -> EventLog | None:
    """Where it is written what happened to whom; None where it is not."""
    settings, blobs = work.cloud.settings, work.cloud.blobs
    if not settings.event_days:
        return None
    folder = layout.events_folder(work.ledger_folder)
    return EventLog(
        blobs=blobs,
        folder=folder,
        commit=finished.commit,
        generation=generation,
        at=work.clock(),
        facts={
            "export": finished.folder.split("/")[1],
            "run": finished.folder.split("/")[2],
            "vendor": work.connection.vendor,
            "account": work.delivery.account,
            "list_key": folder.split("/")[-2],
            "target": work.delivery.target_key,
        },
        salt=events.salt(blobs),
        addresses=settings.event_addresses,
        lists=events.lists_again(current.listed, finished.commit, settings.event_days),
        hold=work.lease.hold,
    )


def _listed(current: Ledger, log: EventLog | None) -> str:
    """The commit that last wrote down who was on the list, if all that followed was written down, too."""
    if log is None:
        return ""
    return log.commit if log.lists else current.listed


def _commit_parts(
    work: Work,
    records: PartRecords,
    outcomes: Outcomes,
    *,
    plan: Plan,
    folded: Folded,
    before: Ledger | None,
    place: LedgerPlace,
    log: EventLog | None,
) -> None:
    """Commit each part that is not recorded yet. Raises SliceOver where the next slice has to go on."""
    with work.scratch.database() as connection:
        for part in range(plan.parts):
            recorded = records.read(part)
            if recorded is None:
                became = Outcomes()
                commit_part(
                    connection,
                    work.files,
                    became,
                    plan=plan,
                    part=part,
                    folded=folded,
                    before=before,
                    place=place,
                    log=log,
                )
                work.scratch.give_back()
                recorded = records.keep(part, became)
                if records.records(recorded) and part + 1 < plan.parts:
                    work.end_in_time()
            part_records.add(outcomes, recorded)


def _next_generation(work: Work, current: Ledger) -> int:
    """Counted on from what the target's row remembers, where the ledger is a lost one's successor, or a backup."""
    return max(current.generation, Commit.of(work.memory()).generation) + 1


def _is_own(work: Work, finished: Finished) -> bool:
    return finished.folder == work.folder


def _current(work: Work, finished: Finished) -> Ledger:
    blobs, folder = work.cloud.blobs, work.ledger_folder
    if work.base is not None and _is_own(work, finished) and not finished.plan.fresh:
        return work.base
    if finished.plan.fresh:
        return ledger.emptied(blobs, folder, unless=finished.commit)
    return ledger.read(blobs, folder, committed=Commit(finished.plan.base, finished.plan.base_generation))


def _swap(work: Work, finished: Finished, outcomes: Outcomes, current: Ledger) -> None:
    """Make the new files the ledger, then drop what neither this generation nor the one before needs."""
    work.lease.hold()
    blobs, made, folder = work.cloud.blobs, finished.plan, work.ledger_folder
    snapshots = tuple({"key": each["key"], "taken_at": each["taken_at"]} for each in made.snapshots)
    files = tuple(outcomes.files)
    kept = {each.file.name for each in files}
    previous = tuple(each.file.name for each in current.files if each.file.name not in kept)
    after = replace(
        current,
        commit=finished.commit,
        generation=outcomes.generation,
        files=files,
        previous=previous,
        snapshots=snapshots or current.snapshots,
    )
    needed = {*kept, *previous, layout.ledger_manifest(folder), layout.protected(folder)}
    # Listed before the swap: whoever gets stuck after it must not drop files of a later commit.
    there = current.previous if work.first and _is_own(work, finished) and not made.fresh else blobs.names(folder)
    needless = [name for name in there if name not in needed]
    try:
        ledger.save(blobs, folder, after, etag=current.etag)
    except Conflict:
        raise LeaseLost("the ledger was committed by another worker") from None
    for name in needless:
        blobs.delete(name)


def _remember(work: Work, made: Plan, outcomes: Outcomes) -> None:
    facts: dict[str, Any] = {}
    if _changes_ledger(work, made):
        facts |= Commit(work.commit_name, outcomes.generation).facts() | {"ledger": work.ledger_folder, "open": None}
    if outcomes.left_jobs:
        facts["left"] = unfinished_jobs.with_another(work, work.folder)
    facts |= job_times.together(outcomes.jobs, work.memory())
    if work.run.kind in COMPLETE and not work.delivery.ending:
        facts |= {"delivered": made.keys, "delivered_by": work.export.name, "looks": drift.to_remember(made.looks)}
    try:
        if facts:
            work.remember(**facts)
    except Owned:
        log.warning("The list of run %s was given away meanwhile; its next owner finds what was done.", work.run.run)


def _drop_what_was_agreed(work: Work, made: Plan | None) -> None:
    """Nobody is still to come of the people whom a person agreed to: they are all there, or a person cancelled it."""
    complete = made is not None and work.run.kind in COMPLETE and not made.balance.later
    over = work.delivery.ending == State.CANCELLED or (complete and not work.delivery.ending)
    if over and work.memory().get("agreed"):
        try:
            work.remember(agreed=None)
        except Owned:
            log.warning("The list of run %s was given away meanwhile.", work.run.run)


def _looked(work: Work, made: Plan | None) -> str:
    """What a dry run or a rehearsal says: guards first."""
    rehearsed = work.run.kind is RunKind.REHEARSAL
    if made is None or not made.findings:
        return say("Rehearsal: nothing was sent.") if rehearsed else say("Dry run: nothing was sent.")
    if rehearsed:
        return say(
            "Rehearsal: nothing was sent. A run would be blocked before its first write: %(why)s.",
            why=made.stopped_by(),
        )
    return say(
        "Dry run: nothing was sent. A run would be blocked before its first write: %(why)s.", why=made.stopped_by()
    )


def _final_state(work: Work, made: Plan | None, outcomes: Outcomes) -> State:
    if work.delivery.ending:
        return State(work.delivery.ending)
    if work.run.kind.only_looks:
        return State.WARNINGS if made and made.findings else State.SUCCEEDED
    if made is None or made.balance.operations == 0:
        return State.NOTHING
    troubled = any(not name.endswith(" accepted") and count for name, count in outcomes.counts.items())
    balance = made.balance
    if troubled or balance.refused or report.values_left_out(made, outcomes) or work.delivery.warnings:
        return State.WARNINGS
    return State.SUCCEEDED
