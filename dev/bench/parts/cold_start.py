"""How long it takes until a new process of the app does something."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from dev.bench import stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.processes import REPOSITORY, simulator
from dev.bench.vendors import WITHOUT_LIMITS

TIMES = 5
ROWS = 1000
VENDOR = WITHOUT_LIMITS["iterable"]
_IMPORT = "import time; t = time.perf_counter(); import function_app; print(time.perf_counter() - t)"


def measure(options: Options) -> Measured:
    imports = [_import_seconds() for _ in range(TIMES)]
    first_request, first_slice = _firsts()
    return Measured(
        {"cold_start.import_s": median(imports)},
        {
            "import": f"{median(imports):.2f} s; {min(imports):.2f} to {max(imports):.2f} in {TIMES} processes",
            "first request": f"{first_request:.2f} s, of a new process that listens, to its answer",
            "first slice": f"{first_slice:.2f} s, from the request for a run to the first call of the vendor",
        },
    )


def _import_seconds() -> float:
    ended = subprocess.run([sys.executable, "-c", _IMPORT], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return float(ended.stdout)


def _firsts() -> tuple[float, float]:
    """The first request of one process, and the first slice of another."""
    with stage.storage() as storage, simulator(VENDOR.name, VENDOR.simulator) as running:
        storage.land(Day(ROWS))
        hosts = VENDOR.hosts(running.url)
        with stage.app(storage.services, hosts) as app:
            started = time.monotonic()
            app.api.call("GET", "/exports")
            first_request = time.monotonic() - started
            app.define(storage.services, VENDOR, 1.0, ROWS)
        with stage.app(storage.services, hosts) as app:
            before, started = len(running.entries()), time.monotonic()
            app.finish(app.start())
            return first_request, float(running.entries()[before]["at"]) - started
