"""Work that goes on after its 202: imports, removals from lists, deletions (contract sections 4, 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from dev.simulators.dotdigital.settings import Pace, Settings

Kind = Literal["import", "removal", "deletion"]
Finish = Callable[[str, Settings], tuple[str, dict[str, Any]]]

_PACES: dict[Kind, Callable[[Settings], Pace]] = {
    "import": Settings.import_pace,
    "removal": Settings.removal_pace,
    "deletion": Settings.deletion_pace,
}


@dataclass(slots=True)
class Job:
    """`finish` takes the status that the job is to end with and the settings of that time, does the work, and returns
    the status that it does end with and the results. `target` is the list that a removal is about. Times are
    monotonic seconds.
    """

    id: str
    kind: Kind
    accepted: float
    finish: Finish | None
    ending: str | None
    target: int | None = None
    people: int = 0
    asked: int = 0
    status: str | None = None
    ended: float = 0.0
    results: dict[str, Any] | None = None

    def due(self, pace: Pace, now: float) -> bool:
        if (self.ending or pace.ending) == pace.unfinished:
            return False
        enough_polls = pace.polls is not None and self.asked > pace.polls
        if enough_polls or pace.seconds is None:
            return enough_polls
        return now >= self.accepted + pace.seconds + pace.each_thousand * self.people / 1000

    def end(self, pace: Pace, settings: Settings, now: float) -> None:
        if self.finish is not None:
            self.status, self.results = self.finish(self.ending or pace.ending, settings)
        self.finish, self.ended = None, now  # it held all rows


class Jobs:
    """All jobs of one account. Settings hold for jobs that are under way too."""

    def __init__(self) -> None:
        self._all: dict[str, Job] = {}
        self._open: dict[str, Job] = {}

    def start(
        self, kind: Kind, now: float, finish: Finish, ending: str | None, target: int | None = None, people: int = 0
    ) -> Job:
        """`ending` is the status that this one is to end with; None: the one in the settings at that time."""
        job = Job(str(uuid4()), kind, now, finish, ending, target, people)
        self._all[job.id] = self._open[job.id] = job
        return job

    def open(self, kind: Kind) -> Iterator[Job]:
        return (job for job in self._open.values() if job.kind == kind)

    def settle(self, settings: Settings, now: float) -> None:
        """End the jobs whose time has come, in the order of their acceptance."""
        for job in list(self._open.values()):
            self._end_if_due(job, settings, now)

    def ask(self, kind: Kind, job_id: str, settings: Settings, now: float) -> tuple[str, Job | None]:
        """A client polls: the status to tell, and the job; None where there is no such job."""
        job = self._all.get(job_id.lower())
        if job is None or job.kind != kind or self._forgotten(job, settings, now):
            return "", None
        job.asked += 1
        self._end_if_due(job, settings, now)
        return job.status or _PACES[kind](settings).unfinished, job

    def _end_if_due(self, job: Job, settings: Settings, now: float) -> None:
        pace = _PACES[job.kind](settings)
        if job.status is None and job.due(pace, now):
            job.end(pace, settings, now)
            del self._open[job.id]

    @staticmethod
    def _forgotten(job: Job, settings: Settings, now: float) -> bool:
        kept = settings.imports_kept_seconds
        return job.kind == "import" and kept is not None and job.status is not None and now >= job.ended + kept


def is_job_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
