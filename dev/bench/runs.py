"""One run of the service, measured from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dev.bench import stage
from dev.bench.processes import DiskWatch, SimulatorProcess, cpu_seconds, forget_peak, peak_mb, simulator
from dev.bench.stage import App, Storage
from dev.demo.vendors import DemoVendor


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that succeeded: seconds by the app's clock, what its process used, and its last view."""

    seconds: float
    cpu: float
    peak_mb: float
    disk_mb: float
    calls: int
    view: Any

    @property
    def in_words(self) -> str:
        return (
            f"{self.seconds:.1f} s, processor {self.cpu:.1f} s, peak {self.peak_mb:.0f} MB, disk {self.disk_mb:.0f} MB"
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """Storage, an app and a simulator that only counts, with an export that is ready to run."""

    storage: Storage
    app: App
    vendor: SimulatorProcess

    def run(self) -> Ran:
        app, calls = self.app, self.vendor.get("requests")["calls"]
        forget_peak(app.process)
        cpu = cpu_seconds(app.process)
        with DiskWatch(app.temporary) as disk:
            view = app.finish(app.start())
        used = cpu_seconds(app.process) - cpu
        made = self.vendor.get("requests")["calls"] - calls
        return Ran(stage.seconds(view), used, peak_mb(app.process), disk.peak_mb, made, view)


@contextmanager
def setting(
    vendor: DemoVendor, rows: int, storage: Storage, rate_budget: float = 1.0, **settings: str
) -> Iterator[Setting]:
    """An app with these settings, for this segment of `rows` rows, which has to be there."""
    with (
        simulator(vendor.name, vendor.simulator, lean=True) as running,
        stage.app(storage.services, vendor.hosts(running.url), **settings) as app,
    ):
        app.define(storage.services, vendor, rate_budget, rows)
        yield Setting(storage, app, running)
