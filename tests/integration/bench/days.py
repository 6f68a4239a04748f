"""The benchmark's segment and data matching, on the engine of tests."""

from __future__ import annotations

from datetime import timedelta

from dev.bench.people import SEGMENT, Day, land
from dev.bench.vendors import WITHOUT_LIMITS
from tests.integration.delivery.engine import Engine


def define(engine: Engine) -> None:
    """The export of the segment."""
    matching = WITHOUT_LIMITS["iterable"].matching.items()
    engine.define(
        targets=[{"segments": [SEGMENT]}],
        matching=[{"field": name, "column": column} for name, column in matching],
        first_run="deliver",
    )


def land_day(engine: Engine, day: Day) -> int:
    """Put a day's snapshot into storage; its size."""
    engine.at += timedelta(minutes=1)
    return land(engine.landing, day, engine.at)
