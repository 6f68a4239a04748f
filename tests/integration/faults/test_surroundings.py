"""What else goes wrong around a delivery: clocks jump, disks fill up, storage fails for a while, snapshots change."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from dev.faults.interruptions import Calls, Trouble, When
from shared.cloud.settings import StorageAddress
from shared.delivery import jobs, messages, slices
from shared.delivery import segments as found_segments
from shared.delivery.account import lease as leases
from shared.delivery.account.lease import AccountLease, Taken
from shared.delivery.state import layout
from shared.delivery.state.records import Run, State, now
from shared.errors import LeaseLost
from tests.integration.faults import promises, segments
from tests.integration.faults.failures import busy, no_space, timed_out
from tests.integration.faults.world import World, world

NAME = "news"
DAY = timedelta(days=1)


@pytest.fixture
def made(storage: StorageAddress, unique: str) -> Iterator[World]:
    with world(storage, unique, rows_per_file=40, slice_seconds=0.001) as made:
        made.define(NAME)
        yield made


def both(made: World, work: Callable[[], object]) -> None:
    """A first delivery and one with removals, each carried out by `work`."""
    for wanted in (segments.first(NAME), segments.second(NAME)):
        made.land(wanted)
        run = made.start(NAME)
        work()
        promises.kept(made, run, wanted)
        made.pass_time()


APART = 30
"""Calls of storage between two that fail. The fifth failure of one message poisons it, and with it the run: no message
makes so many calls, whatever order threads make them in."""


class Storm(Calls):
    """Each call of storage fails with some chance, before or after its work."""

    def __init__(self, chance: float, seed: int) -> None:
        super().__init__()
        self.failed = 0
        self._since = 0
        self._chance = chance
        self._random = random.Random(seed)

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        if name.startswith("vendor"):
            return work()
        self._since += 1
        if self._since < APART or self._random.random() > self._chance:
            return work()
        self.failed, self._since = self.failed + 1, 0
        if self._random.random() < 0.5:
            work()
        raise self._random.choice((busy, timed_out))()


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_storage_that_fails_now_and_then_costs_nothing(made: World, seed: int) -> None:
    storm = Storm(0.1, seed)

    def work() -> None:
        made.work_as_host(made.watched(storm))
        made.pass_time()
        made.wake()
        made.work()

    both(made, work)
    assert storm.failed


# Clocks


def _jumping(jumps: Iterator[timedelta]) -> Callable[[], datetime]:
    return lambda: now() + next(jumps)


def _wild() -> Iterator[timedelta]:
    """Days forward and back, from one look to the next."""
    chance = random.Random(11)
    while True:
        yield chance.choice((-400 * DAY, -DAY, timedelta(0), DAY, 400 * DAY))


def test_a_clock_that_jumps_between_any_two_looks_harms_no_delivery(made: World) -> None:
    clock = _jumping(_wild())

    def work() -> None:
        while (message := made.receive()) is not None:
            with made.accounts.slice(NAME):
                parsed = messages.parse(message.content)
                assert isinstance(parsed, messages.SliceMessage)
                jobs.carry_out(slices.KIND, made.cloud, parsed, clock=clock)
            made.engine.queue.delete_message(message)

    made.define(NAME, guards={"max_age_days": None})  # that guard is right to be puzzled
    both(made, work)


def account_lease(made: World, ahead: float = 0.0, *, quiet: float = 5.0) -> AccountLease:
    """The lease as a worker takes it whose clock is ahead by so many seconds."""
    clock = lambda: time.time() + ahead  # noqa: E731
    return AccountLease(made.cloud.blobs, "acc", quiet_seconds=quiet, look=lambda: None, clock=clock)


@pytest.mark.parametrize("second", [-120.0, 0.0, 120.0])
@pytest.mark.parametrize("first", [-120.0, 0.0, 120.0])
def test_clocks_that_differ_shorten_no_wait_for_a_worker_that_died(made: World, first: float, second: float) -> None:
    quiet = 100.0
    with account_lease(made, first):
        made.pass_time(0)  # another may have it now, and the old holder never let go
        with pytest.raises(Taken) as taken:
            account_lease(made, second, quiet=quiet).__enter__()
        assert quiet - 10 < taken.value.seconds <= quiet
        made.pass_time(quiet + 5)
        with account_lease(made, second, quiet=quiet):
            pass


FOREIGN_BODIES = (
    b"",
    b"not json",
    b"[]",
    b'{"released": "perhaps"}',
    b'{"released": true, "carried": []}',
    b'{"released": true, "carried": {"windows": {"lists": {"times": ["noon"]}}}}',
    b'{"released": true, "carried": {"jobs": {"news": 7}}}',
)


@pytest.mark.parametrize("body", FOREIGN_BODIES)
def test_a_lease_whose_body_cannot_be_read_is_waited_for_once_and_written_anew(made: World, body: bytes) -> None:
    made.cloud.blobs.write(layout.lease("acc"), body)
    with pytest.raises(Taken) as taken:
        account_lease(made).__enter__()
    assert 0 < taken.value.seconds <= 5
    made.pass_time(10)
    with account_lease(made) as lease:
        assert lease.carried == {}


def test_what_a_newer_version_left_with_a_lease_is_passed_over(made: World) -> None:
    body = (
        b'{"released": true, "since": "noon", "carried": {"windows": {"lists": {"times": [1.5], "more": 1}}, "x": 1}}'
    )
    made.cloud.blobs.write(layout.lease("acc"), body)
    with account_lease(made) as lease:
        assert lease.carried["windows"]["lists"]["times"] == [1.5]


def test_a_lease_that_cannot_be_renewed_stops_its_worker_in_time(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage is away for longer than the lease is safe; then the worker stops by its own clock."""
    monkeypatch.setattr(leases, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.02)
    monkeypatch.setattr(leases, "SAFE_SECONDS", 0.5)
    away = {"renew": False}

    def around(name: str, work: Callable[[], Any]) -> Any:
        if away["renew"] and name.startswith("blobs.renew"):
            raise busy()
        return work()

    with AccountLease(made.watched(around).blobs, "acc", quiet_seconds=0, look=lambda: None) as lease:
        lease.wait(0.2)
        away["renew"] = True
        with pytest.raises(LeaseLost):
            while True:
                lease.wait(0.02)


