"""Work that waits for a busy account is called when its turn comes: it does not ask again and again."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from shared.cloud.cloud import Cloud
from shared.delivery import inbox, jobs
from shared.delivery.account import lease as leases
from shared.delivery.account.lease import AccountLease, InUse
from shared.delivery.account.waiting import WaitingRow, all_waiting, ticket
from shared.delivery.jobs import Clock, JobKind, LeasedAccount
from shared.delivery.messages import SliceMessage, parse
from shared.delivery.state import layout
from shared.delivery.state.records import now
from shared.errors import UserMustAct
from tests.integration.delivery.engine import engine
from tests.memory import in_memory

ACCOUNT = "acc-1"
BOUND, MANY = 3, 80
"""Executions for each piece of work that waits, the one that does it included; and so many at once."""


@pytest.fixture
def cloud(unique: str) -> Iterator[Cloud]:
    with in_memory() as address, engine(address, unique) as made:
        yield made.cloud


class Work(JobKind[SliceMessage, SliceMessage]):
    """Jobs with a number of turns each, of one account. `order` is what was done, `calls` what was carried out."""

    words = "A piece of work"

    def __init__(self, *turns: int) -> None:
        self.left = list(turns)
        self.order: list[int] = []
        self.together = 0
        self._busy = threading.Lock()

    def message(self, number: int) -> SliceMessage:
        return SliceMessage("work", "1", number, self.left[number])

    def current(self, cloud: Cloud, message: SliceMessage) -> SliceMessage | None:
        return message if self.left[message.delivery] == message.turn else None

    def account(self, cloud: Cloud, job: SliceMessage) -> LeasedAccount:
        return LeasedAccount(ACCOUNT)

    def carry_on(self, cloud: Cloud, job: SliceMessage, lease: AccountLease, clock: Clock) -> None:
        self.together += not self._busy.acquire(blocking=False)
        self.order.append(job.delivery)
        self.left[job.delivery] -= 1
        if self.left[job.delivery]:  # as a slice does: the next message goes before the account is left
            cloud.slices.send(self.message(job.delivery).body())
        with suppress(RuntimeError):
            self._busy.release()

    def fail(self, cloud: Cloud, job: SliceMessage, words: str, clock: Clock) -> None:
        raise AssertionError(words)

    def wake(self, cloud: Cloud, standing: Set[str] = frozenset(), *, clock: Clock = now) -> int:
        silent = [self.message(number).body() for number, left in enumerate(self.left) if left]
        woken = [body for body in silent if ticket(body) not in standing]
        for body in woken:
            cloud.slices.send(body)
        return len(woken)

    def begin(self, cloud: Cloud) -> None:
        for number in range(len(self.left)):
            cloud.slices.send(self.message(number).body())

    def receive(self, cloud: Cloud) -> bool:
        """Carry out one message of the queue, as the host does; False where none is there."""
        found = cloud.slices._client.receive_message()
        if found is None:
            return False
        message = parse(found.content)
        assert isinstance(message, SliceMessage)
        jobs.carry_out(self, cloud, message)
        cloud.slices._client.delete_message(found)
        return True


def held(cloud: Cloud, own: str = "") -> AccountLease:
    row = WaitingRow(cloud.waiting, cloud.slices, ACCOUNT, own)
    return AccountLease(cloud.blobs, ACCOUNT, quiet_seconds=0.0, look=lambda: None, row=row)


def pump(work: Work, cloud: Cloud) -> int:
    """Carry out what the queue has; how many messages."""
    done = 0
    while work.receive(cloud):
        done += 1
    return done


def test_many_that_are_due_at_once_ask_three_times_each_at_most(cloud: Cloud) -> None:
    work, executions, ended = Work(*[1] * MANY), Counter[int](), threading.Event()
    work.begin(cloud)

    def worker(number: int) -> None:
        try:
            while not ended.is_set() and any(work.left):
                executions[number] += work.receive(cloud)
        finally:
            ended.set()

    with ThreadPoolExecutor(8) as pool:
        workers = [pool.submit(worker, number) for number in range(8)]
    for each in workers:
        each.result()
    assert sorted(work.order) == list(range(MANY))
    assert work.together == 0
    assert executions.total() <= BOUND * MANY
    assert not all_waiting(cloud.waiting)


def test_nobody_asks_while_an_account_is_in_use(cloud: Cloud) -> None:
    work = Work(*[1] * 20)
    with held(cloud):
        work.begin(cloud)
        assert pump(work, cloud) == 20, "each finds out once"
        assert pump(work, cloud) == 0
    assert pump(work, cloud) == 20
    assert work.order == list(range(20)), "in the order in which they came"


def test_work_of_many_turns_takes_turns_with_those_who_wait(cloud: Cloud) -> None:
    work = Work(3, 3, 3)
    with held(cloud):
        work.begin(cloud)
        pump(work, cloud)
    pump(work, cloud)
    assert work.order == [0, 1, 2, 0, 1, 2, 0, 1, 2]


def test_a_newcomer_does_not_go_before_whoever_is_called(cloud: Cloud) -> None:
    work = Work(1, 1)
    with held(cloud):
        jobs.carry_out(work, cloud, work.message(0))
    jobs.carry_out(work, cloud, work.message(1))
    assert work.order == []
    pump(work, cloud)
    assert work.order == [0, 1]


def test_whoever_comes_between_looking_and_letting_go_is_called(cloud: Cloud) -> None:
    work, written = Work(1), AccountLease._write
    arrived = list[bool]()

    def write(lease: AccountLease, *, released: bool, **how: object) -> None:
        written(lease, released=released, **how)  # type: ignore[arg-type]
        if released and not arrived:
            arrived.append(True)
            jobs.carry_out(work, cloud, work.message(0))

    with mock.patch.object(AccountLease, "_write", write), held(cloud):
        pass
    assert pump(work, cloud) == 1
    assert work.order == [0]


def test_a_worker_that_dies_before_it_calls_costs_those_who_wait_a_minute(cloud: Cloud) -> None:
    work = Work(1, 1)
    with mock.patch.object(WaitingRow, "call"), held(cloud):
        work.begin(cloud)
        pump(work, cloud)
    assert pump(work, cloud) == 0
    with mock.patch.dict(inbox.KINDS, clear=True):
        inbox.wake(cloud)
        assert pump(work, cloud) == 0, "it may be on its way"
        later = datetime.now(UTC) + timedelta(minutes=2)
        with passed(2 * leases.CALL_SECONDS):
            inbox.wake(cloud, clock=lambda: later)
        pump(work, cloud)
    assert work.order == [0, 1]


def passed(seconds: float) -> mock._patch[object]:
    """So much later by the clock of leases."""
    begin = AccountLease.__init__

    def late(lease: AccountLease, *given: Any, **named: Any) -> None:
        begin(lease, *given, **named, clock=lambda: time.time() + seconds)

    return mock.patch.multiple(AccountLease, __init__=late, _set_clock=lambda lease, at: None)


def test_whoever_does_not_come_when_called_stops_nobody(cloud: Cloud) -> None:
    work = Work(1, 1)
    with held(cloud):
        work.begin(cloud)
        pump(work, cloud)
    cloud.slices._client.clear_messages()  # its call is lost, and so is the next one
    with mock.patch.object(WaitingRow, "call"), passed(2 * leases.CALL_SECONDS), held(cloud):
        pass
    work.left[0] = 0
    for minutes in (2, 4):  # it is called once more, for the case that its call got lost
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        with mock.patch.dict(inbox.KINDS, clear=True), passed(60.0 * minutes):
            inbox.wake(cloud, clock=lambda at=later: at)  # type: ignore[misc]
            pump(work, cloud)
    assert work.order == [1]
    assert not all_waiting(cloud.waiting)


def test_a_message_that_is_dropped_lets_the_next_one_go_at_once(cloud: Cloud) -> None:
    work = Work(1, 1)
    with held(cloud):
        work.begin(cloud)
        pump(work, cloud)
    work.left[0] = 0  # another worker did it meanwhile
    pump(work, cloud)
    assert work.order == [1]
    assert not all_waiting(cloud.waiting)


@pytest.mark.parametrize("trouble", [None, UserMustAct("gone", "It is gone.")])
def test_a_job_with_nothing_left_to_do_lets_the_next_one_go_at_once(cloud: Cloud, trouble: UserMustAct | None) -> None:
    work = Work(1, 1)
    with held(cloud):
        work.begin(cloud)
        pump(work, cloud)
    account = Work.account

    def nothing(this: Work, cloud: Cloud, job: SliceMessage) -> LeasedAccount | None:
        if job.delivery:
            return account(this, cloud, job)
        if trouble:
            raise trouble
        return None

    with mock.patch.object(Work, "account", nothing), mock.patch.object(Work, "fail"):
        pump(work, cloud)
    assert work.order == [1]


def test_a_message_that_came_twice_keeps_nobody_waiting(cloud: Cloud) -> None:
    """Two workers have it: one does it, and the other one stands in the row when its turn has passed."""
    work = Work(2)
    with held(cloud):
        pass
    with AccountLease(cloud.blobs, ACCOUNT, quiet_seconds=0.0, look=lambda: None, row=None):
        jobs.carry_out(work, cloud, work.message(0))
    with held(cloud):
        work.left[0] -= 1
        cloud.slices.send(work.message(0).body())
    pump(work, cloud)
    assert work.order == [0]
    assert not all_waiting(cloud.waiting)


def test_work_that_stands_in_the_row_is_not_taken_for_silent(cloud: Cloud) -> None:
    work = Work(1, 1)
    with held(cloud), mock.patch.dict(inbox.KINDS, {SliceMessage: work}, clear=True):
        work.begin(cloud)
        pump(work, cloud)
        inbox.wake(cloud)
        assert pump(work, cloud) == 0
    pump(work, cloud)
    assert work.order == [0, 1]


def test_a_message_that_comes_twice_stands_once(cloud: Cloud) -> None:
    work = Work(1)
    with held(cloud):
        for _ in range(3):
            jobs.carry_out(work, cloud, work.message(0))
        assert len(all_waiting(cloud.waiting)) == 1
    pump(work, cloud)
    assert work.order == [0]


class Broken(Work):
    """Its work fails each time, while the host carries out whatever else is in the queue."""

    poisoned = "It failed."

    def __init__(self) -> None:
        super().__init__(1)
        self.tried = 0
        self.given_up = False

    def carry_on(self, cloud: Cloud, job: SliceMessage, lease: AccountLease, clock: Clock) -> None:
        self.tried += 1
        self.host(cloud)
        raise OSError

    def fail(self, cloud: Cloud, job: SliceMessage, words: str, clock: Clock) -> None:
        self.given_up, self.left[0] = True, 0

    def host(self, cloud: Cloud) -> bool:
        """Hand one message over, and put it back where that fails; False where none is there."""
        client = cloud.slices._client
        found = client.receive_message()
        if found is None:
            return False
        try:
            inbox.receive(cloud, str(found.content).encode(), str(found.id), found.dequeue_count or 1)
            client.delete_message(found)
        except OSError:
            client.update_message(found.id, found.pop_receipt, visibility_timeout=0)
        return True


def test_work_that_always_fails_is_given_up_also_where_it_waits_in_between(cloud: Cloud) -> None:
    """Its message came twice: while one is carried out the other one waits, and is called by a new one each time."""
    work = Broken()
    with mock.patch.dict(inbox.KINDS, {SliceMessage: work}, clear=True):
        for _ in range(2):
            cloud.slices.send(work.message(0).body())
        for _ in range(40):
            if not work.host(cloud):
                break
    assert work.given_up
    assert work.tried <= 2 * inbox.MOST_ATTEMPTS
    assert not all_waiting(cloud.waiting)


def test_a_row_that_cannot_be_read_keeps_no_other_waiting(cloud: Cloud) -> None:
    work = Work(1)
    with held(cloud):
        jobs.carry_out(work, cloud, work.message(0))
        [row] = cloud.waiting.query(ACCOUNT)
        cloud.waiting.insert({**row.entity, "RowKey": "broken", "message": "{"})
    pump(work, cloud)
    assert work.order == [0]


def test_the_account_is_let_go_of_where_the_row_cannot_be_read(cloud: Cloud) -> None:
    work = Work(1)
    with mock.patch.object(WaitingRow, "first", side_effect=OSError), held(cloud):
        pass
    jobs.carry_out(work, cloud, work.message(0))
    assert work.order == [0]


def test_a_called_one_has_the_account_for_itself_for_a_minute_only(cloud: Cloud) -> None:
    with held(cloud):
        WaitingRow(cloud.waiting, cloud.slices, ACCOUNT, "gone").stand({}, 0.0)
    stored = cloud.blobs.read(layout.lease(ACCOUNT))
    assert stored is not None
    assert json.loads(stored[0])["called"] == "gone"
    with pytest.raises(InUse), held(cloud, "other"):
        pytest.fail("it is called")
    with passed(leases.CALL_SECONDS + 1), held(cloud, "other"):
        assert all_waiting(cloud.waiting), "it may come yet"
    with passed(2 * leases.CALL_SECONDS + 2), held(cloud, "other"):
        assert not all_waiting(cloud.waiting), "it did not come, though it was called twice"
