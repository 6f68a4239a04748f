"""What it costs to write down what happens to whom: a full run and a second day, without events and with them."""

from __future__ import annotations

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["campaign-monitor"]


def measure(options: Options) -> Measured:
    without, those = _two_days(options.rows, EVENT_DAYS="0"), _two_days(options.rows)
    ratios = [day.cpu / before.cpu for before, day in zip(without, those, strict=True)]
    return Measured(
        dict(zip(("events.cpu_ratio", "events.cpu_ratio_day_two"), ratios, strict=True)),
        {
            "without events": without[0].in_words,
            "with them": those[0].in_words,
            "second day, without": without[1].in_words,
            "second day, with them": those[1].in_words,
            "processor time": f"{ratios[0]:.2f} and {ratios[1]:.2f} times as much",
        },
    )


def _two_days(rows: int, **settings: str) -> list[Ran]:
    with stage.storage() as storage:
        storage.land(Day(rows))
        with runs.setting(VENDOR, rows, storage, 1.0, **settings) as setting:
            first = setting.run()
            storage.land(Day(rows, second=True))
            return [first, setting.run()]
