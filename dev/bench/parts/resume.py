"""The app is killed when the vendor has half of the people, and started again: what that costs.

Three waits are left out, since they are settings of the platform and not work: until the account's lease ends (a
minute), until a newcomer may call the vendor (its longest request and rate window), and until the timer finds the
delivery silent (`STALE_SECONDS`).
"""

from __future__ import annotations

import time

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.processes import SimulatorProcess, simulator
from dev.bench.stage import Storage
from dev.bench.vendors import WITHOUT_LIMITS
from dev.faults.passing import pass_time
from shared.cloud.blobs import CONTAINER

VENDOR = WITHOUT_LIMITS["iterable"]
IMPATIENT = {"EXPORT_SCHEDULE": "* * * * * *", "STALE_SECONDS": "0.5"}
LOOK_SECONDS = 0.02


def measure(options: Options) -> Measured:
    day = Day(options.rows)
    with stage.storage() as storage:
        storage.land(day)
        with runs.setting(VENDOR, day.rows, storage) as setting:
            undisturbed = setting.run()
    with stage.storage() as storage, simulator(VENDOR.name, VENDOR.simulator, lean=True) as vendor:
        storage.land(day)
        seconds, at_kill = _killed(storage, vendor, day)
        resent = vendor.get("state")["lean"]["rows"] - day.rows
    return Measured(
        {"resume.rows_resent": resent, "resume.time_ratio": seconds / undisturbed.seconds},
        {
            "undisturbed": f"{undisturbed.seconds:.1f} s",
            "killed and resumed": f"{seconds:.1f} s, killed when {at_kill:,} people had come; {resent:,} came twice",
        },
    )


def _killed(storage: Storage, vendor: SimulatorProcess, day: Day) -> tuple[float, int]:
    """Seconds of work in both lives, and the people who had come when the first one ended."""
    hosts = VENDOR.hosts(vendor.url)
    with stage.app(storage.services, hosts) as app:
        app.define(storage.services, VENDOR, 1.0, day.rows)
        started = time.monotonic()
        run = app.start()
        while (at_kill := vendor.get("state")["lean"]["rows"]) < day.rows // 2:
            time.sleep(LOOK_SECONDS)
        app.host.kill()
        seconds = time.monotonic() - started
    pass_time(storage.container_of(CONTAINER))
    with stage.app(storage.services, hosts, **IMPATIENT) as app:
        started = time.monotonic()
        app.finish(run)
        return seconds + time.monotonic() - started, at_kill
