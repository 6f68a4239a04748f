"""A worker dies at any point of a first delivery, and of one with removals; another one goes on. Promises 1 and 2.

Everyday tests try one in thirteen of the calls that change anything, each before the call: dying after one leaves what
dying before the next one leaves. `make faults` tries both sides of every call.
"""

from __future__ import annotations

import pytest

from dev.faults.interruptions import Died, Life, When
from shared.cloud.settings import StorageAddress
from shared.delivery.state.records import Run
from tests.integration.faults import promises, segments
from tests.integration.faults.points import CHUNKS, SIDES, Tally, counted, points
from tests.integration.faults.segments import FEW
from tests.integration.faults.world import World, at_point, world
from tests.sampling import EVERY

ONE_IN = 13
SMALL = {"rows_per_file": 40, "slice_seconds": 0.001, "verify_seconds": 0.001 * EVERY}
"""Two parts, and a slice for each window of batches; in `make faults` also a look at the vendor afterwards, which has
everyday tests of its own."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_at_any_point(
    storage: StorageAddress, unique: str, tally: Tally, chunk: int, when: When
) -> None:
    tally.kind = f"dies {when} a call"
    with world(storage, unique, **SMALL) as made:
        for at in points(chunk, ONE_IN):
            if not _one_export(made, f"export{at}", at, when, tally):
                break
        tally.sent_again = made.accounts.again


def _one_export(made: World, name: str, at: int, when: When, tally: Tally) -> int:
    """Both deliveries of an export of its own, each with a death; how many died."""
    made.define(name)
    died = 0
    for segment in (segments.first(name, FEW), segments.second(name, FEW)):
        made.land(segment)
        life = Life(at, when, counted)
        with tally.point(reached=life.was_struck), at_point(f"died {when}", life):
            run = survive(made, name, life, by_timer=at % 2 == 0)
            promises.kept(made, run, segment)
            if EVERY:
                promises.verified(made, run)
        died += life.dead
    return died


def survive(made: World, name: str, life: Life, *, by_timer: bool) -> Run:
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
