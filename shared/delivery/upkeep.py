"""What the timer does for the index of what is under way: drops what has ended; once a day, looks at everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import chain

from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.cloud.under_way import UnderWay
from shared.delivery.erase import expiry
from shared.delivery.state.records import ACTIVE, now
from shared.notify.outbox import Outbox


def tidy(cloud: Cloud, *, clock: Callable[[], datetime] = now) -> None:
    """No longer look at exports that have neither a run under way nor a notice to tell."""
    rows, outbox = UnderWay(cloud.underway), Outbox(cloud.runs)
    for row in rows.old(clock()):
        export = str(row.entity["RowKey"])
        with apart("tidy", export):
            if cloud.runs.get(export, ACTIVE) is None and not outbox.has_any(export):
                rows.drop(row)


def look_daily(cloud: Cloud, *, clock: Callable[[], datetime] = now) -> None:
    """Mark what is missing from the index, and let runs expire: both read all of the table `runs`. A look that does not
    come to its end goes on at the next tick."""
    rows, at = UnderWay(cloud.underway), clock()
    if not rows.is_day_over(at):
        return
    marked, outbox = set(rows.exports()), Outbox(cloud.runs)
    running = (str(each.entity["PartitionKey"]) for each in cloud.runs.scan("RowKey eq @row", {"row": ACTIVE}))
    for export in sorted(set(chain(running, outbox.partitions())) - marked):
        rows.mark(export)
    if expiry.expire(cloud, clock=clock) < expiry.MOST_RUNS:
        rows.begin_day(at)
