"""What rules cost: two full runs of the same people, one with each kind of rule.

The rules keep back a single person, so that both runs deliver as much: a segment of strangers is excluded, two columns
are required, and all but the last by points may come.
"""

from __future__ import annotations

from typing import Any

from dev.bench import people, runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.runs import Ran
from dev.bench.vendors import WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["campaign-monitor"]
STRANGERS = "Strangers"
ONE_IN = 10
"""Strangers that are excluded, for so many people who are not."""


def rules(rows: int) -> dict[str, Any]:
    return {
        "exclude": [{"segment": STRANGERS}],
        "require": [{"column": "CustomerSince"}, {"column": "FirstName"}],
        "limit": {"first": rows - 1, "by": "Points"},
    }


def measure(options: Options) -> Measured:
    plain, ruled = _full_run(options.rows, {}), _full_run(options.rows, rules(options.rows))
    kept_back = ruled.view["targets"][0]["counts"]["kept_back"]
    assert kept_back == 1, f"{kept_back} people were kept back"
    return Measured(
        {"rules.cpu_ratio": ruled.cpu / plain.cpu},
        {
            "without rules": plain.in_words,
            f"with rules, {options.rows // ONE_IN:,} people excluded": ruled.in_words,
            "processor time": f"{ruled.cpu / plain.cpu:.2f} times as much",
        },
    )


def _full_run(rows: int, given: dict[str, Any]) -> Ran:
    with stage.storage() as storage:
        strangers = Day(rows // ONE_IN, first=rows)
        people.land(storage.container, strangers, storage.at, STRANGERS)
        storage.land(Day(rows))
        with runs.setting(VENDOR, rows, storage) as setting:
            setting.app.change(rules=given)
            return setting.run()
