"""A worker dies at any point of a verification: it is done in the end, at most once more than needed."""

from __future__ import annotations

import json
from itertools import count

import pytest

from dev.faults.interruptions import Died, Life, When, has_effect
from dev.faults.seam import WatchedCloud
from shared.cloud.settings import StorageAddress
from shared.delivery.messages import VerifyMessage
from shared.delivery.state import layout
from shared.delivery.state.records import Run, now
from shared.delivery.state.runs import Runs
from tests.integration.faults.any_vendor import VendorWorld, define, first, unpaced, vendor_world
from tests.integration.faults.points import Tally
from tests.kits import KITS

NAME = "news"
LOOKS = "GET /api/lists/{listId}/size"


def test_a_worker_may_die_at_any_point_of_a_verification(
    storage: StorageAddress, unique: str, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally.kind = "verifying: dies before a call"
    unpaced(KITS["iterable"], monkeypatch)
    with vendor_world(KITS["iterable"], storage, unique) as world:
        define(world.engine, NAME)
        for at in count(1):
            run, looks = _delivered(world), len(world.engine.calls(LOOKS))
            life = Life(at, When.BEFORE, has_effect)
            with tally.point(reached=life.was_struck):
                try:
                    world.work(WatchedCloud(world.engine.cloud, life))
                except Died:
                    world.pass_time()
                world.go_on()
                world.verified(run)
                assert len(world.engine.calls(LOOKS)) - looks in (1, 2)
                assert world.latest(NAME) == run
            if not life.dead:
                break
        assert tally.tried >= 5, "a verification has more steps than that"


def _delivered(world: VendorWorld) -> Run:
    """A run that is over but for its verification; the first time a real one, then the same once more."""
    queue, before = world.engine.queue, world.latest(NAME)
    if before is None:
        world.deliver(NAME, first(NAME), Life())
    before = world.latest(NAME)
    assert before is not None
    held = Runs(world.engine.cloud.runs).delivery(NAME, before.run, 0)
    assert held is not None and queue.peek_messages() == []
    Runs(world.engine.cloud.runs).save(held, verification={})
    moment = now().timestamp()
    course = {"export": NAME, "run": before.run, "delivery": 0, "account": held.value.account}
    course |= {"started": moment, "due": moment, "turn": 1, "looks": 0}
    world.engine.cloud.blobs.write(layout.verification(NAME, before.run, 0), json.dumps(course).encode())
    world.engine.cloud.slices.send(VerifyMessage(NAME, before.run, 0, 1).body())
    return before
