"""Profiles a second without vendor limits, ours beside the peers, in one run."""

from __future__ import annotations

from collections.abc import Mapping

from dev.bench import contenders, stage
from dev.bench.contenders import PEERS, Took
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.processes import SimulatorProcess, cpu_seconds, simulator
from dev.bench.stage import Storage
from dev.bench.vendors import COLUMN_FIELDS, WITHOUT_LIMITS
from dev.demo.vendors import DemoVendor

CAMPAIGN_MONITOR = WITHOUT_LIMITS["campaign-monitor"]
LIST = "Peers"


def measure(options: Options) -> Measured:
    day = Day(options.rows)
    with stage.storage() as storage:
        size = storage.land(day)
        ours = {name: _ours(storage, vendor, day) for name, vendor in WITHOUT_LIMITS.items()}
        with simulator(CAMPAIGN_MONITOR.name, CAMPAIGN_MONITOR.simulator, lean=True) as vendor:
            peers = {name: _peer(name, storage, vendor, day) for name in PEERS}
    campaign_monitor = ours[CAMPAIGN_MONITOR.name]
    metrics = {"throughput.profiles_per_s": day.rows / campaign_monitor.seconds}
    metrics |= {f"throughput.ratio_to_{name}": peers[name].seconds / campaign_monitor.seconds for name in PEERS}
    named = {f"ours, {name}": took for name, took in ours.items()} | peers
    details = {name: _told(took, day.rows) for name, took in named.items()}
    return Measured(metrics, {"segment": f"{day.rows:,} profiles, {size / 1e6:,.0f} MB of CSV", **details})


def _ours(storage: Storage, vendor: DemoVendor, day: Day) -> Took:
    with (
        simulator(vendor.name, vendor.simulator, lean=True) as running,
        stage.app(storage.services, vendor.hosts(running.url)) as app,
    ):
        app.define(storage.services, vendor, 1.0, day.rows)
        app_cpu, simulator_cpu = cpu_seconds(app.process), cpu_seconds(running.process)
        view = app.finish(app.start())
        took = Took(
            stage.seconds(view), cpu_seconds(app.process) - app_cpu, cpu_seconds(running.process) - simulator_cpu
        )
        _everybody_came(running, day, before={"rows": 0, "numbers": 0})
    return took


def _peer(name: str, storage: Storage, running: SimulatorProcess, day: Day) -> Took:
    fields = [{"name": column, "dataType": "Text"} for column in COLUMN_FIELDS]
    running.post("people", {"lists": [{"name": f"{LIST} {name}", "fields": fields}]})
    state = running.get("state")
    list_id = next(each["id"] for each in state["lists"] if each["name"] == f"{LIST} {name}")
    took = contenders.peer(name, storage, running, list_id, CAMPAIGN_MONITOR.secrets["api_key"])
    _everybody_came(running, day, before=state["lean"])
    return took


def _everybody_came(running: SimulatorProcess, day: Day, before: Mapping[str, int]) -> None:
    """Raises AssertionError where somebody did not come, or came twice: then the time means nothing."""
    seen = running.get("state")["lean"]
    assert seen["rows"] - before["rows"] == day.rows, seen
    assert seen["numbers"] - before["numbers"] == day.rows * (day.rows - 1) // 2, seen


def _told(took: Took, rows: int) -> str:
    return (
        f"{rows / took.seconds:>9,.0f} profiles/s ({took.seconds:.1f} s; processor: "
        f"its own {took.cpu:.1f} s, the simulator's {took.simulator_cpu:.1f} s)"
    )
