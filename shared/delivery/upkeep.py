"""What the timer does for the index of what is under way: drops what has ended; once a day, looks at everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain

from shared.catalog.store import export_store
from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.cloud.tables import Stored
from shared.cloud.under_way import UnderWay
from shared.delivery.erase import event_expiry, expiry
from shared.delivery.opt_outs import collecting
from shared.delivery.start import latest_runs, run_list
from shared.delivery.state.records import ACTIVE, LOOKING, now
from shared.notify.outbox import Outbox

_BEYOND = LOOKING + "~"
"""Behind the rows that make a run, or a dry run, the one that is under way; ACTIVE is the first."""


def tidy(cloud: Cloud, *, marked: Sequence[Stored] | None = None, clock: Callable[[], datetime] = now) -> None:
    """Put right what lists show of runs that are under way or have just ended; then no longer look at exports that have
    neither a run under way nor a notice to tell. `marked` are their rows, where they were read just now."""
    rows, outbox, at = UnderWay(cloud.underway), Outbox(cloud.runs), clock()
    marked = rows.marked() if marked is None else marked
    if marked:
        with apart("heal"):
            latest_runs.heal(cloud, [str(row.entity["RowKey"]) for row in marked])
    for row in [each for each in marked if rows.may_go(each, at)]:
        export = str(row.entity["RowKey"])
        with apart("tidy", export):
            if not any(cloud.runs.query(export, first=ACTIVE, last=_BEYOND)) and not outbox.has_any(export):
                rows.drop(row)


def look_daily(cloud: Cloud, *, clock: Callable[[], datetime] = now) -> None:
    """Mark what is missing from the index, and let runs expire: both read all of the table `runs`. A look that does not
    come to its end goes on at the next tick."""
    rows, at = UnderWay(cloud.underway), clock()
    if not rows.is_day_over(at):
        return
    marked, outbox = set(rows.exports()), Outbox(cloud.runs)
    pointers = cloud.runs.scan("RowKey ge @first and RowKey lt @last", {"first": ACTIVE, "last": _BEYOND})
    running = (str(each.entity["PartitionKey"]) for each in pointers)
    for export in sorted(set(chain(running, outbox.partitions())) - marked):
        rows.mark(export)
    latest_runs.heal(cloud, [held.item.name for held in export_store(cloud.exports).all()])
    with apart("opt-outs"):
        collecting.start_due(cloud, clock=clock)
    with apart("events"):
        event_expiry.expire(cloud, clock=clock)
    if run_list.heal(cloud, clock=clock) == run_list.MOST:
        return
    if expiry.expire(cloud, clock=clock) < expiry.MOST_RUNS:
        rows.begin_day(at)
