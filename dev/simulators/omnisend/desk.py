"""What every group of endpoints works with, and what the vendor does later: jobs that run when their time has come."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Protocol

from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Call
from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.settings import Settings

Job = Callable[[float], None]


class Schedule:
    """Moments are epoch seconds; a job is told the moment it was due at, not the one it ran at."""

    def __init__(self) -> None:
        self._jobs: list[tuple[float, int, Job]] = []
        self._numbers = count()

    def at(self, moment: float, job: Job) -> None:
        heapq.heappush(self._jobs, (moment, next(self._numbers), job))

    def catch_up(self, now: float) -> None:
        """Run all jobs that are due by `now`, the earliest first."""
        while self._jobs and self._jobs[0][0] <= now:
            moment, _, job = heapq.heappop(self._jobs)
            job(moment)

    def __len__(self) -> int:
        return len(self._jobs)


class Desk(Protocol):
    """`settings` may be replaced between calls, so nobody keeps them."""

    settings: Settings
    clock: Clock
    schedule: Schedule

    def of(self, call: Call) -> Brand:
        """The brand that the call's key belongs to."""
        ...

    def jitter(self) -> float:
        """Seconds by which a job takes longer."""
        ...
