"""What a rehearsal of a million people costs beside the run that it foresees: time, processor time and peak memory.

First everybody is new; then a million people are on the list, are read from it, and a fiftieth of them come, go or
changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from dev.bench import stage
from dev.bench.options import Measured, Options
from dev.bench.parts.rehearsal import rehearse
from dev.bench.people import Day
from dev.bench.processes import cpu_seconds, forget_peak, peak_mb, simulator
from dev.bench.stage import App
from dev.bench.vendors import WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["iterable"]


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    cpu: float
    peak_mb: float

    def told(self) -> str:
        return f"{self.seconds:.1f} s, processor {self.cpu:.1f} s, peak memory {self.peak_mb:,.0f} MB"


def measure(options: Options) -> Measured:
    metrics: dict[str, float] = {}
    details: dict[str, str] = {}
    with (
        stage.storage() as storage,
        simulator(VENDOR.name, VENDOR.simulator) as running,
        stage.app(storage.services, VENDOR.hosts(running.url)) as app,
    ):
        app.define(storage.services, VENDOR, 1.0, options.rows)
        for name, day in {"everybody is new": Day(options.rows), "day two": Day(options.rows, second=True)}.items():
            storage.land(day)
            rehearsed, ran = _cost(app, rehearse(app)), _cost(app, app.start())
            key = name.replace(" ", "_")
            metrics[f"rehearsal_size.seconds.{key}"] = rehearsed.seconds / ran.seconds
            metrics[f"rehearsal_size.cpu.{key}"] = rehearsed.cpu / ran.cpu
            metrics[f"rehearsal_size.peak_mb.{key}"] = rehearsed.peak_mb
            details |= {f"{name}: rehearsal": rehearsed.told(), f"{name}: run": ran.told()}
    return Measured(metrics, details)


def _cost(app: App, run: str) -> _Cost:
    """What a run takes that was just started."""
    before = cpu_seconds(app.process)
    forget_peak(app.process)
    view = app.finish(run)
    return _Cost(stage.seconds(view), cpu_seconds(app.process) - before, peak_mb(app.process))
