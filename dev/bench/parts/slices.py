"""Thirty times as many in slices of a minute, by an app that is killed at random: the same end as without, and no more
memory or disk than for one time as many.

After each kill the account's lease is ended and a new app starts; waits that are settings of the platform are left out,
as in `resume`.
"""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import requests

from dev.bench import stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.processes import DiskWatch, SimulatorProcess, forget_peak, peak_mb, simulator
from dev.bench.runs import Setting
from dev.bench.stage import App, Storage
from dev.bench.vendors import WITHOUT_LIMITS
from dev.demo.api import ENDED
from dev.faults.passing import pass_time
from shared.cloud.blobs import CONTAINER

VENDOR = WITHOUT_LIMITS["iterable"]
TIMES = 30
SLICE_SECONDS = 60
ONE_SLICE = 7200
LIVES = (20.0, 100.0)
"""Seconds between which each life of the app ends."""
LAST_LIFE = 20
"""An app that is killed too often proves nothing about the end."""
SEED = 22
IMPATIENT = {"EXPORT_SCHEDULE": "* * * * * *", "STALE_SECONDS": "5", "SLICE_SECONDS": str(SLICE_SECONDS)}
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: what it counted, and a digest of its ledger that does not depend on files or order."""

    seconds: float
    peak_mb: float
    disk_mb: float
    kills: int
    counts: dict[str, int]
    ledger: tuple[int, int]


def measure(options: Options) -> Measured:
    rows = TIMES * options.rows
    part = options.rows
    single, whole, killed = _undisturbed(part, part), _undisturbed(rows, part), _killed(rows, part)
    if (whole.counts, whole.ledger) != (killed.counts, killed.ledger):
        raise RuntimeError(f"the run that was killed ended otherwise: {killed} and not {whole}")
    return Measured(
        {
            "slices.kills": killed.kills,
            "slices.time_ratio": killed.seconds / whole.seconds,
            "slices.peak_mb": killed.peak_mb,
            "slices.peak_ratio": max(killed.peak_mb, whole.peak_mb) / single.peak_mb,
            "slices.disk_mb": killed.disk_mb,
        },
        {
            f"{options.rows:,} profiles": _told(single),
            f"{rows:,} profiles, undisturbed": _told(whole),
            f"{rows:,} profiles, killed {killed.kills} times": _told(killed),
        },
    )


def _told(ended: Outcome) -> str:
    return f"{ended.seconds:.0f} s, peak memory {ended.peak_mb:.0f} MB, local disk {ended.disk_mb:.0f} MB"


def _undisturbed(rows: int, part: int) -> Outcome:
    """A run of so many rows, in parts of about so many."""
    with stage.storage() as storage, simulator(VENDOR.name, VENDOR.simulator, lean=True) as vendor:
        storage.land(Day(rows))
        with _app(storage, vendor, part, SLICE_SECONDS=str(ONE_SLICE)) as app:
            app.define(storage.services, VENDOR, 1.0, rows)
            ran = Setting(storage, app, vendor).run()
            return Outcome(ran.seconds, ran.peak_mb, ran.disk_mb, 0, _counts(ran.view), _ledger(storage))


def _killed(rows: int, part: int) -> Outcome:
    lives, peaks, disks, started = Random(SEED), [0.0], [0.0], 0.0
    run = ""
    with stage.storage() as storage, simulator(VENDOR.name, VENDOR.simulator, lean=True) as vendor:
        storage.land(Day(rows))
        started = time.monotonic()
        for life in range(LAST_LIFE + 1):
            with _app(storage, vendor, part, **IMPATIENT) as app, DiskWatch(app.temporary) as disk:
                if not run:
                    app.define(storage.services, VENDOR, 1.0, rows)
                    forget_peak(app.process)
                    run = app.start()
                seconds = lives.uniform(*LIVES) if life < LAST_LIFE else float("inf")
                view = _look(app, run, seconds)
                peaks.append(peak_mb(app.process))
                if view is not None:
                    disks.append(disk.peak_mb)
                    seconds = time.monotonic() - started
                    return Outcome(seconds, max(peaks), max(disks), life, _counts(view), _ledger(storage))
                app.host.kill()
            disks.append(disk.peak_mb)
            pass_time(storage.container_of(CONTAINER))
    raise AssertionError("the last life ends with the run")


def _app(storage: Storage, vendor: SimulatorProcess, part: int, **settings: str) -> AbstractContextManager[App]:
    return stage.app(storage.services, VENDOR.hosts(vendor.url), ROWS_PER_FILE=str(part), **settings)


def _look(app: App, run: str, seconds: float) -> Any:
    """The run's last view; None where it goes on after so many seconds."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(LOOK_SECONDS)
        with suppress(requests.Timeout):
            if (view := app.look(run))["state"] in ENDED:
                return view
    return None


def _counts(view: Any) -> dict[str, int]:
    """People by what became of them."""
    return {name: number for target in view["targets"] for name, number in target["counts"].items() if number}


def _ledger(storage: Storage) -> tuple[int, int]:
    """How many rows the ledger has, and what they are, whatever their order."""
    container, count, digest = storage.container_of(CONTAINER), 0, 0
    [manifest] = [name for name in container.list_blob_names(name_starts_with="ledgers/") if name.endswith(".json")]
    files = json.loads(container.download_blob(manifest).readall())["files"]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, duckdb.connect() as database:
        for each in files:
            path = Path(folder) / "ledger.parquet"
            with path.open("wb") as file:
                container.download_blob(each["file"]["name"]).readinto(file)
            rows = f"SELECT count(*), bit_xor(hash(address, status, hash)) FROM '{path}'"  # noqa: S608 - our own path
            [(number, digits)] = database.execute(rows).fetchall()
            count, digest = count + number, digest ^ digits
    return count, digest
