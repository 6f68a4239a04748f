"""Put right what lists show of exports' newest runs, where a worker died before it had told it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.cloud.cloud import Cloud
from shared.cloud.under_way import UnderWay
from shared.delivery.state import every_run, latest
from shared.delivery.state.records import ENDED, Run
from shared.delivery.state.runs import Runs


def heal(cloud: Cloud, exports: Iterable[str]) -> int:
    """How many of these were wrong. An export whose newest run has ended, with none under way, costs nothing."""
    runs, known = Runs(cloud.runs), latest.every(cloud.runs)
    under_way = runs.active_runs(UnderWay(cloud.underway).exports())
    active = {held.value.export: held.value for held in under_way if not held.value.kind.only_looks}
    healed = 0
    for export in exports:
        told = known.get(export)
        if _is_right(told, active.get(export), known=export in known):
            continue
        newest = active.get(export) or next(_earnest(runs, export), None)
        if newest is None:
            latest.never(cloud.runs, export)
        else:
            every_run.tell(cloud.runs, newest)
            latest.tell(cloud.runs, newest, whatever_is_there=True)
        healed += 1
    return healed


def _earnest(runs: Runs, export: str) -> Iterator[Run]:
    return (run for run in runs.history(export) if not run.kind.only_looks)


def _is_right(told: Run | None, active: Run | None, *, known: bool) -> bool:
    if active is not None:
        return told is not None and (told.run, told.state) == (active.run, active.state)
    return known and (told is None or told.state in ENDED)
