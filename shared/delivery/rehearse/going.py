"""What a slice of a rehearsal goes through, phase by phase: additions and changes, then removals.

Looking at the vendor's jobs is told apart from sending: batches are sent side by side, and jobs are looked at one after
the other.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.delivery.send.batches import Send, Settle
from shared.delivery.state.job_times import REMOVE, SEND, phase_of
from shared.vendors.contract import BatchResult, Kind, Row
from shared.vendors.rehearsing import Rehearsing

LOOKING: Mapping[str, str] = {SEND: "send_looks", REMOVE: "remove_looks"}
"""Phase -> what looking at its jobs is noted as."""
PARTS = (*LOOKING, *LOOKING.values())
"""Those of which requests and seconds are noted."""


class Going:
    """Counts beside the sending. `before` is what earlier slices noted. Thread safe."""

    def __init__(self, stage: Rehearsing, before: Mapping[str, Any]) -> None:
        self._stage = stage
        self._before = before
        self._lock = threading.Lock()
        self._part = ""
        self._began = time.monotonic()
        self._spent: dict[str, float] = {}
        self._jobs = Counter[str]()
        self._staged: dict[str, tuple[int, int]] = dict(before.get("staged", {}))
        """Phase -> batches that began as a job, and the most people of one."""

    def through(self, send: Send) -> Send:
        """The same, counted."""

        def deliver(kind: Kind, rows: Sequence[Row]) -> BatchResult:
            self._enter(phase_of(kind))
            result = self._counted(phase_of(kind), send(kind, rows))
            if result.staged is not None:
                self._count_batch(phase_of(kind), len(rows))
            return result

        return deliver

    def after(self, settle: Settle) -> Settle:
        """The same, counted: one job may lead to another."""

        def ask(kind: Kind, rows: Sequence[Row], job: str) -> BatchResult | None:
            self._enter(LOOKING[phase_of(kind)])
            result = settle(kind, rows, job)
            return self._counted(phase_of(kind), result) if result else None

        return ask

    def noted(self) -> dict[str, Any]:
        """What is to be remembered, with what was before."""
        self._enter("")
        before, stage = self._before, self._stage
        number, seconds = before.get("answers", (0, 0.0))
        spent: Mapping[str, float] = before.get("spent", {})
        return {
            "asked": _together(before, "asked", stage.asked),
            "unanswered": _together(before, "unanswered", stage.withheld),
            "requests": before.get("requests", 0) + stage.link.counters.requests,
            "answers": [number + len(stage.answers), round(seconds + sum(stage.answers), 3)],
            "jobs": dict(Counter(before.get("jobs", {})) + self._jobs),
            "staged": {phase: list(each) for phase, each in self._staged.items()},
            "spent": {part: round(spent.get(part, 0.0) + self._own(part), 3) for part in PARTS},
        }

    def _own(self, part: str) -> float:
        """Seconds of a part, those apart that a run does not spend."""
        return max(self._spent.get(part, 0.0) - self._stage.aside.get(part, 0.0), 0.0)

    def _enter(self, part: str) -> None:
        with self._lock:
            if part != self._part:
                now = time.monotonic()
                self._spent[self._part] = self._spent.get(self._part, 0.0) + now - self._began
                self._part, self._began = part, now
                self._stage.begin(part)

    def _count_batch(self, phase: str, people: int) -> None:
        with self._lock:
            batches, most = self._staged.get(phase, (0, 0))
            self._staged[phase] = (batches + 1, max(most, people))

    def _counted(self, phase: str, result: BatchResult) -> BatchResult:
        if result.staged is not None:
            with self._lock:
                self._jobs[phase] += 1
        return result


def _together(before: Mapping[str, Any], name: str, now: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    """Requests by part and endpoint, with those of earlier slices."""
    noted: Mapping[str, Mapping[str, int]] = before.get(name, {})
    return {part: dict(Counter(noted.get(part, {})) + now.get(part, Counter())) for part in PARTS}
