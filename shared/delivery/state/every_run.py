"""Every run of every export in one partition, the newest first, so that a page of all runs asks once.

A row is written after the transaction that it tells of, which is in the export's own partition, and before that of the
newest run (`latest.py`): where that one is right, this one is. A crash in between is put right by the timer
(`shared/delivery/start/run_list.py`). Nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from shared.cloud.tables import Entity, Stored, Table
from shared.cloud.unreadable import readable
from shared.delivery.state.records import LISTED, Run, begun_before, group_of, listed_run, run_key

PARTITION = "~runs"
"""No export has this name."""
COLUMNS = tuple(each for each in LISTED if each not in ("PartitionKey", "RowKey", "cancel_requested"))


def row_key(export: str, run: str) -> str:
    """As in the export's own partition, but for how it begins: a scan of all partitions finds each run once."""
    return f"{bound(run_key(run))}:{export}"


def entity(run: Run) -> Entity:
    """Its row."""
    row = {name: value for name, value in run.entity().items() if name in COLUMNS}
    return {**row, "PartitionKey": PARTITION, "RowKey": row_key(run.export, run.run), "group": group_of(run.state)}


def tell(table: Table, run: Run) -> None:
    """Show it as it is now."""
    table.put(entity(run))


def drop(table: Table, export: str, run: str) -> None:
    """Show it no more."""
    table.delete(PARTITION, row_key(export, run))


def newest_first(
    table: Table,
    *,
    after: tuple[str, str] | None = None,
    since: date | None = None,
    until: date | None = None,
    where: dict[str, str] | None = None,
    at_once: int | None = None,
) -> Iterator[Run]:
    """Runs that can be read: those older than `after` (an export and a run), begun from one day up to another (UTC),
    of which columns have the values of `where`. A request brings `at_once`."""
    older = f"{row_key(*after)}\x01" if after else ""
    earlier = bound(begun_before(until + timedelta(days=1))) if until else ""
    last = bound(begun_before(since)) if since else ""
    rows = table.query(PARTITION, first=max(older, earlier), last=last, at_once=at_once, columns=COLUMNS, where=where)
    yield from readable(rows, _read)


def bound(key: str) -> str:
    """A bound among the keys of runs, among those of this list."""
    return f"at:{key.removeprefix('run:')}"


def _read(stored: Stored) -> Run:
    export, run = str(stored.entity.get("export", "")), str(stored.entity.get("run", ""))
    return listed_run({**stored.entity, "PartitionKey": export, "RowKey": run_key(run)})
