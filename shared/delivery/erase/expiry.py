"""Run artefacts expire; ledgers, and runs that have not ended, never do by themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.catalog.targets import Claim
from shared.cloud.apart import apart, tell_trouble
from shared.cloud.cloud import Cloud
from shared.cloud.unreadable import UnreadableRow
from shared.delivery.state import every_run, layout
from shared.delivery.state.records import ENDED, now, run_key

log = logging.getLogger(__name__)

MOST_RUNS = 100
"""Per call, so that the timer stays quick; the next tick goes on."""


def expire(cloud: Cloud, *, clock: Callable[[], datetime] = now) -> int:
    """Delete files and rows of runs that ended longer ago than the app setting says; how many runs."""
    limit = clock() - timedelta(days=cloud.settings.artefact_days)
    needed, unknown = _uncommitted(cloud)
    expired = 0
    condition = "RowKey ge 'run:' and RowKey lt 'run:~' and finished_at lt @limit"
    for stored in cloud.runs.scan(condition, {"limit": limit}):
        export, run = str(stored.entity["export"]), str(stored.entity["run"])
        if stored.entity["state"] not in ENDED or (export, run) in needed or export in unknown:
            continue
        with apart("expire", f"{export}/{run}"):
            _delete(cloud, export, run)
        expired += 1
        if expired == MOST_RUNS:
            break
    return expired


def _uncommitted(cloud: Cloud) -> tuple[set[tuple[str, str]], set[str]]:
    """Runs whose journal a target still needs; and exports with a target that cannot tell."""
    needed, unknown = set[tuple[str, str]](), set[str]()
    for stored in cloud.targets.scan("RowKey ne ''", {}):
        try:
            opened = Claim.of(stored.entity, stored.etag).memory.get("open")
        except UnreadableRow as error:
            tell_trouble("expire", str(stored.entity.get("export", "")), f"{error.message} Until then no run expires.")
            unknown.add(str(stored.entity.get("export", "")))
            continue
        if opened:
            needed.add((opened["export"], opened["run"]))
    return needed, unknown


def _delete(cloud: Cloud, export: str, run: str) -> None:
    """Files first, the run's row last: what is interrupted is found again."""
    for name in list(cloud.blobs.names(layout.run_folder(export, run))):
        cloud.blobs.delete(name)
    prefix = f"delivery:{run}:"
    for delivery in list(cloud.runs.query(export, first=prefix, last=prefix + "~")):
        cloud.runs.delete(export, str(delivery.entity["RowKey"]))
    every_run.drop(cloud.runs, export, run)
    cloud.runs.delete(export, run_key(run))
    log.info("The run %s of %s expired.", run, export)
