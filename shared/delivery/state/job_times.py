"""How long a vendor's jobs take, as earlier runs to the list saw it.

Of each run the target remembers its largest job, of those that add or change people and of those that take people off:
how many people it had, and how long it took. A vendor's job is only known between two looks at it, so it ended half-way
between the last that saw it under way and the first that did not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any, NamedTuple

from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import Plan
from shared.vendors.contract import Kind

SEND, REMOVE = "send", "remove"
"""Phases of a run: additions and changes, then removals."""
REMEMBERED = "jobs_took"
"""Where a target's memory has it, the newest first."""
MOST_REMEMBERED = 10
FARTHEST = 2.0
"""Jobs tell about those of up to so many times their people; and what people more or less do shows in jobs of which one
has so many times the people of the other."""

_BEFORE = "job_seconds"
"""What earlier versions remembered: seconds of the latest run's longest job, whatever it did to however many people."""
_ANY = ""


class TookTime(NamedTuple):
    """A job of a phase, with so many people in its batch."""

    phase: str
    people: int
    seconds: float


@dataclass(frozen=True, slots=True)
class JobEstimate:
    """How long a job should take. `largest` is the most people of a job that is known of the phase."""

    seconds: float
    largest: int


def phase_of(kind: Kind) -> str:
    return REMOVE if kind is Kind.REMOVE else SEND


def of_run(plan: Plan, folded: Folded) -> list[TookTime]:
    """The largest job of each phase whose end was seen; the longest of them, where several are as large."""
    largest = dict[str, TookTime]()
    for each in _of_jobs(plan, folded):
        largest[each.phase] = max(each, largest.get(each.phase, each))
    return list(largest.values())


def _of_jobs(plan: Plan, folded: Folded) -> Iterator[TookTime]:
    people, phases = Counter[int](), dict[int, str]()
    for file in plan.files:
        people.update(plan.batches(file))
        phases |= dict.fromkeys(plan.batches(file), phase_of(file.kind))
    for (batch, _), time in folded.job_times.items():
        if time.ended is not None and batch in phases:
            seconds = max((time.under_way + time.ended) / 2 - time.began, 0.0)
            yield TookTime(phases[batch], people[batch], round(seconds, 1))


def remembered(memory: Mapping[str, Any]) -> list[TookTime]:
    """What earlier runs saw, the newest first."""
    if REMEMBERED in memory:
        return [TookTime(phase, people, seconds) for phase, people, seconds, *_ in memory[REMEMBERED]]
    return [TookTime(_ANY, 0, float(memory[_BEFORE]))] if _BEFORE in memory else []


def together(latest: Sequence[TookTime], memory: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be remembered after a run; nothing where it had no jobs."""
    if not latest:
        return {}
    return {REMEMBERED: [list(each) for each in (*latest, *remembered(memory))][:MOST_REMEMBERED]}


def expected(known: Sequence[TookTime], phase: str, people: int) -> JobEstimate | None:
    """How long a job of so many people should take; None where none is known.

    A line through what is known: the median of its slopes, and of what that leaves over. Neither is below nothing: more
    people take no less. Where all jobs had about as many people, nothing is known of what more of them do.
    """
    points = [each for each in known if each.phase in (phase, _ANY)]
    if not points:
        return None
    pairs = [sorted(pair, key=lambda each: each.people) for pair in combinations(points, 2)]
    slopes = [
        (large.seconds - small.seconds) / (large.people - small.people)
        for small, large in pairs
        if large.people >= FARTHEST * small.people and large.people > small.people
    ]
    slope = max(median(slopes), 0.0) if slopes else 0.0
    start = max(median(each.seconds - slope * each.people for each in points), 0.0)
    return JobEstimate(start + slope * people, max(each.people for each in points))
