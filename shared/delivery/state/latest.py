"""The newest run of every export in one partition, so that a list of any number of exports asks once.

A row is written after the transaction that it tells of, which is in the export's own partition. A crash between the two
leaves it as it was: the timer puts it right (`shared/delivery/start/latest_runs.py`). Nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from shared.cloud.tables import Entity, Stored, Table
from shared.cloud.unreadable import readable
from shared.delivery.state.records import Run, listed_run, run_key
from shared.errors import Conflict

PARTITION = "~latest"
"""No export has this name."""
_EXPORT = "export:"
_LEFT_OUT = frozenset({"definition", "trace", "PartitionKey", "RowKey"})


def row_key(export: str) -> str:
    """With something before the name: an export may be called what rows of other partitions are looked for by."""
    return _EXPORT + export


def tell(table: Table, run: Run, *, whatever_is_there: bool = False) -> None:
    """Make it the newest run of its export, unless a newer one is told of. Whoever is first of two is put right by the
    timer, which knows what the newest is, `whatever_is_there`. A dry run is none: what waits for a decision, or failed,
    still does."""
    if run.kind.only_looks:
        return
    row = {name: value for name, value in run.entity().items() if name not in _LEFT_OUT}
    _write(table, run.export, {**row, "run": run.run}, whatever_is_there=whatever_is_there)


def never(table: Table, export: str) -> None:
    """Say that the export has no run."""
    _write(table, export, {"run": ""}, whatever_is_there=True)


def every(table: Table) -> dict[str, Run | None]:
    """Export -> its newest run, None where it has none. Exports without a row are not known yet."""
    found = readable(table.query(PARTITION), _read)
    return dict(found)


def _write(table: Table, export: str, row: Mapping[str, object], *, whatever_is_there: bool) -> None:
    stored = table.get(PARTITION, row_key(export))
    entity: Entity = {**row, "PartitionKey": PARTITION, "RowKey": row_key(export)}
    with suppress(Conflict):
        if stored is None:
            table.insert(entity)
        elif whatever_is_there or str(stored.entity.get("run", "")) <= str(row["run"]):
            table.replace(entity, stored.etag)


def _read(stored: Stored) -> tuple[str, Run | None]:
    export, run = str(stored.entity["RowKey"]).removeprefix(_EXPORT), str(stored.entity.get("run", ""))
    if not run:
        return export, None
    return export, listed_run({**stored.entity, "PartitionKey": export, "RowKey": run_key(run)})
