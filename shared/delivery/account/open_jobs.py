"""Jobs that an account has open at the vendor, by delivery; the account lease's body carries them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

FORGOTTEN_AFTER = 24 * 3600.0
"""Seconds; a delivery that ended with open jobs must not take their places for ever."""


def elsewhere(carried: Mapping[str, Any], delivery: str, clock: Callable[[], float] = time.time) -> int:
    """Jobs of other deliveries."""
    return sum(count for name, (count, _) in _alive(carried, clock).items() if name != delivery)


def carried(
    before: Mapping[str, Any], delivery: str, count: int, clock: Callable[[], float] = time.time
) -> dict[str, Any]:
    """What the lease's body says after this delivery has so many jobs open."""
    kept = {name: list(entry) for name, entry in _alive(before, clock).items() if name != delivery}
    return kept | ({delivery: [count, clock()]} if count else {})


def _alive(carried: Mapping[str, Any], clock: Callable[[], float]) -> dict[str, tuple[int, float]]:
    entries = carried.get("jobs", {})
    return {name: (int(n), float(at)) for name, (n, at) in entries.items() if clock() - float(at) < FORGOTTEN_AFTER}
