"""Ten times as many: time in proportion, and neither memory nor disk that grows with the segment."""

from __future__ import annotations

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["iterable"]


def measure(options: Options) -> Measured:
    small, large = _run(options.rows), _run(10 * options.rows)
    return Measured(
        {
            "ten_million.time_ratio": large.seconds / small.seconds,
            "ten_million.peak_mb": large.peak_mb,
            "ten_million.disk_mb": large.disk_mb,
            "one_million.peak_mb": small.peak_mb,
        },
        {f"{options.rows:,} profiles": _told(small), f"{10 * options.rows:,} profiles": _told(large)},
    )


def _run(rows: int) -> Ran:
    with stage.storage() as storage:
        storage.land(Day(rows))
        with runs.setting(VENDOR, rows, storage) as setting:
            return setting.run()


def _told(ran: Ran) -> str:
    return f"{ran.seconds:.1f} s, peak memory {ran.peak_mb:.0f} MB, local disk {ran.disk_mb:.0f} MB"
