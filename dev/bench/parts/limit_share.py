"""How much of what a vendor allows is used, with its limits on; minutes and calls per million that follow from it.

The share is of what deliveries may use: the connection's rate budget, less the tenth of it that is kept for connection
checks and pickers. Where the vendor publishes no limit it is of what the configured rate or concurrency allows.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dev.bench import stage
from dev.bench.options import MILLION, Measured, Options
from dev.bench.people import Day
from dev.bench.processes import SimulatorProcess, simulator
from dev.bench.stage import App
from dev.demo.vendors import VENDORS, DemoVendor
from dev.simulators import dotdigital

BUDGET = 0.75
"""Of a published limit, a connection's default."""
SLOWEST_START = 120.0
"""Seconds within which the first write has to come."""


@dataclass(frozen=True, slots=True)
class Limited:
    """A vendor with its limits on: at most `calls` in any `seconds` to `endpoint`, whose calls carry up to `rows`
    people, and to the endpoints in `beside`, which the vendor counts together with it.

    `share` is the part of these calls that are the connection's: 1 where the number is our own and not the vendor's.
    `minutes` is what the replaced product needs for a million profiles.
    """

    vendor: DemoVendor
    endpoint: str
    calls: float
    seconds: float
    rows: int
    minutes: int
    share: float = BUDGET
    beside: frozenset[str] = frozenset()
    asks: bool = False
    """Its calls ask about people and carry none; nearly all of them about as many as they may."""

    def allowed(self, seconds: float) -> float:
        """Calls in so many seconds; of a window that is longer, all of them at once."""
        return self.calls * self.share * max(1.0, seconds / self.seconds)


_CONCURRENCY, _IMPORT_SECONDS, _CALL_SECONDS = 4, 2.0, 2.0

LIMITED: Sequence[Limited] = (
    Limited(
        replace(VENDORS["dotdigital"], settings={}, simulator={"journal": "counts", "latency_fixed": 0.3}),
        "PUT /contacts/v3/import",
        *(35, 60.0, 10_000, 180),
        beside=frozenset(name for name, tier in dotdigital.Settings().endpoint_tiers.items() if tier == "low"),
    ),
    Limited(
        replace(
            VENDORS["campaign-monitor"],
            # Nothing is published, so concurrency is the limit: imports of two seconds, four at once.
            settings={**VENDORS["campaign-monitor"].settings, "import_rate": 1000},
            simulator={"journal": "counts", "latency_fixed": _IMPORT_SECONDS},
        ),
        "POST /api/v3.3/subscribers/{listid}/import.json",
        *(_CONCURRENCY, _IMPORT_SECONDS, 1000, 20),
        share=1.0,
    ),
    Limited(
        replace(
            VENDORS["iterable"],
            settings={"data_center": "us"},
            simulator={"journal": "counts", "latency_fixed": 0.3},
        ),
        "POST /api/lists/subscribe",
        *(4, 1.0, 1000, 30),
        share=1.0,
    ),
    Limited(
        replace(VENDORS["omnisend"], simulator={"journal": "counts", "latency_fixed": 0.2}),
        "POST /api/contacts/tags",
        *(60, 60.0, 250, 240),
    ),
    Limited(
        # After an import the list is asked for its people, a hundred at once: that is what binds.
        replace(VENDORS["klaviyo"], simulator={"journal": "counts", "latency_fixed": 0.2}),
        "GET /api/lists/{id}/profiles",
        *(750, 60.0, 100, 20),
        asks=True,
    ),
    Limited(
        # Nothing is published but ten calls at once over everything that the account's login does, of which four are
        # ours: calls of two seconds. Each of the people is in one that adds and in one that tags.
        replace(VENDORS["mailchimp"], simulator={"journal": "counts", "latency_fixed": _CALL_SECONDS}),
        "POST /lists/{list_id}",
        *(_CONCURRENCY, _CALL_SECONDS, 500, 180),
        share=1.0,
        beside=frozenset({"POST /lists/{list_id}/segments/{segment_id}"}),
    ),
)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a simulator saw from the first bulk write on, for so many seconds: `calls` that the limit counts, at most
    `peak` of them in any window of it, and the people that bulk writes carried."""

    calls: int
    rows: int
    peak: int
    all_calls: int
    refused: int


def measure(options: Options) -> Measured:
    metrics: dict[str, float] = {}
    details: dict[str, str] = {}
    for limited in LIMITED:
        name = limited.vendor.name
        seen = _watch(limited, options.seconds)
        minutes = MILLION / max(seen.rows, 1) * options.seconds / 60
        share = seen.calls / limited.allowed(options.seconds)
        metrics[f"limit_share.{name}"] = share
        metrics[f"minutes_per_million.{name}"] = minutes
        metrics[f"calls_per_million.{name}"] = seen.all_calls / max(seen.rows, 1) * MILLION
        details[limited.vendor.label] = (
            f"{share:.1%} of what deliveries may use; at most {seen.peak} calls in {limited.seconds:g} s, allowed "
            f"{limited.calls * limited.share:g}; refused {seen.refused}; {minutes:.1f} minutes per million, where the "
            f"replaced product takes {limited.minutes}"
        )
    return Measured(metrics, details)


def _watch(limited: Limited, seconds: float) -> Watched:
    vendor = limited.vendor
    rows = int(limited.allowed(seconds) * limited.rows * 1.3) + 2 * limited.rows
    with (
        stage.storage() as storage,
        simulator(vendor.name, vendor.simulator) as running,
        stage.app(storage.services, vendor.hosts(running.url)) as app,
    ):
        storage.land(Day(rows))
        app.define(storage.services, vendor, BUDGET, rows)
        app.start()
        first = _first_call(app, running, limited.endpoint)
        time.sleep(max(0.0, first + seconds - time.monotonic()))
        app.host.kill()
        return _count(running.entries(), limited, first, seconds)


def _first_call(app: App, running: SimulatorProcess, endpoint: str) -> float:
    """When the first bulk write came; all processes of a machine share that clock."""
    deadline = time.monotonic() + SLOWEST_START
    while time.monotonic() < deadline:
        for entry in running.entries():
            if entry["endpoint"] == endpoint:
                return float(entry["at"])
        time.sleep(0.2)
    raise RuntimeError(f"nothing was sent within {SLOWEST_START:.0f} seconds\n{app.host.log()[-3000:]}")


def _count(entries: Sequence[Mapping[str, Any]], limited: Limited, first: float, seconds: float) -> Watched:
    within = [entry for entry in entries if first <= entry["at"] < first + seconds]
    counted = [entry for entry in within if entry["endpoint"] in {limited.endpoint, *limited.beside}]
    times = sorted(float(entry["at"]) for entry in counted)
    # Half open, as the simulators count: a call that begins a window's length after another is not in it.
    peak = max(bisect_left(times, start + limited.seconds) - index for index, start in enumerate(times))
    return Watched(
        calls=len(counted),
        rows=len(counted) * limited.rows
        if limited.asks
        else sum(entry["rows"] for entry in within if entry["endpoint"] == limited.endpoint),
        peak=peak,
        all_calls=len(within),
        refused=sum(entry["status"] == 429 for entry in within),
    )
