"""A worker gets stuck at any point, another one takes over, and the first wakes up an hour late: it does no harm.

Not tried: stuck after the last look at the lease and before the request leaves. No vendor can tell a late request.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from dev.faults.interruptions import Stall, When, has_effect
from dev.faults.passing import HOUR
from dev.faults.seam import VENDOR
from shared.cloud.cloud import Cloud
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox, jobs
from shared.delivery.account.lease import AccountLease
from tests.integration.faults import promises, segments
from tests.integration.faults.points import CHUNKS, Tally, counted, points
from tests.integration.faults.segments import FEW
from tests.integration.faults.world import World, at_point, world
from tests.sampling import EVERY

ONE_IN = 45
SMALL = {"rows_per_file": 40, "slice_seconds": 0.001}


@dataclass
class Stuck:
    """A worker on a thread of its own that stops at a call."""

    made: World
    stall: Stall
    leases: list[AccountLease] = field(default_factory=list)
    error: Exception | None = None

    def begin(self) -> bool:
        """Work until stuck; False when there was nothing left to do before that."""
        self._thread = threading.Thread(target=self._work, args=(self.made.watched(self.stall),), name="stuck")
        self._thread.start()
        while self._thread.is_alive() and not self.stall.stalled.wait(0.01):
            pass
        return self.stall.stalled.is_set()

    def wake_up(self) -> None:
        """An hour later by its own clock; returns when it has nothing left to do."""
        for lease in self.leases:
            lease._renewed -= HOUR
        self.stall.wake()
        self._thread.join()

    def _work(self, cloud: Cloud) -> None:
        try:
            while message := self.made.receive():
                inbox.receive(cloud, message.content.encode())
                self.made.engine.queue.delete_message(message)
        except Exception as error:  # noqa: BLE001 - its host would try the message again
            self.error = error


@pytest.fixture
def stuck_leases(monkeypatch: pytest.MonkeyPatch) -> list[AccountLease]:
    """The leases of workers that are stuck, whose clocks have to be set."""
    taken: list[AccountLease] = []

    class Noted(AccountLease):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            if threading.current_thread().name == "stuck":
                taken.append(self)

    monkeypatch.setattr(jobs, "AccountLease", Noted)
    return taken


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_stuck_worker_does_no_harm_when_it_wakes_up(
    storage: StorageAddress,
    unique: str,
    stuck_leases: list[AccountLease],
    tally: Tally,
    chunk: int,
    when: When,
) -> None:
    def may_stick(name: str) -> bool:
        if when is When.AFTER:
            return counted(name)
        return has_effect(name) and not name.startswith(VENDOR)

    tally.kind = f"stuck {when} a call"
    with world(storage, unique, **SMALL) as made:
        for at in points(chunk, ONE_IN):
            stuck = 0
            for removing in (False, True) if EVERY else (at % 2 == 0,):
                stuck_leases.clear()
                worker = Stuck(made, Stall(at, when, may_stick), stuck_leases)
                with tally.point(reached=worker.stall.was_struck):
                    stuck += _taken_over(made, f"export{at}{'r' if removing else ''}", worker, removing=removing)
            if not stuck:
                break
        tally.sent_again = made.accounts.again


def _taken_over(made: World, name: str, worker: Stuck, *, removing: bool) -> int:
    """One delivery with a stuck worker, the next one without, then the first worker wakes up; whether it got stuck."""
    made.define(name)
    now, following = segments.first(name, FEW), segments.second(name, FEW)
    if removing:
        _deliver(made, name, now)
        now, following = following, segments.third(name, FEW)
    made.land(now)
    run = made.start(name)
    with made.accounts.slice(name):
        stuck = worker.begin()
    try:
        with at_point("stuck", worker.stall):
            made.pass_time()
            made.wake()
            made.work()
            promises.kept(made, run, now)
            _deliver(made, name, following)
            _nothing_happens(made, name, worker)
            _deliver(made, name, segments.first(name, FEW))
    finally:
        worker.wake_up()
    return stuck


def _deliver(made: World, name: str, segment: segments.Segment) -> None:
    made.pass_time()
    made.land(segment)
    run = made.start(name)
    made.work()
    promises.kept(made, run, segment)


def _nothing_happens(made: World, name: str, worker: Stuck) -> None:
    """Wake the worker: no request, no change of what is known, and its messages are dropped."""
    before, requests = _known(made, name), len(made.engine.simulator.journal.entries)
    worker.wake_up()
    made.wake()
    made.work()
    assert len(made.engine.simulator.journal.entries) == requests, "it sent a request"
    after = _known(made, name)
    assert after == before, [part for part in before if before[part] != after[part]]


def _known(made: World, name: str) -> dict[str, Any]:
    runs = list(made.runs.history(name))
    return {
        "runs": runs,
        "deliveries": [made.delivery(run) for run in runs],
        "target": made.memory(name),
        "ledger": made.ledger(name),
        "members": made.engine.members(name),
        "reports": [made.engine.report(run)["outcomes"] for run in runs],
    }
