"""A worker dies at any point of the question, of the few who go first, and of the run that brings the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dev.faults.interruptions import Died, Life, When
from shared.cloud.cloud import Cloud
from shared.cloud.settings import StorageAddress
from shared.delivery.start import starting
from shared.delivery.state.records import Run, State
from tests.integration.faults import promises, segments
from tests.integration.faults.points import CHUNKS, SIDES, counted, points
from tests.integration.faults.segments import FEW
from tests.integration.faults.test_every_point import SMALL
from tests.integration.faults.world import World, at_point, world

ONE_IN = 17
START = 13
"""More than a part has, so that one file stays whole and another is cut."""


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked about more than a thousand people is asked here about more than ten."""
    monkeypatch.setattr("shared.delivery.plan.guards.FEW", 10)
    monkeypatch.setattr("shared.delivery.plan.small_start.PEOPLE", START)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_between_the_question_and_the_last_of_the_people(
    storage: StorageAddress, unique: str, chunk: int, when: When
) -> None:
    with world(storage, unique, **SMALL) as made:
        died = 0
        for at in points(chunk, ONE_IN):
            lives = _one_export(made, f"export{at}", at, when)
            died += lives
            if not lives:
                break
        assert died


def _one_export(made: World, name: str, at: int, when: When) -> int:
    """The three parts, each with a death; how many died."""
    made.define(name)
    segment = segments.first(name, FEW)
    made.land(segment)
    lives = [Life(at, when, counted) for _ in range(3)]
    with at_point(f"died {when}", lives[0]):
        run = _survive(made, name, lives[0], lambda cloud: made.start(name, cloud))
        assert (run.state, made.delivery(run).value.code) == (State.BLOCKED, "first_run"), run.message
        assert not made.accounts.sent(run)
    with at_point(f"died {when} deciding", lives[1]):
        run = _survive(made, name, lives[1], lambda cloud: _decide(made, name, cloud))
        promises.ended_once(made, run)
        rows = promises.counts_add_up(made, run)["rows"]
        assert (rows["add"], rows["later"]) == (START, FEW + 1 - START)
        promises.counts_are_the_vendors(made, run)
    with at_point(f"died {when} later", lives[2]):
        run = _survive(made, name, lives[2], lambda cloud: made.start(name, cloud))
        promises.kept(made, run, segment)
        assert promises.counts_add_up(made, run)["rows"]["later"] == 0
    return sum(life.dead for life in lives)


def _decide(made: World, name: str, cloud: Cloud) -> None:
    """A person presses the button; where it was pressed already there is nothing to decide."""
    run = made.run(name)
    assert run is not None
    if made.delivery(run).value.state is State.BLOCKED:
        starting.decide(cloud, name, run.run, made.delivery(run).value.plan, "start_small", by="Ada")


def _survive(made: World, name: str, life: Life, act: Callable[[Cloud], object]) -> Run:
    """Somebody acts and a worker dies over it; time passes, the person acts again, and others go on."""
    before = made.run(name)
    try:
        act(cloud := made.watched(life))
        made.work(cloud)
    except Died:
        made.pass_time()
        if made.run(name) == before:
            act(made.cloud)
    made.give_back()
    made.work()
    made.wake()
    made.work()
    run = made.run(name)
    assert run is not None
    return run
