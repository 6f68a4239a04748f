"""One account has one active slice, however many workers there are; promise 6 across slices, and the lease."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from dev.faults.interruptions import Calls, Died, Life, When
from dev.faults.passing import HOUR
from dev.faults.seam import VENDOR
from dev.simulators.common.clock import Clock
from dev.simulators.common.faults import Fault
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox, jobs
from shared.delivery.account.lease import AccountLease
from shared.delivery.account.waiting import all_waiting
from shared.delivery.slices import active_runs
from shared.vendors.registry import definition
from tests.integration.faults import promises, segments
from tests.integration.faults.conftest import THREADS
from tests.integration.faults.world import World, world

NAME = "news"
SUBSCRIBE = "POST /api/lists/subscribe"
LATENCY = 0.03
DEFINITION = definition("iterable")
QUIET_SECONDS = DEFINITION.request_seconds + max(rate.seconds for rate in DEFINITION.rates)


@pytest.fixture
def made(storage: StorageAddress, unique: str) -> Iterator[World]:
    with world(storage, unique, slice_seconds=0.001) as made:
        yield made


def define(made: World, name: str) -> None:
    made.define(name)
    made.land(segments.first(name))


class Requests(Calls):
    """Notes when each vendor request of a worker was under way."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[float, float]] = []

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        if not name.startswith(VENDOR):
            return work()
        started = time.monotonic()
        try:
            return work()
        finally:
            self.times.append((started, time.monotonic()))


def overlap(one: Requests, other: Requests) -> bool:
    return any(a < d and c < b for a, b in one.times for c, d in other.times)


def test_two_workers_with_the_same_message_never_work_at_once(made: World) -> None:
    define(made, NAME)
    made.engine.simulator.change_settings({"latency_fixed": LATENCY})
    run = made.start(NAME)
    workers = Requests(), Requests()
    while (message := made.receive()) is not None:
        before = [len(worker.times) for worker in workers]
        with made.accounts.slice(NAME):
            _at_once([partial(inbox.receive, made.watched(each), message.content.encode()) for each in workers])
        made.engine.queue.delete_message(message)
        worked = [len(worker.times) > count for worker, count in zip(workers, before, strict=True)]
        assert sum(worked) <= 1, "both worked on one turn"
    assert not overlap(*workers)
    assert made.engine.simulator.journal.summary()["max_in_flight"] <= THREADS
    assert made.accounts.again == 0
    promises.kept(made, run, segments.first(NAME))


def test_two_exports_on_one_account_take_turns(made: World) -> None:
    """As in a deployment: two instances that take whatever message comes."""
    runs = {}
    for name in ("news", "offers"):
        define(made, name)
        runs[name] = made.start(name)
        plan_first = made.step()  # the segment that it was landed for, not the next one
        assert plan_first
    made.engine.simulator.change_settings({"latency_fixed": LATENCY})
    workers = Requests(), Requests()
    _at_once([partial(_work_until_ended, made, each, other) for each, other in permutations(workers)])
    assert not overlap(*workers)
    assert made.engine.simulator.journal.summary()["max_in_flight"] <= THREADS
    assert all(worker.times for worker in workers), "one worker did everything, so nothing was tried"
    for name in runs:
        promises.list_is_the_segment(made, name, segments.first(name))
        promises.ledger_is_what_was_accepted(made, name, segments.first(name))
        promises.counts_add_up(made, runs[name])


def _work_until_ended(made: World, worker: Requests, other: Requests) -> None:
    """Who was faster leaves the account to the other one once, so that both come to work however busy the machine."""
    cloud = made.watched(worker)
    while list(active_runs(made.cloud)):
        if worker.times and not other.times:
            time.sleep(0.01)
            continue
        if (message := made.receive()) is not None:
            inbox.receive(cloud, message.content.encode())
            made.engine.queue.delete_message(message)


