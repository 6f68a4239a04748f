"""A worker dies at any point of any vendor's deliveries, verification included; another one goes on. Promises 1 to 4.

Everyday tests try some points of each vendor, each vendor others; `make faults` tries them all.
"""

from __future__ import annotations

import pytest

from dev.faults.interruptions import Life, When
from shared.cloud.settings import StorageAddress
from tests.integration.faults.any_vendor import define, first, second, unpaced, vendor_world
from tests.integration.faults.points import CHUNKS, SIDES, Tally, counted, points
from tests.kits import KITS, Kit

ONE_IN = 61


@pytest.fixture(params=[name for name in KITS if name != "iterable"])
def kit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Those that the tests of every point do not try already."""
    found = KITS[request.param]
    unpaced(found, monkeypatch)
    return found


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_worker_may_die_at_any_point(
    kit: Kit, storage: StorageAddress, unique: str, tally: Tally, chunk: int, when: When
) -> None:
    tally.kind = f"{kit.name}: dies {when} a call"
    with vendor_world(kit, storage, unique, slice_seconds=0.001) as world:
        for at in points(chunk, ONE_IN, begin=4 * list(KITS).index(kit.name)):
            name, died = f"export{at}", False
            define(world.engine, name)
            for wanted in (first(name), second(name)):
                life = Life(at, when, counted)
                with tally.point(reached=life.was_struck):
                    try:
                        world.deliver(name, wanted, life)
                    except AssertionError as error:
                        error.add_note(f"died {when} call {at}: {life.struck}")
                        raise
                died |= life.dead
            if not died:
                break
        tally.sent_again = world.again
