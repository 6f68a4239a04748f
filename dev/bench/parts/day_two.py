"""The next day: a hundredth of the people changed, a two-hundredth is new and as many are gone.

Measured twice: without limits, where a full run is as short as the service can make it, and within Iterable's, as it
is in life. Without limits too, the client keeps to the rates that Iterable publishes: five profile updates a second,
and a hundred looks at profiles. Whether leavers and whoever changed are looked up one by one, or found on the list that
is read in one answer, is decided by what takes less time (`shared/vendors/looking_up.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.parts.limit_share import BUDGET, LIMITED
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import WITHOUT_LIMITS
from dev.demo.vendors import DemoVendor

FREE = WITHOUT_LIMITS["iterable"]
HELD = next(each.vendor for each in LIMITED if each.vendor.name == FREE.name)
BATCH_ROWS = 1000


def needed(day: Day) -> int:
    """Requests that the differences take."""
    return sum(-(-count // BATCH_ROWS) for count in (day.changed, day.new, day.gone))


def measure(options: Options) -> Measured:
    second = Day(options.rows, second=True)
    full, later, bulk = _both_days(FREE, 1.0, options.rows)
    held_full, held_later, _ = _both_days(HELD, BUDGET, options.rows)
    return Measured(
        {
            "day_two.time_ratio": later.seconds / full.seconds,
            "day_two.processor_ratio": later.cpu / full.cpu,
            "day_two.calls": later.calls,
        },
        {
            "differences": f"{second.changed:,} changed, {second.new:,} new, {second.gone:,} gone",
            "without limits": _told(full, later),
            "within Iterable's limits": _told(held_full, held_later),
            "bulk calls on day two": f"{bulk}, as many as the differences take",
        },
    )


def _both_days(vendor: DemoVendor, budget: float, rows: int) -> tuple[Ran, Ran, int]:
    """The full run, the run of the next day, and its bulk calls. Raises AssertionError where those are too many."""
    second = Day(rows, second=True)
    with stage.storage() as storage:
        storage.land(Day(rows))
        with runs.setting(vendor, rows, storage, budget) as setting:
            full = setting.run()
            storage.land(second)
            later = setting.run()
            bulk = _bulk_calls(setting.vendor.entries()[-later.calls :])
    assert bulk == needed(second), f"{bulk} bulk requests where {needed(second)} carry everything"
    return full, later, bulk


def _bulk_calls(entries: Sequence[Mapping[str, Any]]) -> int:
    return sum(bool(entry["rows"]) for entry in entries)


def _told(full: Ran, later: Ran) -> str:
    return (
        f"full run {full.seconds:.1f} s and {full.calls:,} calls, day two {later.seconds:.1f} s and {later.calls:,} "
        f"calls: {later.seconds / full.seconds:.1%} of the time; processor {full.cpu:.1f} s and {later.cpu:.1f} s"
    )
