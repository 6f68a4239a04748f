"""From measured figures and the vendors' rates to a day's cost: formulas only, prices are the reader's. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shared.vendors.contract import Definition, Rate
from shared.vendors.limits import DEFAULT_BUDGET

SLICE_SECONDS = 240
TICKS_A_DAY = 24 * 60
MEMORY_GB = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """`fixed` for each run and `per_thousand` rows sent: least squares over two sizes is the line through them."""

    fixed: float
    per_thousand: float

    def at(self, rows: float) -> float:
        return self.fixed + self.per_thousand * rows / 1000


def line(small: tuple[float, float], large: tuple[float, float]) -> Line:
    """Through two points (rows, value)."""
    slope = (large[1] - small[1]) / (large[0] - small[0]) * 1000
    return Line(max(small[1] - slope * small[0] / 1000, 0.0), slope)


def per_minute(rate: Rate) -> float:
    """Requests a minute that a delivery gets: the rate budget counts for published rates."""
    return rate.requests / rate.seconds * 60 * (DEFAULT_BUDGET if rate.published else 1.0)


def minutes(definition: Definition, endpoint: str, rows: int, *, rows_per_request: int) -> float:
    """Minutes that a vendor's own limit makes of so many rows through one endpoint; 0 where no rate names it."""
    limits = [per_minute(rate) for rate in definition.rates if endpoint in rate.endpoints]
    return math.ceil(rows / rows_per_request) / min(limits) if limits else 0.0


@dataclass(frozen=True, slots=True)
class Day:
    """A day of exports that all run once. `working` is seconds of one run, all slices together."""

    exports: int
    rows_sent: int
    working: float
    accounts: int

    @property
    def slices(self) -> int:
        """Of one run: a slice ends after four minutes."""
        return max(math.ceil(self.working / SLICE_SECONDS), 1)

    @property
    def waits(self) -> int:
        """Executions that find their account in use, and stand in the row to be called: one for each slice, while
        runs of one account are due at once."""
        return (self.exports - self.accounts) * self.slices

    @property
    def executions(self) -> int:
        return self.exports * self.slices + self.waits + TICKS_A_DAY

    @property
    def gigabyte_seconds(self) -> float:
        """Of the runs; ticks and waits last a moment each, and the platform bills at least a second of either."""
        return MEMORY_GB * (self.exports * self.working + self.waits + TICKS_A_DAY)
