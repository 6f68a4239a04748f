"""How long a run would take: planning as it took now, then phase after phase.

In a phase the requests to one rate follow one another at the connection's budget, and those that share none go beside
each other; or what binds is how long they take to be made and answered. Then the vendor works on its jobs, as long as
earlier runs saw it do so, and the run looks at them as it does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.delivery.rehearse.going import LOOKING
from shared.delivery.rehearse.watching import JobLooks, Jobs, RateGate, watched
from shared.delivery.send.pausing import pause
from shared.delivery.state import job_times
from shared.delivery.work import Work
from shared.vendors.contract import Rate
from shared.vendors.limits import allowed, shape, until_last

_ANY_NUMBER = 1_000_000
"""Requests in a second, where no rate binds."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`seconds` of a run; without its jobs where `jobs_known` is false. `looks` are requests that only see a job under
    way. `jobs_known_to`: the most people of a job that is known, where those of this run are far larger."""

    seconds: float
    looks: int
    jobs_known: bool
    jobs_known_to: int | None


@dataclass(frozen=True, slots=True)
class _Phase:
    seconds: float
    looks: int
    expected: job_times.JobEstimate | None
    batches: int
    people: int

    @property
    def is_far(self) -> bool:
        """Its jobs are far larger than those that are known."""
        return self.expected is not None and self.people > job_times.FARTHEST * self.expected.largest


def of_run(work: Work, noted: Mapping[str, Any], writing: float) -> Pace:
    """How long the run would take, by what the rehearsal noted. Its commit takes about as long as writing what is
    foreseen did."""
    known = job_times.remembered(work.memory())
    phases = [_phase(work, noted, phase, known) for phase in LOOKING]
    with_jobs = [each for each in phases if each.batches]
    return Pace(
        seconds=round(float(noted.get("planned", 0.0)) + writing + sum(each.seconds for each in phases), 1),
        looks=sum(each.looks for each in phases),
        jobs_known=all(each.expected for each in with_jobs),
        jobs_known_to=min((each.expected.largest for each in with_jobs if each.expected and each.is_far), default=None),
    )


def _phase(work: Work, noted: Mapping[str, Any], phase: str, known: list[job_times.TookTime]) -> _Phase:
    asked = _of(noted, "asked", phase, {})
    sending = _sending(work, noted, phase)
    batches, people = _of(noted, "staged", phase, (0, 0))
    if not batches:
        return _Phase(max(_at_rates(work, asked), sending), 0, None, 0, 0)
    found, jobs = job_times.expected(known, phase, people), _of(noted, "jobs", phase, batches)
    looks, most = _of(noted, "asked", LOOKING[phase], {}), work.opened.definition.most_jobs
    asked_about = max(looks, key=lambda endpoint: looks[endpoint], default="")
    course = watched(
        Jobs(batches, math.ceil(jobs / batches), found.seconds if found else 0.0, sending / batches, most),
        _looking(work, noted, phase, asked_about),
    )
    at_rates = _at_rates(work, Counter(asked) + Counter(looks) + Counter({asked_about: course.under_way}))
    return _Phase(max(course.seconds, at_rates), course.under_way, found, batches, people)


def _looking(work: Work, noted: Mapping[str, Any], phase: str, asked_about: str) -> JobLooks:
    """How jobs are looked at, at one request each to this endpoint."""
    looking, jobs, batches = LOOKING[phase], _of(noted, "jobs", phase, 1), _of(noted, "staged", phase, (1, 0))[0]
    settling = _of(noted, "spent", looking, 0.0) + _answers(work, noted, looking)[1]
    rate, requests = min(
        ((rate, requests) for rate, requests in _rates(work) if asked_about in rate.endpoints),
        key=lambda each: each[1] / each[0].seconds,
        default=(Rate((), _ANY_NUMBER, 1.0), float(_ANY_NUMBER)),
    )
    sent = _of(noted, "asked", phase, {})
    return JobLooks(
        look=_answer(noted),
        settle=settling / jobs,
        pause=lambda waits: pause(work.cloud.settings.job_seconds, waits),
        gate=RateGate(*shape(requests, rate.seconds)),
        slots=round(sum(sent.get(endpoint, 0) for endpoint in rate.endpoints) / batches),
    )


def _of(noted: Mapping[str, Any], name: str, part: str, default: Any) -> Any:
    return noted.get(name, {}).get(part, default)


def _answer(noted: Mapping[str, Any]) -> float:
    """Seconds that an answer of the vendor took, of those that the rehearsal had."""
    number, seconds = noted.get("answers", (0, 0.0))
    return seconds / number if number else 0.0


def _answers(work: Work, noted: Mapping[str, Any], part: str) -> tuple[int, float]:
    """Requests that the rehearsal withheld, and the seconds that their answers take together: as long as such a one
    took lately."""
    withheld: Mapping[str, int] = _of(noted, "unanswered", part, {})
    times, usual = work.opened.outside.answer_times, _answer(noted)
    seconds = sum(number * times.seconds(endpoint, usual) for endpoint, number in withheld.items())
    return sum(withheld.values()), seconds


def _sending(work: Work, noted: Mapping[str, Any], phase: str) -> float:
    """Seconds that requests take to be made, one after the other, and answered, a few at a time."""
    spent, (number, seconds) = float(_of(noted, "spent", phase, 0.0)), _answers(work, noted, phase)
    if not number:
        return spent
    turns = math.ceil(number / max(work.opened.definition.concurrency, 1))
    return max(spent + seconds / number, turns * (spent + seconds) / number)


def _at_rates(work: Work, asked: Mapping[str, int]) -> float:
    """When the last request of a phase may start."""
    return max((_last(rate, asked, requests) for rate, requests in _rates(work)), default=0.0)


def _rates(work: Work) -> list[tuple[Rate, float]]:
    """The vendor's rates, each with the requests that a run may make in a window."""
    connection = work.connection
    return [(rate, allowed(rate, connection.rate_budget, connection.settings)) for rate in work.opened.definition.rates]


def _last(rate: Rate, asked: Mapping[str, int], requests: float) -> float:
    """So many requests start in each window, the first ones at once."""
    return until_last(sum(asked.get(endpoint, 0) for endpoint in rate.endpoints), shape(requests, rate.seconds))
