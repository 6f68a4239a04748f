"""Runs of an export on all its connections: asked for together, each started and stopped for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.catalog.companions import companion_name
from shared.catalog.models import Export
from shared.catalog.store import export_store
from shared.cloud.cloud import Cloud
from shared.delivery.start import starting
from shared.delivery.start.starting import Beside, Started
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.errors import ExportError, Unprocessable, UserMustAct
from shared.wording import say

TOGETHER = frozenset(RunKind) - {RunKind.REPAIR, RunKind.REBUILD}
"""Kinds of runs that are meant for all connections; the others are about what was found of one list."""


def start(cloud: Cloud, export: Export, kind: RunKind, by: str) -> Started:
    """Start the export, and beside it its other connections: what keeps one from running keeps no other. Raises what
    `start_run` does for the export itself, once the others were asked."""
    beside: tuple[Beside, ...] = ()
    if export.connection and kind in TOGETHER:
        beside = tuple(_beside(cloud, each, kind, by) for each in _companions(cloud, export))
    try:
        started = starting.start_run(cloud, export, "on demand", kind=kind, by=by)
    except Unprocessable as error:
        running = [each.connection for each in beside if each.run]
        raise Unprocessable(error.code, _elsewhere(error.message, running) if running else error.message) from None
    return Started(started.run, started.new, beside)


def _elsewhere(why: str, connections: Sequence[str]) -> str:
    return say(
        "%(why)s It was started on its other connections: %(connections)s.",
        why=why,
        connections=", ".join(connections),
    )


def cancel(cloud: Cloud, export: Export, kind: RunKind) -> None:
    """Ask runs of this kind on the export's other connections to end."""
    names = [each.name for each in _companions(cloud, export)]
    for held in Runs(cloud.runs).active_runs(names):
        if held.value.kind is kind:
            starting.cancel(cloud, held.value.export, held.value.run)


def _companions(cloud: Cloud, export: Export) -> Iterator[Export]:
    store = export_store(cloud.exports)
    for entry in export.also:
        held = store.get(companion_name(export.name, entry.connection))
        if held and held.item.owned_by == export.name:
            yield held.item


def _beside(cloud: Cloud, export: Export, kind: RunKind, by: str) -> Beside:
    try:
        found = starting.start_run(cloud, export, "on demand", kind=kind, by=by)
    except ExportError as error:
        words = error.message if isinstance(error, UserMustAct) else say("It could not be started now: try again.")
        return Beside(export.name, export.connection, None, words)
    return Beside(export.name, export.connection, found.run)
