"""The steps between plan and commit: prepare the target, then send what has no receipt yet."""

from __future__ import annotations

from collections.abc import Sequence

from shared.delivery import guards, journal
from shared.delivery import plan as plans
from shared.delivery.journal import Folded, Journal
from shared.delivery.plan import Plan
from shared.delivery.records import Step
from shared.delivery.scratch import database
from shared.delivery.sending import Sender
from shared.delivery.transitions import RunKind
from shared.delivery.work import Work
from shared.errors import Blocked, UserMustAct
from shared.vendors.contract import Kind, TargetFound

MOST_WARNINGS = 50


def prepare(work: Work) -> None:
    """Find or create the target, and remember which it is, and that this delivery is going to write to it.

    Raises Blocked `target_vanished` for a list of ours that is gone, UserMustAct for one that was given by id.
    """
    made, memory = _plan(work), work.memory()
    known = memory.get("list_id") if work.run.kind is not RunKind.REBUILD else None
    remembered = TargetFound(str(known), str(memory["list_name"])) if known else None
    try:
        found = work.opened.vendor.prepare(work.wanted, remembered, made.fields)
    except UserMustAct as error:
        if error.code == "target_vanished" and not work.wanted.list_id:
            words = "Somebody deleted the list at the vendor. Run the export with the kind 'rebuild' to make it anew."
            raise Blocked("target_vanished", words) from None
        raise
    created = found.created or bool(known and memory.get("created"))
    work.remember(list_id=found.list_id, list_name=found.name, created=created, open=work.identity)
    warnings = [*work.delivery.warnings, *found.warnings]
    target = {"list_id": found.list_id, "name": found.name, "details": dict(found.details)}
    work.save(step=Step.DELIVER, target=target, warnings=warnings)


def deliver(work: Work) -> bool:
    """Send what has no receipt yet; True when everything has."""
    made = _plan(work)
    folded = journal.fold(work.cloud.blobs, work.folder)
    work.done = before = _answered_rows(made, folded)
    target, vendor, definition = work.found_target(), work.opened.vendor, work.opened.definition
    with database(work.cloud.settings, work.where) as connection:
        sender = Sender(
            blobs=work.cloud.blobs,
            database=connection,
            journal=Journal(work.cloud.blobs, work.folder, work.delivery.turn),
            folded=folded,
            send=lambda kind, rows: vendor.deliver(target, kind, rows),
            threads=definition.concurrency,
            out_of_time=work.out_of_time,
            progress=work.progress,
            where=work.where,
            first_batch_alone=definition.first_batch_alone,
        )
        try:
            finished = sender.run(made, _kinds(work))
        finally:
            if work.done > before:
                work.save(done=work.done, stalled_since=None)
    if finished:
        warnings = list(dict.fromkeys([*work.delivery.warnings, *sender.warnings]))[:MOST_WARNINGS]
        work.save(step=Step.COMMIT, done=work.done, warnings=warnings)
    return finished


def _plan(work: Work) -> Plan:
    found = plans.read(work.cloud.blobs, work.folder)
    if found is None:
        raise RuntimeError("the delivery is past planning but has no plan")
    return found[0]


def _kinds(work: Work) -> Sequence[Kind]:
    if work.delivery.decision == guards.ADDITIONS_ONLY:
        return (Kind.ADD, Kind.CHANGE)
    return plans.ORDER


def _answered_rows(made: Plan, folded: Folded) -> int:
    rows = 0
    for file in made.files:
        last = file.first_batch + file.batches - 1
        for batch in range(file.first_batch, last + 1):
            if batch in folded.results:
                rows += made.batch_rows if batch < last else file.file.rows - (file.batches - 1) * made.batch_rows
    return rows
