"""Work whose worker dies at any point, each time on an export of its own; others go on with it."""

from __future__ import annotations

from collections.abc import Callable

from dev.faults.interruptions import Died, Life, When
from shared.cloud.cloud import Cloud
from tests.integration.faults.points import Tally, counted, points
from tests.integration.faults.world import World, at_point


def at_each_point(
    made: World,
    tally: Tally,
    when: When,
    numbers: tuple[int, int],
    one_export: Callable[[World, str, Life], None],
) -> None:
    """Carry out `one_export` with a life that ends at each point of a chunk, until it ends at none any more. `numbers`
    are the chunk's and the share of the points that are tried, one in so many."""
    for at in points(*numbers):
        life = Life(at, when, counted)
        with tally.point(reached=life.was_struck), at_point(f"died {when}", life):
            one_export(made, f"export{at}", life)
        if not life.dead:
            break
    assert tally.tried >= 2


def outlived(made: World, life: Life, ask: Callable[[Cloud], object], is_there: Callable[[], bool]) -> None:
    """Ask for something and work on it until the worker dies. Others go on until nothing is left; where it died before
    what was asked for was there, whoever asked asks again."""
    made.unfinished = None
    try:
        ask(made.watched(life))
        made.work(made.watched(life))
    except Died:
        made.pass_time()
        made.give_back()
    if not is_there():
        ask(made.cloud)
    made.work()
    made.wake()
    made.work()