def _at_once(acts: list[Callable[[], None]]) -> None:
    """Begin together, each on a thread of its own; raises the first error."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(acts))

    def perform(act: Callable[[], None]) -> None:
        start.wait()
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=perform, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_whoever_takes_over_waits_for_the_longest_request_and_a_full_window(made: World) -> None:
    define(made, NAME)
    life = Life(2, When.AFTER, lambda name: name.startswith(f"{VENDOR}.{SUBSCRIBE}"))
    run = made.start(NAME)
    with pytest.raises(Died):
        made.work(made.watched(life))
    requests = len(made.engine.simulator.journal.entries)

    made.wake()
    made.step()  # the dead worker's lease still runs
    [waiting] = all_waiting(made.cloud.waiting)
    assert waiting.message["turn"] == made.delivery(run).value.turn

    made.pass_time(0)  # it has ended, just now
    made.cloud.slices.send(waiting.message)  # as whoever leaves the account does, or the timer
    made.step()
    _, delay = made.asked[-1]
    assert QUIET_SECONDS - 10 <= delay <= QUIET_SECONDS + 1

    made.pass_time(QUIET_SECONDS - 15)  # not quite long enough
    made.step()
    _, delay = made.asked[-1]
    assert 1 <= delay <= 16  # a second of it is chance
    assert len(made.engine.simulator.journal.entries) == requests

    made.pass_time(15)
    made.work()
    promises.kept(made, run, segments.first(NAME))


def test_a_holder_that_ended_well_is_not_waited_for(made: World) -> None:
    define(made, NAME)
    run = made.start(NAME)
    made.work()
    assert {delay for _, delay in made.asked} == {0.0}
    promises.kept(made, run, segments.first(NAME))


class Gate(Clock):
    """The simulator's time: whoever sleeps waits until the gate is open."""

    def __init__(self) -> None:
        self.open = threading.Event()

    async def sleep(self, seconds: float) -> None:
        while not self.open.is_set():
            await asyncio.sleep(0.005)


@dataclass
class Late:
    """A worker on a thread of its own, whose clock can be set on."""

    act: Callable[[], None]
    leases: list[AccountLease] = field(default_factory=list)
    error: BaseException | None = None

    def begin(self) -> None:
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def an_hour_later(self) -> None:
        for lease in self.leases:
            lease._renewed -= HOUR

    def _work(self) -> None:
        try:
            self.act()
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error


@pytest.mark.parametrize("works", [True, False], ids=["work done", "work not done"])
def test_a_worker_whose_request_hangs_while_another_takes_over_stops(
    made: World, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    """The lease is lost in the middle of sending; the answer comes when the other worker is done."""
    define(made, NAME)
    run, gate = made.start(NAME), Gate()
    made.step()
    made.engine.simulator.clock = gate
    made.engine.simulator.faults.set([Fault(endpoint=SUBSCRIBE, kind="hang", work=works, call=1, seconds=1)])
    message = made.receive()
    assert message is not None
    late = Late(partial(inbox.receive, made.cloud, message.content.encode()))
    monkeypatch.setattr(jobs, "AccountLease", _noted(late.leases))
    with made.accounts.slice(NAME):
        late.begin()
        _until(lambda: any(entry.fault == "hang" for entry in made.engine.simulator.journal.entries))
        late.an_hour_later()
        made.pass_time()
        _until(lambda: all(entry.status or entry.fault for entry in made.engine.simulator.journal.entries))

    monkeypatch.setattr(jobs, "AccountLease", AccountLease)
    made.wake()
    made.work()
    promises.kept(made, run, segments.first(NAME))
    requests, delivery = len(made.engine.simulator.journal.entries), made.delivery(run)

    gate.open.set()
    late.thread.join()
    assert late.error is None
    assert len(made.engine.simulator.journal.entries) == requests, "it sent a further request"
    assert made.delivery(run) == delivery
    made.work()  # it asked for its turn again, which is over
    promises.kept(made, run, segments.first(NAME))
    made.land(segments.second(NAME))
    following = made.start(NAME)
    made.pass_time()
    made.work()
    promises.kept(made, following, segments.second(NAME))


def _noted(leases: list[AccountLease]) -> type[AccountLease]:
    class Noted(AccountLease):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            leases.append(self)

    return Noted


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)
