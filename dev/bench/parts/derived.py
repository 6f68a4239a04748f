"""What made values cost: two full runs of the same people, one with every field filled by a step.

Both runs send as many values of the same length or so, so that what differs is the making.
"""

from __future__ import annotations

from typing import Any

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import COLUMN_FIELDS, WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["campaign-monitor"]
MADE: dict[str, dict[str, Any]] = {
    "FirstName": {"steps": [{"function": "title"}]},
    "LastName": {"steps": [{"function": "title"}]},
    "City": {"take": "first", "columns": ["City", "Country"], "steps": [{"function": "upper"}]},
    "PostalCode": {"take": "join", "columns": ["PostalCode", "Country"], "separator": "-"},
    "Country": {"steps": [{"function": "map", "values": {"NL": "Netherlands", "DE": "Germany"}, "otherwise": "keep"}]},
    "LoyaltyTier": {"steps": [{"function": "lower"}]},
    "DateOfBirth": {"steps": [{"function": "date", "reads": "year_month_day"}]},
    "Points": {"steps": [{"function": "decimal_comma"}]},
}
"""Field and column -> what its value is made of; of the column itself, unless said."""


def measure(options: Options) -> Measured:
    plain = _full_run(options.rows, [{"field": name, "column": name} for name in COLUMN_FIELDS])
    made = _full_run(
        options.rows, [{"field": name, "derived": {"columns": [name], **MADE[name]}} for name in COLUMN_FIELDS]
    )
    return Measured(
        {"derived.cpu_ratio": made.cpu / plain.cpu},
        {
            "columns as they are": plain.in_words,
            f"{len(MADE)} made values": made.in_words,
            "processor time": f"{made.cpu / plain.cpu:.2f} times as much",
        },
    )


def _full_run(rows: int, matching: list[dict[str, Any]]) -> Ran:
    with stage.storage() as storage:
        storage.land(Day(rows))
        with runs.setting(VENDOR, rows, storage) as setting:
            setting.app.change(matching=matching)
            return setting.run()
