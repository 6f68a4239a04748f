"""Everything is due at the same minute: every run finishes, and a dead vendor keeps nobody else waiting.

`make load` has 200 exports on 40 connections, on Azurite; without it there are fewer, in memory. What is asserted are
counts and order; the seconds in the table are the machine's.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from shared.cloud.settings import StorageAddress
from tests.load.crowd import DEAD, Crowd, Size, Wave, crowd
from tests.load.saying import say, table
from tests.memory import azurite_or_memory

FULL = bool(os.environ.get("LOAD"))
SIZE = Size(200, 40, 40, 4, 20.0) if FULL else Size(20, 8, 20, 2, 20.0)
DEAD_VENDOR = "dotdigital"
HOST = json.loads((Path(__file__).parents[2] / "host.json").read_text())["extensions"]["queues"]


@pytest.fixture
def storage(request: pytest.FixtureRequest) -> Iterator[StorageAddress]:
    with azurite_or_memory(request, azurite=FULL) as address:
        yield address


@pytest.mark.slow
@pytest.mark.timeout(3600 if FULL else 900)
def test_everything_is_due_at_once(storage: StorageAddress, unique: str, pytestconfig: pytest.Config) -> None:
    with crowd(storage, unique, SIZE, batch=HOST["batchSize"], threshold=HOST["newBatchThreshold"]) as world:
        alive = world.due()
        assert len(alive.runs) == SIZE.exports
        world.watch(alive, all_ended)
        assert not world.wrong(alive, alive.runs.keys())
        assert not world.held_up_by_others(alive)

        world.land(7)
        simulator = world.fleet.desks[DEAD_VENDOR].simulator
        simulator.faults.set(DEAD)
        dead = world.due()
        healthy = {name for name in dead.runs if world.of[name].vendor != DEAD_VENDOR}
        world.watch(dead, lambda wave: healthy <= wave.finished.keys())
        say(pytestconfig, _table(world, {"all alive": alive, f"{DEAD_VENDOR} dead": dead}))
        assert dead.finished.keys() == healthy, "the others finish while the dead vendor's runs still wait for it"
        assert not world.wrong(dead, healthy)
        _the_dead_take_few_turns(world, dead)
        assert not world.held_up_by_others(dead), "accounts wait for each other"

        simulator.faults.set([])  # it comes back
        world.watch(dead, all_ended)
        assert not world.wrong(dead, dead.runs.keys())
        assert not world.leases.together


def _the_dead_take_few_turns(world: Crowd, wave: Wave) -> None:
    """What waits for a dead vendor is never taken up again at once: it does not keep workers busy."""
    turns = [turn for turn in wave.turns if world.vendor_of(turn) == DEAD_VENDOR]
    exports = [name for name in wave.runs if world.of[name].vendor == DEAD_VENDOR]
    waited = {json.dumps(json.loads(turn.content), sort_keys=True) for turn in turns if turn.turned_away}
    delays = [
        each.delay
        for each in wave.asked
        if world.of[each.message["export"]].vendor == DEAD_VENDOR
        and json.dumps(each.message, sort_keys=True) not in waited  # it is called when its account is free
    ]
    assert turns, "nobody called at the dead vendor"
    assert min(delays) > 0
    assert len(turns) <= len(delays) + len(exports) + 2 * len(waited)
    again = Counter(turn.content for turn in turns if not turn.turned_away)
    assert max(again.values(), default=1) == 1, "the same turn was carried out twice"


def all_ended(wave: Wave) -> bool:
    return wave.runs.keys() == wave.finished.keys()


def _table(world: Crowd, waves: dict[str, Wave]) -> list[str]:
    columns = [_column(world, wave) for wave in waves.values()]
    rows = [(name, *(column[name] for column in columns)) for name in columns[0]]
    head = (f"{SIZE.exports} exports, {SIZE.connections} connections, {SIZE.instances} instances", *waves)
    return table([head, *rows])


def _column(world: Crowd, wave: Wave) -> dict[str, str]:
    ages = [turn.taken_at - turn.visible_at for turn in wave.turns]
    times = sorted(wave.finished.values())
    by_connection: dict[str, float] = {}
    for name, seconds in wave.finished.items():
        connection = world.connection[name]
        by_connection[connection] = max(seconds, by_connection.get(connection, 0.0))
    on_dead = [turn for turn in wave.turns if world.vendor_of(turn) == DEAD_VENDOR]
    return {
        "runs": str(len(wave.runs)),
        "runs finished": str(len(times)),
        "turns": str(len(wave.turns)),
        "turned away by a lease": str(sum(turn.turned_away for turn in wave.turns)),
        "queue age, median": f"{median(ages):.1f} s",
        "queue age, most": f"{max(ages):.1f} s",
        "run finished, median": f"{median(times):.1f} s",
        "run finished, last": f"{times[-1]:.1f} s",
        "connection finished, first": f"{min(by_connection.values()):.1f} s",
        "connection finished, last": f"{max(by_connection.values()):.1f} s",
        f"turns for {DEAD_VENDOR}": str(len(on_dead)),
        f"worker time for {DEAD_VENDOR}": f"{sum(turn.ended_at - turn.taken_at for turn in on_dead):.1f} s",
    }
