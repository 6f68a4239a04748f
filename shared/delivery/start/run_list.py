"""Put right the list of all runs: what a worker did not tell before it died, and runs from before there was a list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.cloud.cloud import Cloud
from shared.cloud.under_way import UnderWay
from shared.cloud.unreadable import readable
from shared.delivery.state import every_run
from shared.delivery.state.records import LISTED, begun_before, listed_run, now

MOST = 1_000
"""Rows that are put right at once, so that the timer stays quick; the next tick goes on."""
LOOK = "runs"
_AGAIN = timedelta(days=2)
"""Runs that began so long before the last look are looked at again: they may have ended since."""


def heal(cloud: Cloud, *, clock: Callable[[], datetime] = now) -> int:
    """How many rows were wrong or missing; with MOST there may be more. Looks at runs since the last look, and the
    first time at all."""
    rows, at = UnderWay(cloud.underway), clock()
    looked = rows.looked(LOOK)
    last = begun_before((looked - _AGAIN).date()) if looked else "run:~"
    told = _told(cloud, every_run.bound(last))
    healed = 0
    condition = "RowKey ge @first and RowKey lt @last"
    for stored in cloud.runs.scan(condition, {"first": "run:", "last": last}, LISTED):
        for run in readable([stored], lambda each: listed_run(each.entity)):
            if told.pop(every_run.row_key(run.export, run.run), None) != run.state:
                every_run.tell(cloud.runs, run)
                healed += 1
        if healed == MOST:
            return healed
    for key in told:
        cloud.runs.delete(every_run.PARTITION, key)
    rows.look(LOOK, at)
    return healed + len(told)


def _told(cloud: Cloud, last: str) -> dict[str, str]:
    """Row key -> state, as the list has it."""
    rows = cloud.runs.query(every_run.PARTITION, last=last, columns=("RowKey", "state"))
    return {str(each.entity["RowKey"]): str(each.entity.get("state")) for each in rows}
