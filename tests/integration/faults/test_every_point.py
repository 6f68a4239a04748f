"""A worker dies at any point of a first delivery, and of one with removals; another one goes on. Promises 1 and 2."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dev.faults.interruptions import Died, Life, When
from shared.cloud.settings import StorageAddress
from shared.delivery.records import Run
from tests.integration.faults import promises, segments
from tests.integration.faults.points import CHUNKS, counted, points
from tests.integration.faults.world import World, at_point, world

ONE_IN = 4
SMALL = {"rows_per_file": 12, "slice_seconds": 0.001}
"""Two parts, and a slice for each window of batches."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_at_any_point(
    storage: StorageAddress, unique: str, record_property: Callable[[str, object], None], chunk: int, when: When
) -> None:
    tried = 0
    with world(storage, unique, **SMALL) as made:
        for at in points(chunk, ONE_IN):
            died = _one_export(made, f"export{at}", at, when)
            tried += died
            if not died:
                break
        record_property("faults", (f"dies {when}", tried, made.accounts.again))


def _one_export(made: World, name: str, at: int, when: When) -> int:
    """Both deliveries of an export of its own, each with a death; how many died."""
    made.define(name)
    died = 0
    for segment in (segments.first(name), segments.second(name)):
        made.land(segment)
        life = Life(at, when, counted)
        with at_point(f"died {when}", life):
            run = _survive(made, name, life, by_timer=at % 2 == 0)
            promises.kept(made, run, segment)
        died += bool(life.struck)
    return died


def _survive(made: World, name: str, life: Life, *, by_timer: bool) -> Run:
    """Run until the worker dies, then let time pass and another one go on; the run."""
    before = made.run(name)
    try:
        made.start(name, cloud := made.watched(life))
        made.work(cloud)
    except Died:
        made.pass_time()
    if made.run(name) == before:  # it died before there was a run: whoever asked asks again
        made.start(name)
    if not by_timer:
        made.give_back()
    made.work()
    made.wake()
    made.work()
    run = made.run(name)
    assert run is not None
    assert before is None or run.run != before.run
    assert len(list(made.runs.history(name))) == (1 if before is None else 2)
    return run
