"""What the vendor does later: jobs that run when their time has come and somebody looks."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

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
