"""The step of a rehearsal: go through all that a run would send, and write nothing at the vendor.

The vendor's module does what it does in a run; its understudy answers whatever would write
(`shared/vendors/rehearsing.py`). What came of it is in a journal of the rehearsal's own, so that slices go on where the
last one ended and no other work takes it for something that was done.
"""

from __future__ import annotations

from dataclasses import replace

from shared.delivery.rehearse import foreseen, listed
from shared.delivery.rehearse.going import Going
from shared.delivery.send.batches import Ending, Sender
from shared.delivery.send.isolating import Isolating
from shared.delivery.send.opted_out_before import OptedOutBefore
from shared.delivery.send.step import expected
from shared.delivery.state import journal, layout
from shared.delivery.state import plan as plans
from shared.delivery.state.journal import Folded, Journal
from shared.delivery.state.records import Step
from shared.delivery.work import Work
from shared.vendors.contract import Vendor
from shared.vendors.rehearsing import Rehearsing


def rehearse(work: Work) -> float | None:
    """Go on. None when everything was gone through; else in how many seconds the next slice goes on."""
    stage, vendor = work.opened.stage, work.opened.vendor
    assert stage is not None, "only a rehearsal has this step"
    going = Going(stage, work.delivery.foreseen)
    try:
        if "made" not in work.delivery.foreseen:
            _prepare(work, vendor)
        if "people" not in work.delivery.foreseen:
            _list(work)
        ending = _send(work, stage, vendor, going)
    finally:
        _note(work, **going.noted())
    if ending is not Ending.FINISHED:
        return 0.0
    foreseen.write(work, work.required_plan())
    work.save(step=Step.COMMIT)
    return None


def _prepare(work: Work, vendor: Vendor) -> None:
    found = vendor.prepare(work.wanted, work.remembered(), work.required_plan().fields)
    target = {"list_id": found.list_id, "name": found.name, "details": dict(found.details)}
    work.note(target=target, warnings=[*work.delivery.warnings, *found.warnings])
    planned = (work.clock() - (work.delivery.started_at or work.clock())).total_seconds()
    _note(work, made=found.created, planned=planned, **({"people": 0} if found.created else {}))


def _list(work: Work) -> None:
    assert work.opened.real is not None, "a rehearsal reads with a vendor of its own"
    _note(work, **listed.read(work, work.opened.real, work.found_target(), layout.rehearsal(work.folder)))
    work.save()


def _send(work: Work, stage: Rehearsing, vendor: Vendor, going: Going) -> Ending:
    made, target, definition = work.required_plan(), work.found_target(), work.opened.definition
    fields = [match.field for match in work.export.matching]  # as values stand in a plan
    found = listed.in_memory(work)
    stage.understudy.target = target.list_id
    stage.understudy.on_target = None if found is None else found.__contains__
    folder = layout.rehearsal(work.folder)
    folded = _without_jobs(journal.fold(work.cloud.blobs, folder))
    work.done = sum(
        rows for file in made.files for batch, rows in made.batches(file).items() if batch in folded.results
    )
    vendor.expect(expected(made, folded))
    batches = OptedOutBefore(vendor, target, Isolating(vendor, target, beforehand=definition.most_jobs > 0))
    with work.scratch.database() as database:
        sender = Sender(
            files=work.files,
            database=database,
            journal=Journal(work.cloud.blobs, folder, work.delivery.turn),
            folded=folded,
            send=going.through(batches.deliver),
            settle=going.after(batches.settle),
            threads=definition.concurrency,
            out_of_time=work.out_of_time,
            progress=work.progress,
            where=work.where,
            first_batch_alone=definition.first_batch_alone,
            most_jobs=definition.most_jobs,
            asks_at_end=True,
            form=lambda kind: vendor.form(target, kind, fields),
        )
        ending = sender.run(made, plans.ORDER)
    work.note(done=work.done, stalled_since=None)
    return ending


def _without_jobs(folded: Folded) -> Folded:
    """Jobs that an earlier slice pretended to begin are begun again: its understudy is gone, and nothing was sent."""
    return replace(folded, staged={}, jobs={})


def _note(work: Work, **facts: object) -> None:
    work.note(foreseen={**work.delivery.foreseen, **facts})
