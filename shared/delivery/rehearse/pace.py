"""How long a run would take: planning as it took now, then phase after phase.

In a phase the requests to one rate follow one another at the connection's budget, and those that share none go beside
each other; or what binds is how long they take to be made and answered. Then the vendor works on its jobs. How long is
remembered from the latest run: until the longest of them was seen to have ended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.delivery.work import Work
from shared.vendors.contract import Rate
from shared.vendors.limits import WINDOW_SLACK, allowed

JOB_SECONDS = "job_seconds"
"""What is remembered of a target: seconds until the longest of the latest jobs was seen to have ended."""

Asked = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Pace:
    """`seconds` of a run; without its jobs where `jobs_known` is false."""

    seconds: float
    jobs_known: bool


def of_run(work: Work, noted: Mapping[str, Any], writing: float) -> Pace:
    """How long the run would take, by what the rehearsal noted. Its commit takes about as long as writing what is
    foreseen did."""
    jobs, job_seconds = noted.get("jobs", {}), work.memory().get(JOB_SECONDS)
    number, answers = noted.get("answers", (0, 0.0))
    answer, spent = (answers / number if number else 0.0), noted.get("spent", {})
    total = float(noted.get("planned", 0.0)) + writing
    for phase, asked in noted.get("asked", {}).items():
        total += max(_at_rates(work, asked), spent.get(phase, 0.0) + _answered(work, noted, phase, answer))
        if jobs.get(phase) and job_seconds:
            total += math.ceil(jobs[phase] / max(work.opened.definition.most_jobs, 1)) * float(job_seconds)
    return Pace(round(total, 1), not any(jobs.values()) or job_seconds is not None)


def _answered(work: Work, noted: Mapping[str, Any], phase: str, answer: float) -> float:
    """Seconds that the answers take which the rehearsal did not wait for."""
    withheld: int = noted.get("withheld", {}).get(phase, 0)
    return withheld * answer / max(work.opened.definition.concurrency, 1)


def _at_rates(work: Work, asked: Mapping[str, int]) -> float:
    """When the last request of a phase may start."""
    definition, connection = work.opened.definition, work.connection
    rates = [(rate, allowed(rate, connection.rate_budget, connection.settings)) for rate in definition.rates]
    return max((_last(rate, asked, requests) for rate, requests in rates), default=0.0)


def _last(rate: Rate, asked: Mapping[str, int], requests: float) -> float:
    """So many requests start in each window, the first ones at once."""
    number = sum(asked.get(endpoint, 0) for endpoint in rate.endpoints)
    if not number:
        return 0.0
    size, window = (int(requests), rate.seconds) if requests >= 1 else (1, rate.seconds / requests)
    return (math.ceil(number / size) - 1) * (window + WINDOW_SLACK)
