"""How near a rehearsal comes to the run after it: requests and seconds, with each vendor's limits on.

A first run brings a part of the people, so that it is known how long the vendor's jobs take. Then more of them land, a
run is rehearsed, and carried out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from dev.bench import stage
from dev.bench.options import Measured, Options
from dev.bench.parts.limit_share import BUDGET, LIMITED, Limited
from dev.bench.people import Day
from dev.bench.processes import simulator
from dev.bench.stage import EXPORT, App

PEOPLE: Mapping[str, int] = {
    "dotdigital": 60_000,
    "campaign-monitor": 60_000,
    "iterable": 100_000,
    "omnisend": 15_000,
    "klaviyo": 60_000,
    "mailchimp": 12_000,
}
"""People of the segment, so that a run takes a minute or two."""
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
        requests = int(ran["targets"][0]["requests"])
        metrics[f"rehearsal.seconds.{limited.vendor.name}"] = seconds / took
        metrics[f"rehearsal.requests.{limited.vendor.name}"] = foreseen["requests"] / requests
        details[limited.vendor.label] = (
            f"foreseen {seconds:.1f} s and {foreseen['requests']:,} requests, taken {took:.1f} s and {requests:,}: "
            f"{seconds / took - 1:+.1%} of the time, {foreseen['requests'] / requests - 1:+.1%} of the requests"
        )
    return Measured(metrics, details)


def _both(limited: Limited) -> tuple[Any, Any]:
    """What was foreseen, and the view of the run after it."""
    vendor, rows = limited.vendor, PEOPLE[limited.vendor.name]
    with (
        stage.storage() as storage,
        simulator(vendor.name, vendor.simulator) as running,
        stage.app(storage.services, vendor.hosts(running.url)) as app,
    ):
        storage.land(Day(rows // BEFORE))
        app.define(storage.services, vendor, BUDGET, rows)
        app.finish(app.start())
        storage.land(Day(rows))
        rehearsed = app.finish(_rehearse(app))
        time.sleep(WINDOW_SECONDS)
        return rehearsed["targets"][0]["rehearsal"], app.finish(app.start())


def _rehearse(app: App) -> str:
    return str(app.api.call("POST", f"/exports/{EXPORT}/runs", {"kind": "rehearsal"})["run"])
