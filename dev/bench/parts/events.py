"""What it costs to write down what happens to whom: a full run without events and one with them."""

from __future__ import annotations

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["campaign-monitor"]


def measure(options: Options) -> Measured:
    without, those = _run(options.rows, EVENT_DAYS="0"), _run(options.rows)
    return Measured(
        {"events.cpu_ratio": those.cpu / without.cpu},
        {"without events": without.in_words, "with them": those.in_words},
    )


def _run(rows: int, **settings: str) -> Ran:
    with stage.storage() as storage:
        storage.land(Day(rows))
        with runs.setting(VENDOR, rows, storage, 1.0, **settings) as setting:
            return setting.run()
