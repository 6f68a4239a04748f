"""The steps between plan and commit: prepare the target, then send what has no receipt yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shared.delivery.plan import guards
from shared.delivery.send import unfinished_jobs
from shared.delivery.send.batches import Ending, Sender
from shared.delivery.send.isolating import Isolating
from shared.delivery.send.opted_out_before import OptedOutBefore
from shared.delivery.send.pausing import pause
from shared.delivery.state import journal
from shared.delivery.state import plan as plans
from shared.delivery.state.journal import Folded, Journal
from shared.delivery.state.plan import Plan
from shared.delivery.state.records import Step
from shared.delivery.work import Work
from shared.errors import Blocked, RetryAfter, UserMustAct
from shared.vendors.contract import Kind
from shared.vendors.looking_up import Prospect
from shared.wording import say

MOST_WARNINGS = 50
VANISHED = say("Somebody deleted the list at the vendor. Run the export with the kind 'rebuild' to make it anew.")


def prepare(work: Work) -> None:
    """Find or create the target, and remember which it is, and that this delivery is going to write to it.

    Raises RetryAfter while jobs of an earlier delivery to it are under way, Blocked `target_vanished` for a list of
    ours that is gone, UserMustAct for one that was given by id.
    """
    late = unfinished_jobs.wait_for(work, lambda: _wait_for_jobs(work))
    made, memory, remembered = work.required_plan(), work.memory(), work.remembered()
    try:
        found = work.opened.vendor.prepare(work.wanted, remembered, made.fields)
    except UserMustAct as error:
        if error.code == "target_vanished" and not work.wanted.list_id:
            raise Blocked("target_vanished", VANISHED) from None
        raise
    created = found.created or bool(remembered and memory.get("created"))
    agreed = {"agreed": made.grows_to} if made.grows_to else {}
    work.remember(list_id=found.list_id, list_name=found.name, created=created, open=work.identity, **agreed)
    warnings = [*work.delivery.warnings, *late, *found.warnings]
    target = {"list_id": found.list_id, "name": found.name, "details": dict(found.details)}
    work.save(step=Step.DELIVER, target=target, warnings=warnings)  # shows what is planned, too


def deliver(work: Work) -> float | None:
    """Send what has no receipt yet. None when everything has; else in how many seconds the next slice goes on."""
    made = work.required_plan()
    folded = work.folded or journal.fold(work.cloud.blobs, work.folder)
    work.folded = None
    work.done = before = _answered_rows(made, folded)
    definition = work.opened.definition
    vendor, target = work.opened.vendor, work.found_target()
    fields = [match.field for match in work.export.matching]  # as values stand in a plan
    vendor.expect(expected(made, folded))
    batches = OptedOutBefore(vendor, target, Isolating(vendor, target, beforehand=definition.most_jobs > 0))
    with work.scratch.database() as connection:
        sender = Sender(
            files=work.files,
            database=connection,
            journal=Journal(work.cloud.blobs, work.folder, work.delivery.turn),
            folded=folded,
            send=batches.deliver,
            settle=batches.settle,
            threads=definition.concurrency,
            out_of_time=work.out_of_time,
            progress=work.progress,
            where=work.where,
            first_batch_alone=definition.first_batch_alone,
            form=lambda kind: vendor.form(target, kind, fields),
            most_jobs=max(definition.most_jobs - work.jobs_elsewhere, 1) if definition.most_jobs else 0,
        )
        try:
            ending = sender.run(made, _kinds(work))
        except UserMustAct as error:
            if error.code == "target_vanished" and not work.wanted.list_id:
                raise UserMustAct("target_vanished", VANISHED) from None
            raise
        finally:
            work.open_jobs = sender.jobs
            if work.done > before:
                work.note(done=work.done, stalled_since=None, waits=0)
    warnings = list(dict.fromkeys([*work.delivery.warnings, *sender.warnings]))[:MOST_WARNINGS]
    if ending is Ending.FINISHED:
        work.folded = sender.folded
        work.save(step=Step.COMMIT, done=work.done, warnings=warnings)
        return None
    if ending is Ending.OUT_OF_TIME:
        return 0.0
    return _wait_for_jobs(work)


def expected(made: Plan, folded: Folded) -> Prospect:
    """What batches that were not sent yet may ask the vendor about. Of those that the vendor works on they did."""
    open_rows = Counter[Kind]()
    for file in made.files:
        batches = made.batches(file).items()
        left = (rows for batch, rows in batches if batch not in folded.results and batch not in folded.staged)
        open_rows[file.kind] += sum(left)
    return Prospect(open_rows[Kind.CHANGE], open_rows[Kind.REMOVE], made.members_before)


def _wait_for_jobs(work: Work) -> float:
    """Waiting is a delayed message, at longer and longer intervals. Raises RetryAfter, which knows when to give up."""
    waits = work.delivery.waits
    work.note(waits=waits + 1)
    raise RetryAfter(
        pause(work.cloud.settings.job_seconds, waits), say("The vendor is still working on what it was sent.")
    )


def _kinds(work: Work) -> Sequence[Kind]:
    if work.delivery.decision in (guards.ADDITIONS_ONLY, guards.START_SMALL):
        return (Kind.ADD, Kind.CHANGE)
    return plans.ORDER


def _answered_rows(made: Plan, folded: Folded) -> int:
    batches = (made.batches(file).items() for file in made.files)
    return sum(rows for each in batches for batch, rows in each if batch in folded.results)
