"""How a run would look at the vendor's jobs: what it does in time, gone through without waiting.

A run sends a batch after the other, as many as the vendor works on at once; then, or where there is no room for more,
it looks at each job that it knows. Where some go on it pauses, longer and longer while none of them ends. So a job that
takes a minute is known to have ended at the first look after that minute. Where sending and looking share a rate, each
waits for its slot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Jobs:
    """`batches` of a phase, one begun every `apart` seconds, each of which is so many `jobs` one after another, that
    take `seconds`. At most so many at once (0: any number)."""

    batches: int
    jobs: int
    seconds: float
    apart: float
    most: int


class RateGate:
    """A rate that lets so many requests start in each window of so many seconds."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._seconds = seconds
        self._latest = deque[float](maxlen=requests)

    def passed(self, at: float) -> float:
        """When a request starts that is made at this time."""
        if len(self._latest) == self._latest.maxlen:
            at = max(at, self._latest[0] + self._seconds)
        self._latest.append(at)
        return at


@dataclass(frozen=True, slots=True)
class JobLooks:
    """Seconds that a look takes which sees a job under way, and one that finds what came of it; and that the run waits
    after so many waits. `gate` is the rate of looks, of which each batch takes so many `slots` when it is sent."""

    look: float
    settle: float
    pause: Callable[[int], float]
    gate: RateGate
    slots: int = 0


@dataclass(slots=True)
class Watched:
    """From the first batch on: `seconds` until all jobs have ended, and how often one was seen under way."""

    seconds: float = 0.0
    under_way: int = 0


@dataclass(slots=True)
class _Open:
    """A batch under way: when its job is over, and how many follow."""

    over: float
    following: int


@dataclass(slots=True)
class _Course:
    jobs: Jobs
    looking: JobLooks
    to_begin: int
    watched: Watched = field(default_factory=Watched)
    under_way: list[_Open] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return bool(self.jobs.most) and len(self.under_way) >= self.jobs.most

    def send(self) -> bool:
        """Begin as many batches as there is room for; whether any ended meanwhile."""
        ended = False
        while self.to_begin:
            if self.is_full:
                ended = self.look() or ended
            if self.is_full:
                return ended
            for _ in range(self.looking.slots):
                self._wait()
            self.watched.seconds += self.jobs.apart
            self.under_way.append(_Open(self.watched.seconds + self.jobs.seconds, self.jobs.jobs - 1))
            self.to_begin -= 1
        return self.look() or ended

    def look(self) -> bool:
        """Look at each once; whether any ended."""
        before = len(self.under_way)
        self.under_way = [each for each in self.under_way if self._goes_on(each)]
        return len(self.under_way) < before

    def _wait(self) -> None:
        """For a slot."""
        self.watched.seconds = self.looking.gate.passed(self.watched.seconds)

    def _goes_on(self, batch: _Open) -> bool:
        self._wait()
        if batch.over > self.watched.seconds:
            self.watched.seconds += self.looking.look
            self.watched.under_way += 1
            return True
        self.watched.seconds += self.looking.settle
        batch.over = self.watched.seconds + self.jobs.seconds
        batch.following -= 1
        return batch.following >= 0


def watched(jobs: Jobs, looking: JobLooks) -> Watched:
    """Go through it."""
    course, waits = _Course(jobs, looking, jobs.batches), 0
    while True:
        waits = 0 if course.send() else waits
        if not course.under_way and not course.to_begin:
            return course.watched
        course.watched.seconds += looking.pause(waits)
        waits += 1
