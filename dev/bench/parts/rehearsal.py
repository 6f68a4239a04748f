"""How near a rehearsal comes to the run after it: requests and seconds, with each vendor's limits on.

A first run brings a part of the people, so that it is known how long the vendor's jobs take. Then more of them land, a
run is rehearsed, and carried out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dev.bench import stage
from dev.bench.options import Measured, Options
from dev.bench.parts.limit_share import BUDGET, LIMITED, Limited
from dev.bench.people import Day
from dev.bench.processes import simulator
from dev.bench.stage import EXPORT, App
from dev.demo.vendors import DemoVendor

PEOPLE: Mapping[str, int] = {
    "dotdigital": 12_000,
    "campaign-monitor": 12_000,
    "iterable": 20_000,
    "omnisend": 15_000,
    "klaviyo": 60_000,
    "mailchimp": 12_000,
}
"""People of the segment, so that a run takes a minute or two."""
BATCH_ROWS: Mapping[str, int] = {"dotdigital": 500, "campaign-monitor": 200, "iterable": 200}
"""People of a request, so few that the vendor's limits and jobs take the time, and not this machine's processor."""
JOBS: Mapping[str, Mapping[str, Any]] = {
    "dotdigital": {"import_polls": None, "import_seconds": 5.0, "import_seconds_each_thousand": 10.0},
}
"""Settings with which a vendor's jobs take as long as their people do: as a simulator comes, Dotdigital's imports end
when they are looked at for the second time."""
WINDOW_SECONDS = 65.0
"""Between the two, so that what the rehearsal asked is in no window of the vendor's rates any more."""
BEFORE = 10
"""One in so many of them is there before."""


def measure(options: Options) -> Measured:
    metrics: dict[str, float] = {}
    details: dict[str, str] = {}
    for limited in LIMITED:
        foreseen, ran = _both(limited)
        seconds, took = float(foreseen["seconds"]), stage.seconds(ran)
        requests, asked = int(ran["targets"][0]["requests"]), foreseen["requests"] + foreseen["looks"]
        metrics[f"rehearsal.seconds.{limited.vendor.name}"] = seconds / took
        metrics[f"rehearsal.requests.{limited.vendor.name}"] = asked / requests
        details[limited.vendor.label] = (
            f"foreseen {seconds:.1f} s and {asked:,} requests, {foreseen['looks']} of them looks at jobs that go on; "
            f"taken {took:.1f} s and {requests:,}: {seconds / took - 1:+.1%} of the time, "
            f"{asked / requests - 1:+.1%} of the requests; load {os.getloadavg()[0]:.0f}"
        )
    return Measured(metrics, details)


def of_small_batches(vendor: DemoVendor) -> DemoVendor:
    """The vendor with the settings of this measurement."""
    name = vendor.name
    batches = {"batch_rows": BATCH_ROWS[name]} if name in BATCH_ROWS else {}
    return replace(
        vendor,
        settings={**vendor.settings, **batches},
        simulator={**vendor.simulator, **JOBS.get(name, {})},
    )


def _both(limited: Limited) -> tuple[Any, Any]:
    """What was foreseen, and the view of the run after it."""
    vendor, rows = of_small_batches(limited.vendor), PEOPLE[limited.vendor.name]
    with (
        stage.storage() as storage,
        simulator(vendor.name, vendor.simulator) as running,
        stage.app(storage.services, vendor.hosts(running.url)) as app,
    ):
        storage.land(Day(rows // BEFORE))
        app.define(storage.services, vendor, BUDGET, rows)
        app.finish(app.start())
        storage.land(Day(rows))
        rehearsed = app.finish(rehearse(app))
        time.sleep(WINDOW_SECONDS)
        return rehearsed["targets"][0]["rehearsal"], app.finish(app.start())


def rehearse(app: App) -> str:
    """Start a rehearsal; the run."""
    return str(app.api.call("POST", f"/exports/{EXPORT}/runs", {"kind": "rehearsal"})["run"])
