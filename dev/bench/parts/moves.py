"""What an id column costs: two full runs of the same people and a second day of each, one with the column named.

On the second day some people are gone, as many are new, and others changed; nobody moves, so that both deliver as much.
"""

from __future__ import annotations

from typing import Any

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["campaign-monitor"]


def measure(options: Options) -> Measured:
    plain, known = _two_days(options.rows, {}), _two_days(options.rows, {"id_column": "CustomerId"})
    ratios = [known_day.cpu / plain_day.cpu for plain_day, known_day in zip(plain, known, strict=True)]
    return Measured(
        dict(zip(("moves.cpu_ratio", "moves.cpu_ratio_day_two"), ratios, strict=True)),
        {
            "without an id column": plain[0].in_words,
            "with it": known[0].in_words,
            "second day, without": plain[1].in_words,
            "second day, with it": known[1].in_words,
            "processor time": f"{ratios[0]:.2f} and {ratios[1]:.2f} times as much",
        },
    )


def _two_days(rows: int, given: dict[str, Any]) -> list[Ran]:
    with stage.storage() as storage:
        storage.land(Day(rows))
        with runs.setting(VENDOR, rows, storage) as setting:
            setting.app.change(**given)
            first = setting.run()
            storage.land(Day(rows, second=True))
            return [first, setting.run()]
