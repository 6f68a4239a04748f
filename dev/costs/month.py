"""`python -m dev.costs.month`: what a month of 10, 300 and 5,000 exports takes of everything that Azure bills.

Units alone; prices differ by region and change (docs/cost-and-scale.md). The runs' figures are dev/costs/day.py's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dev.costs.day import A_SECOND, CHANGED, DAILY, READ_BYTES, SEGMENT_BYTES_PER_ROW, TICK, vendor_minutes
from dev.costs.deriving import TICKS_A_DAY, Day

DAYS, HOURS = 30, 730
SIZES = (10, 300, 5_000)
ROWS = 100_000
"""Profiles of each segment, of which one in a hundred changes each day."""
EXPORTS_PER_ACCOUNT = 10

ALERT_RULES, PRIVATE_ENDPOINTS = 14, 5
"""Of infra/parameters/prod.bicepparam."""
INDEX_PAGE = 1_000
"""Rows of one answer of a table; a tick reads two for each export (`underway`)."""

FREE_EXECUTIONS, FREE_GIGABYTE_SECONDS = 250_000, 100_000
"""Azure's monthly grant for a subscription (Flex Consumption, quotas)."""

RECORDS_OF_A_RUN = 3
"""Of our own, at most; a tick that starts nothing has none (tests/integration/app/test_api.py)."""
RECORDS_OF_AN_EXECUTION = 3
"""Of the Functions host: that it begins, that it ends, and the request. Taken from the host's source, not measured."""
BYTES_OF_A_RECORD = 1_500
"""With all that Application Insights adds. Assumed."""


@dataclass(frozen=True, slots=True)
class Month:
    """So many exports, each run once a day."""

    exports: int

    @property
    def _day(self) -> Day:
        sent = ROWS * CHANGED
        working = DAILY.seconds.at(ROWS) + vendor_minutes("iterable", sent) * 60
        return Day(self.exports, int(sent), working, max(self.exports // EXPORTS_PER_ACCOUNT, 1))

    @property
    def executions(self) -> int:
        return DAYS * self._day.executions

    @property
    def gigabyte_seconds(self) -> float:
        return DAYS * self._day.gigabyte_seconds

    @property
    def operations(self) -> Mapping[str, float]:
        """Requests to storage by kind."""
        working = self._day.working
        run = {kind: line.at(ROWS) + A_SECOND.get(kind, 0) * working for kind, line in DAILY.storage.items()}
        run["blob read"] += ROWS * SEGMENT_BYTES_PER_ROW / READ_BYTES
        tick = dict(TICK)
        tick["table read"] += math.ceil(2 * self.exports / INDEX_PAGE) - 1
        return {kind: DAYS * (self.exports * each + TICKS_A_DAY * tick.get(kind, 0)) for kind, each in run.items()}

    @property
    def log_gigabytes(self) -> float:
        records = RECORDS_OF_AN_EXECUTION * self.executions + RECORDS_OF_A_RUN * DAYS * self.exports
        return records * BYTES_OF_A_RECORD / 1e9

    def rows(self) -> Mapping[str, str]:
        """What is billed -> how much of it."""
        billed = max(self.executions - FREE_EXECUTIONS, 0)
        seconds = max(self.gigabyte_seconds - FREE_GIGABYTE_SECONDS, 0)
        return {
            "executions, of them billed": f"{self.executions:,}, {billed:,}",
            "GB-seconds, of them billed": f"{self.gigabyte_seconds:,.0f}, {seconds:,.0f}",
            **{kind: f"{number:,.0f}" for kind, number in sorted(self.operations.items())},
            "GB of logs": f"{self.log_gigabytes:.2f}",
            "alert rules": str(ALERT_RULES),
            "hours of private endpoints": f"{PRIVATE_ENDPOINTS * HOURS:,}",
        }


def main() -> None:
    tables = [Month(exports).rows() for exports in SIZES]
    print("| a month | " + " | ".join(f"{exports:,} exports" for exports in SIZES) + " |")
    print("| --- |" + " --- |" * len(SIZES))
    for what in tables[0]:
        print(f"| {what} | " + " | ".join(table[what] for table in tables) + " |")


if __name__ == "__main__":
    main()