# Disk


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to write more than so many bytes into a file, as it does on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("slice_number", [1, 2, 3])
def test_a_disk_that_is_full_for_one_slice_costs_one_attempt(made: World, slice_number: int) -> None:
    """Real writes fail here: DuckDB's own and those of downloads."""

    def work() -> None:
        for _ in range(slice_number - 1):
            made.step()
        with largest_file(100), pytest.raises(Exception):  # noqa: B017 - DuckDB's error or the system's
            made.step()
        made.give_back()
        made.work()

    both(made, work)


@pytest.mark.parametrize("slice_number", [1, 2])
def test_a_disk_that_stays_full_fails_the_run_and_loses_nobody(made: World, slice_number: int) -> None:
    made.land(segments.first(NAME))
    run = made.start(NAME)
    for _ in range(slice_number - 1):
        made.step()
    with largest_file(100):
        made.work_as_host(made.cloud)
    failed = made.engine.current(run)
    assert (failed.state, made.receive()) == (State.FAILED, None)
    assert "Run the export again" in failed.message
    made.land(segments.second(NAME))
    following = made.start(NAME)
    made.work()
    _made_good(made, following)


def _made_good(made: World, run: Run) -> None:
    """The next run's operations depend on what the failed one had done; list and ledger do not."""
    promises.ended_once(made, run)
    promises.list_is_the_segment(made, NAME, segments.second(NAME))
    promises.ledger_is_what_was_accepted(made, NAME, segments.second(NAME))
    promises.counts_add_up(made, run)


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_download_may_find_no_space(made: World, number: int, when: When) -> None:
    """Injected into downloads of plan and ledger files."""

    def work() -> None:
        trouble = Trouble(no_space, number, when, lambda name: name.startswith("blobs.download"))
        made.work_as_host(made.watched(trouble))
        assert trouble.struck

    both(made, work)


# Snapshots


def _replace(made: World, segment: segments.Segment) -> None:
    """Write other rows over the newest snapshot's files."""
    made.engine.at -= timedelta(minutes=1)
    made.engine.land(segment.rows)


@pytest.mark.parametrize("times", [1, 2])
def test_a_snapshot_replaced_while_it_is_read_is_read_again(
    made: World, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    made.land(segments.first(NAME))
    real, left = found_segments.newest, [segments.second(NAME), segments.third(NAME)][:times]
    wanted = left[-1]

    def newest(cloud: Any, reference: str) -> Any:
        found = real(cloud, reference)
        if left:
            _replace(made, left.pop(0))
        return found

    monkeypatch.setattr(found_segments, "newest", newest)
    run = made.start(NAME)
    made.work()
    promises.kept(made, run, wanted)


def test_a_snapshot_that_keeps_changing_is_waited_for(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made.land(segments.first(NAME))
    real = found_segments.newest

    def newest(cloud: Any, reference: str) -> Any:
        found = real(cloud, reference)
        _replace(made, segments.first(NAME))
        return found

    monkeypatch.setattr(found_segments, "newest", newest)
    run = made.start(NAME)
    made.step()
    assert made.asked[-1][1] >= 30
    assert "replaced while they were read" in made.delivery(run).value.message
    monkeypatch.setattr(found_segments, "newest", real)
    made.work()
    promises.kept(made, run, segments.first(NAME))


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "a newer one"])
def test_after_planning_the_pinned_plan_goes_on(made: World, replaced: bool) -> None:
    """Also where the files that it was made from are no more."""
    made.land(segments.first(NAME))
    run = made.start(NAME)
    made.step()
    if replaced:
        _replace(made, segments.second(NAME))
    else:
        made.land(segments.second(NAME))
    made.work()
    promises.kept(made, run, segments.first(NAME))
    following = made.start(NAME)
    made.pass_time()
    made.work()
    promises.kept(made, following, segments.second(NAME))
