"""What can be measured, in the order in which it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dev.bench.options import Measured, Options
from dev.bench.parts import (
    cold_start,
    comparison,
    day_two,
    derived,
    events,
    limit_share,
    looking,
    moves,
    package,
    pages,
    rehearsal,
    rehearsal_size,
    resume,
    rules,
    slices,
    stages,
    ten_million,
    throughput,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One measurement."""

    title: str
    measure: Callable[[Options], Measured]


PARTS: Mapping[str, Part] = {
    "throughput": Part("Throughput without vendor limits, beside other ways", throughput.measure),
    "limit_share": Part("Share of the vendors' limits, and what a million takes", limit_share.measure),
    "day_two": Part("Day two", day_two.measure),
    "ten_million": Part("Ten times as many", ten_million.measure),
    "looking": Part("Looking for segments", looking.measure),
    "pages": Part("Pages with 300 exports and 1.5 million runs", pages.measure),
    "rules": Part("What rules cost", rules.measure),
    "derived": Part("What made values cost", derived.measure),
    "moves": Part("What an id column costs", moves.measure),
    "rehearsal": Part("Rehearsals beside the runs after them", rehearsal.measure),
    "rehearsal_size": Part("What a rehearsal of a million people costs", rehearsal_size.measure),
    "events": Part("What it costs to write down what happens to whom", events.measure),
    "comparison": Part("Who is on one connection and not on another", comparison.measure),
    "resume": Part("Killed half way", resume.measure),
    "slices": Part("Thirty times as many, killed at random", slices.measure),
    "cold_start": Part("Cold start", cold_start.measure),
    "package": Part("Package", package.measure),
    "stages": Part("Where the time goes", stages.measure),
}
