"""What a slice of a rehearsal goes through, phase by phase: additions and changes, then removals."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.delivery.send.batches import Send, Settle
from shared.vendors.contract import BatchResult, Kind, Row
from shared.vendors.rehearsing import Rehearsing

PHASES = ("send", "remove")
"""Those of which requests, jobs and seconds are noted."""


class Going:
    """Counts beside the sending. `before` is what earlier slices noted. Thread safe."""

    def __init__(self, stage: Rehearsing, before: Mapping[str, Any]) -> None:
        self._stage = stage
        self._before = before
        self._lock = threading.Lock()
        self._phase = ""
        self._began = time.monotonic()
        self._spent: dict[str, float] = {}
        self._jobs = Counter[str]()

    def through(self, send: Send) -> Send:
        """The same, counted."""

        def deliver(kind: Kind, rows: Sequence[Row]) -> BatchResult:
            self._enter(PHASES[kind is Kind.REMOVE])
            return self._counted(send(kind, rows))

        return deliver

    def after(self, settle: Settle) -> Settle:
        """The same, counted: one job may lead to another."""

        def ask(kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
            result = settle(kind, rows, job)
            return self._counted(result) if result else None

        return ask

    def noted(self) -> dict[str, Any]:
        """What is to be remembered, with what was before."""
        self._enter("")
        before, stage = self._before, self._stage
        asked = {phase: dict(_sum(before, "asked", phase) + stage.asked.get(phase, Counter())) for phase in PHASES}
        number, seconds = before.get("answers", (0, 0.0))
        spent: Mapping[str, float] = before.get("spent", {})
        return {
            "asked": asked,
            "requests": before.get("requests", 0) + stage.link.counters.requests,
            "answers": [number + len(stage.answers), round(seconds + sum(stage.answers), 3)],
            "withheld": dict(Counter(before.get("withheld", {})) + stage.withheld),
            "jobs": dict(Counter(before.get("jobs", {})) + self._jobs),
            "spent": {phase: round(spent.get(phase, 0.0) + self._own(phase), 3) for phase in PHASES},
        }

    def _own(self, phase: str) -> float:
        """Seconds of a phase, those apart that a run does not spend."""
        return max(self._spent.get(phase, 0.0) - self._stage.aside.get(phase, 0.0), 0.0)

    def _enter(self, phase: str) -> None:
        with self._lock:
            if phase != self._phase:
                now = time.monotonic()
                self._spent[self._phase] = self._spent.get(self._phase, 0.0) + now - self._began
                self._phase, self._began = phase, now
                self._stage.begin(phase)

    def _counted(self, result: BatchResult) -> BatchResult:
        if result.staged is not None:
            with self._lock:
                self._jobs[self._phase] += 1
        return result


def _sum(noted: Mapping[str, Any], name: str, phase: str) -> Counter[str]:
    return Counter({str(key): int(value) for key, value in noted.get(name, {}).get(phase, {}).items()})
