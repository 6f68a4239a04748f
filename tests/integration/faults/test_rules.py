"""A worker dies at any point of deliveries with rules; another one goes on, and the same people are kept back."""

from __future__ import annotations

from typing import Any

import pytest

from dev.faults.interruptions import Life, When
from shared.cloud.settings import StorageAddress
from shared.delivery.state import layout
from shared.delivery.state import plan as plans
from shared.delivery.state.records import Run
from tests.integration.delivery.engine import Person
from tests.integration.faults import promises, segments
from tests.integration.faults.points import CHUNKS, SIDES, counted, points
from tests.integration.faults.segments import FEW, Segment
from tests.integration.faults.test_every_point import SMALL, survive
from tests.integration.faults.world import World, at_point, world

ONE_IN = 47
RULES: dict[str, Any] = {
    "exclude": [{"segment": "Suppressed"}],
    "require": [{"column": "City", "one_of": [f"City {number}" for number in range(1, 7)]}],
    "limit": {"first": 12, "by": "FirstName", "read_as": "text", "order": "least"},
}


def kept(segment: Segment, suppressed: list[str]) -> Segment:
    """The segment as its rules leave it."""
    met = {
        who: fields
        for who, fields in segment.members.items()
        if who not in suppressed and fields["city"] in RULES["require"][0]["one_of"]
    }
    first = sorted(met, key=lambda who: met[who]["first"])[:11]  # the vendor refuses one of the twelve
    assert len({met[who]["first"] for who in met}) == len(met), "nobody is anybody's equal here"
    return Segment(segment.rows, {who: met[who] for who in first})


def numbered(export: str, first: int, count: int) -> Segment:
    return segments.segment(export, [segments.person(export, number) for number in range(first, first + count)])


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_while_it_plans_with_rules(
    storage: StorageAddress, unique: str, chunk: int, when: When
) -> None:
    with world(storage, unique, **SMALL | {"rows_per_file": 5}) as made:
        died = 0
        for at in points(chunk, ONE_IN):
            lives = _one_export(made, f"export{at}", at, when)
            died += lives
            if not lives:
                break
        assert died


def _one_export(made: World, name: str, at: int, when: When) -> int:
    """Both deliveries of an export of its own, each with a death; how many died. The vendor refuses one person, who
    comes first of all and meets every rule."""
    made.engine.land([Person(f"{name}.person{number}@example.com") for number in (1, 2)], "Suppressed")
    made.define(name, rules=RULES)
    suppressed = [f"{name}.person{number}@example.com" for number in (1, 2)]
    died = 0
    for first in (0, 5):
        segment = kept(numbered(name, first, FEW), suppressed)
        odd = Person(segments.refused_by_the_vendor(name), "A", "City 1")
        rows = [odd if each.email == odd.email else each for each in segment.rows]
        made.land(Segment(rows, segment.members))
        life = Life(at, when, counted)
        with at_point(f"died {when}", life):
            run = survive(made, name, life, by_timer=at % 2 == 0)
            promises.list_is_the_segment(made, name, segment)
            report = promises.counts_add_up(made, run)
            assert _parts(made, run) > 1
            assert report["rows"]["kept_back"] == FEW + 1 - len(segment.members) - 1
        died += life.dead
    return died


def _parts(made: World, run: Run) -> int:
    found = plans.read(made.cloud.blobs, layout.delivery_folder(run.export, run.run, 0))
    assert found is not None
    return found[0].parts
