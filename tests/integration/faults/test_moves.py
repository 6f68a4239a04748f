"""A worker dies at any point of deliveries in which people move; another one goes on, and everybody is there once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dev.faults.interruptions import Life, When
from shared.cloud.settings import StorageAddress
from tests.integration.delivery.engine import Person
from tests.integration.faults import promises
from tests.integration.faults.points import CHUNKS, SIDES, counted, points
from tests.integration.faults.segments import Segment
from tests.integration.faults.test_every_point import SMALL, survive
from tests.integration.faults.world import World, at_point, world

ONE_IN = 47
PEOPLE = 12


def segment(export: str, moved: int) -> Segment:
    """People of whom so many have another address now; one has two of them."""
    people = [
        Person(
            f"{export}.{'moved' if number < moved else 'person'}{number}@example.com",
            f"First{number}",
            "Rome",
            str(number),
        )
        for number in range(PEOPLE)
    ]
    second = replace(people[-1], email=f"{export}.second@example.com")
    return Segment([*people, second], {each.email: {"first": each.first, "city": each.city} for each in people})


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_while_people_move(storage: StorageAddress, unique: str, chunk: int, when: When) -> None:
    with world(storage, unique, **SMALL | {"rows_per_file": 6}) as made:
        died = 0
        for at in points(chunk, ONE_IN):
            lives = _one_export(made, f"export{at}", at, when)
            died += lives
            if not lives:
                break
        assert died


def _one_export(made: World, name: str, at: int, when: When) -> int:
    """Both deliveries of an export of its own, each with a death; how many died."""
    made.define(name, id_column="CustomerId")
    died = 0
    for moved in (0, 5):
        wanted = segment(name, moved)
        made.land(wanted)
        life = Life(at, when, counted)
        with at_point(f"died {when}", life):
            run = survive(made, name, life, by_timer=at % 2 == 0)
            promises.list_is_the_segment(made, name, wanted)
            report = promises.counts_add_up(made, run)
            assert (report["rows"]["moved"], report["rows"]["kept_back"]) == (moved, 1)
        died += life.dead
    return died
