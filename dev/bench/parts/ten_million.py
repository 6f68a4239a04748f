"""Ten times as many, at each vendor: time in proportion, and neither memory nor disk that grows with the segment."""

from __future__ import annotations

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import WITHOUT_LIMITS
from dev.demo.vendors import DemoVendor


def measure(options: Options) -> Measured:
    measured = [_measured(name, vendor, options.rows) for name, vendor in WITHOUT_LIMITS.items()]
    return Measured(
        {name: figure for each in measured for name, figure in each.metrics.items()},
        {name: words for each in measured for name, words in each.details.items()},
    )


def _measured(name: str, vendor: DemoVendor, rows: int) -> Measured:
    small, large = _run(vendor, rows), _run(vendor, 10 * rows)
    return Measured(
        {
            f"ten_million.{name}.time_ratio": large.seconds / small.seconds,
            f"ten_million.{name}.peak_ratio": large.peak_mb / small.peak_mb,
            f"ten_million.{name}.peak_mb": large.peak_mb,
            f"ten_million.{name}.disk_mb": large.disk_mb,
        },
        {f"{name}, {rows:,} profiles": _told(small), f"{name}, {10 * rows:,} profiles": _told(large)},
    )


def _run(vendor: DemoVendor, rows: int) -> Ran:
    with stage.storage() as storage:
        storage.land(Day(rows))
        with runs.setting(vendor, rows, storage) as setting:
            return setting.run()


def _told(ran: Ran) -> str:
    return f"{ran.seconds:.1f} s, peak memory {ran.peak_mb:.0f} MB, local disk {ran.disk_mb:.0f} MB"
