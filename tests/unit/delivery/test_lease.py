"""The lease of an account by itself: who may have it when, when a worker stops, what is left to the next."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.delivery.account import lease as leases
from shared.delivery.account.lease import AccountLease, InUse, Taken, sent_again
from shared.delivery.account.waiting import WaitingMessage
from shared.errors import LeaseLost, UserMustAct

QUIET = 100.0


@dataclass
class Blob:
    """Implements what is used of shared.cloud.blobs.Blobs, for one blob; `storage` is what its clock says."""

    now: Callable[[], float]
    body: dict[str, Any] | None = None
    raw: bytes | None = None
    holder: str = ""
    changed: bool = False
    """Since it was read: then nobody gets it."""
    ahead: float = 0.0
    lost: bool = False
    asked: list[Any] = field(default_factory=list)

    def read(self, name: str) -> tuple[bytes, str] | None:
        assert name == "leases/acc.json"
        content = self.raw or (None if self.body is None else json.dumps(self.body).encode())
        return None if content is None else (content, "etag-1")

    def acquire(self, name: str, seconds: int, *, etag: str | None, hear: Callable[[float], None]) -> str | None:
        self.asked.append(("acquire", seconds, etag))
        hear(self.now() - self.ahead)
        if self.holder or self.changed:
            return None
        self.holder = "lease-1"
        return self.holder

    def write(self, name: str, content: bytes, *, lease: str) -> None:
        if self.lost:
            raise LeaseLost("gone")
        assert lease == self.holder
        self.raw, self.body = None, json.loads(content)
        self.asked.append(("write", self.body["released"]))

    def renew(self, name: str, lease: str) -> None:
        if self.lost:
            raise LeaseLost("gone")
        assert lease == self.holder
        self.asked.append("renew")

    def release(self, name: str, lease: str) -> None:
        assert lease == self.holder
        self.holder = ""
        self.asked.append("release")


@dataclass
class Row:
    """Implements what is used of WaitingRow: messages that wait, by ticket."""

    own: str = ""
    stands: bool = False
    waiting: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    broken: bool = False
    late: str = ""
    """Comes between the first look and the second."""

    def first(self) -> WaitingMessage | None:
        if self.broken:
            raise OSError("no table")
        if self.waiting:
            return WaitingMessage("acc", self.waiting[0], datetime(2026, 11, 29, tzinfo=UTC), QUIET, {})
        self.waiting, self.late = [self.late] if self.late else [], ""
        return None

    def call(self, message: WaitingMessage) -> None:
        self.called.append(message.ticket)

    def leave(self, *tickets: str) -> None:
        self.waiting = [each for each in self.waiting if each not in tickets]


@dataclass
class World:
    now: float = 1_000_000.0
    blob: Blob = field(init=False)
    row: Row = field(default_factory=Row)
    looks: list[Exception] = field(default_factory=list)
    looked: int = 0

    def __post_init__(self) -> None:
        self.blob = Blob(lambda: self.now)

    def look(self) -> None:
        self.looked += 1
        if self.looks:
            raise self.looks.pop(0)

    def lease(self, *, row: bool = True) -> AccountLease:
        waiting = cast("Any", self.row) if row else None
        return AccountLease(
            cast("Any", self.blob),
            "acc",
            quiet_seconds=QUIET,
            look=self.look,
            row=waiting,
            clock=lambda: self.now,
        )

    def left(self, **body: Any) -> None:
        self.blob.body = {"released": True, "renewed_at": self.now, **body}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(leases, "time", SimpleNamespace(time=lambda: made.now, monotonic=lambda: made.now))
    monkeypatch.setattr(leases, "WaitingRow", Row)
    return made


class Turns:
    """In place of the event that ends the background thread: at each of its waits one thing happens."""

    def __init__(self, *happens: Callable[[], object]) -> None:
        self.happens = list(happens)
        self.done, self.ended = threading.Event(), threading.Event()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        if self.happens:
            self.happens.pop(0)()
            return False
        self.done.set()
        return self.ended.wait(10)

    def set(self) -> None:
        self.ended.set()


@contextmanager
def kept(world: World, *happens: Callable[[], object]) -> Iterator[AccountLease]:
    """A lease whose background thread has seen all that happens."""
    lease = world.lease()
    turns = Turns(*happens)
    lease._ended = cast("Any", turns)
    with lease:
        while lease._thread.is_alive() and not turns.done.wait(0.01):
            pass
        assert set(turns.waits) <= {2.0}, "it looks every two seconds"
        yield lease


def passes(world: World, seconds: float) -> Callable[[], None]:
    def passed() -> None:
        world.now += seconds

    return passed


def test_a_new_account_is_had_for_a_minute_and_let_go(world: World) -> None:
    with world.lease(row=False) as lease:
        assert world.blob.body == {"released": False, "renewed_at": world.now, "carried": {}}
        assert (lease._thread.name, lease._thread.daemon) == ("account-lease", True)
        lease.check()
    assert world.blob.asked == [("acquire", 60, None), ("write", False), ("write", True), "release"]
    assert not world.blob.holder


def test_what_is_kept_goes_from_one_holder_to_the_next_as_it_was(world: World) -> None:
    carried = {"windows": {"a": {"times": [1.0], "factor": 0.5}}, "jobs": {"d": [2, 3.0]}}
    world.left(carried=carried)
    with world.lease() as lease:
        assert lease.carried == {"windows": carried["windows"], "jobs": {"d": (2, 3.0)}}
        assert world.blob.body
        assert world.blob.body["carried"] == carried
        lease.state = lambda: {"windows": {}}
        world.now += 5
    assert world.blob.body == {"released": True, "renewed_at": world.now, "carried": {"windows": {}}}


def test_an_account_that_another_has_is_in_use(world: World) -> None:
    world.left()
    world.blob.holder = "other"
    with pytest.raises(InUse) as raised, world.lease():
        pass
    assert not isinstance(raised.value, Taken)
    assert str(raised.value) == "the account is in use"
    assert world.blob.holder == "other"
    world.blob.holder, world.blob.changed = "", True
    with pytest.raises(InUse), world.lease():
        pass
    assert world.blob.asked[0] == ("acquire", 60, "etag-1")


@pytest.mark.parametrize(("silent", "wait"), [(0, 100), (40, 60), (99.5, 0.5), (100, None), (500, None)])
def test_after_one_who_did_not_let_go_its_last_request_is_waited_for(
    world: World, silent: float, wait: float | None
) -> None:
    world.left(released=False, renewed_at=world.now - silent, carried={"windows": {"a": {}}})
    if wait is None:
        with world.lease() as lease:
            assert lease.carried == {"windows": {"a": {}}}
        return
    with pytest.raises(Taken) as raised, world.lease():
        pass
    assert raised.value.seconds == wait
    assert str(raised.value) == "the account is in use"
    assert not world.blob.holder, "and nobody has it meanwhile"
    assert world.blob.asked == [("acquire", 60, "etag-1"), "release"]


def test_a_holder_whose_clock_was_ahead_is_waited_for_once(world: World) -> None:
    world.left(released=False, renewed_at=world.now + 5_000, carried={"windows": {"a": {}}})
    for wait in (QUIET, QUIET - 30):
        with pytest.raises(Taken) as raised, world.lease():
            pass
        assert raised.value.seconds == wait
        world.now += 30
    assert world.blob.body
    assert world.blob.body["carried"] == {"windows": {"a": {}}}


def test_a_body_that_cannot_be_read_is_one_of_a_holder_at_work(world: World) -> None:
    world.blob.raw = b"{broken"
    with pytest.raises(Taken) as raised, world.lease():
        pass
    assert raised.value.seconds == QUIET
    world.now += QUIET
    with world.lease() as lease:
        assert lease.carried == {}


@pytest.mark.parametrize(("ahead", "wait"), [(30.0, 90.0), (-30.0, 30.0), (2.0, 60.0), (-2.0, 60.0), (2.5, 62.5)])
def test_the_time_is_storages_where_the_own_clock_is_wrong(world: World, ahead: float, wait: float) -> None:
    world.left(released=False, renewed_at=world.now - 40)
    world.blob.ahead = ahead
    with pytest.raises(Taken) as raised, world.lease():
        pass
    assert raised.value.seconds == wait


@pytest.mark.parametrize(("seconds", "free"), [(0, False), (59.5, False), (60, True)])
def test_the_account_is_kept_for_whom_was_called_for_a_minute(world: World, seconds: float, free: bool) -> None:
    world.left(called="theirs", called_at=world.now - seconds)
    if free:
        with world.lease():
            return
    with pytest.raises(InUse), world.lease():
        pass
    assert not world.blob.asked
    with pytest.raises(InUse), world.lease(row=False):
        pass
    world.row.own = "theirs"
    with world.lease():
        pass


def test_a_call_by_one_who_did_not_let_go_keeps_nothing(world: World) -> None:
    world.left(released=False, called="theirs", called_at=world.now, renewed_at=world.now - QUIET)
    with world.lease():
        pass


def test_who_has_waited_longest_is_called_when_the_account_is_let_go(world: World) -> None:
    world.row.waiting = ["first", "second"]
    with world.lease():
        world.now += 7
    assert world.row.called == ["first"]
    assert world.row.waiting == ["first", "second"], "it stands until it comes"
    assert world.blob.body
    called = {name: world.blob.body[name] for name in ("called", "called_at", "again")}
    assert called == {"called": "first", "called_at": world.now, "again": False}


def test_who_comes_while_the_account_is_let_go_is_called_too_and_stands_no_more(world: World) -> None:
    world.row.late = "late"
    with world.lease():
        pass
    assert (world.row.called, world.row.waiting) == (["late"], [])
    assert world.blob.body
    assert "called" not in world.blob.body


def test_who_has_the_account_waits_no_more(world: World) -> None:
    world.row = Row(own="mine", stands=True, waiting=["mine", "other"])
    with world.lease():
        assert world.row.waiting == ["other"]
    world.row = Row(own="mine", stands=False, waiting=["mine", "other"])
    world.left(called="mine", called_at=world.now)
    with world.lease():
        assert world.row.waiting == ["other"]
    world.row = Row(own="mine", stands=False, waiting=["mine", "other"])
    world.left()
    with world.lease():
        assert world.row.waiting == ["mine", "other"], "it never stood there: that one is another of its name"


def test_who_does_not_come_is_called_once_more_and_then_struck_off(world: World) -> None:
    world.row = Row(own="mine", waiting=["silent", "other"])
    for again in (False, True):
        with world.lease():
            assert world.row.waiting == ["silent", "other"]
        assert world.blob.body
        assert (world.blob.body["called"], world.blob.body["again"]) == ("silent", again)
        world.now += 60
    with world.lease():
        assert world.row.waiting == ["other"]
        world.row.waiting.insert(0, "silent")
    assert world.row.called == ["silent"] * 3
    assert world.blob.body
    assert world.blob.body["again"] is False, "it stood there anew"


def test_who_comes_at_its_call_and_stands_there_again_is_called_for_the_first_time(world: World) -> None:
    world.row = Row(own="mine", waiting=["mine"])
    world.left(called="mine", called_at=world.now)
    with world.lease():
        world.row.waiting = ["mine"]
    assert world.blob.body
    assert (world.blob.body["called"], world.blob.body["again"]) == ("mine", False)


def test_what_a_body_does_not_say_is_as_with_a_new_account(world: World) -> None:
    world.row.waiting = ["theirs"]
    world.blob.body = {"called": "theirs", "renewed_at": world.now}
    with world.lease():
        assert world.row.waiting == ["theirs"], "it was called once"


def test_a_first_holder_that_was_faster_and_died_is_waited_for(world: World) -> None:
    def acquire(name: str, seconds: int, *, etag: str | None, hear: Callable[[float], None]) -> str | None:
        del world.blob.__dict__["acquire"]
        assert etag is None
        world.left(released=False)
        return world.blob.acquire(name, seconds, etag=etag, hear=hear)

    world.blob.acquire = acquire  # type: ignore[method-assign]
    with pytest.raises(Taken), world.lease():
        pass


def test_nothing_goes_on_after_the_account_is_let_go(world: World) -> None:
    class Slow(Turns):
        def wait(self, seconds: float) -> bool:
            ended = super().wait(seconds)
            threading.Event().wait(0.2)
            return ended

    lease = world.lease()
    lease._ended = cast("Any", Slow())
    with lease:
        assert lease._thread.is_alive()
    assert not lease._thread.is_alive()


def test_trouble_with_the_row_keeps_nobody_from_the_account(world: World) -> None:
    world.row.broken = True
    with world.lease() as lease:
        lease.check()
    assert not world.blob.holder
    assert not world.row.called


def test_a_lease_that_is_gone_at_the_end_calls_nobody(world: World) -> None:
    world.row.waiting = ["first"]
    with world.lease():
        world.blob.lost = True
    assert not world.row.called


@pytest.mark.parametrize(("seconds", "safe"), [(40, True), (40.5, False), (60, False)])
def test_a_worker_stops_when_it_could_not_renew_for_forty_seconds(world: World, seconds: float, safe: bool) -> None:
    with world.lease() as lease:
        world.now += seconds
        if safe:
            lease.check()
            lease.hold()
            return
        for ask in (lease.check, lease.hold):
            with pytest.raises(LeaseLost, match=r"the lease could not be renewed in time$"):
                ask()


def test_it_is_renewed_every_fifteen_seconds(world: World) -> None:
    def renewals(*seconds: float) -> int:
        world.blob.asked.clear()
        with kept(world, *(passes(world, each) for each in seconds)) as lease:
            lease.check()
        return world.blob.asked.count("renew")

    assert renewals(14.5) == 0
    assert renewals(15) == 1
    assert renewals(15, 14) == 1
    assert renewals(15, 14, 1) == 2
    assert world.looked == 7


def test_a_renewal_tells_when_it_was_and_counts_from_its_beginning(world: World) -> None:
    with kept(world, passes(world, 20)) as lease:
        assert world.blob.body == {"released": False, "renewed_at": world.now, "carried": {}}
        world.now += 40
        lease.check()
        world.now += 0.5
        with pytest.raises(LeaseLost):
            lease.check()


def test_a_renewal_that_failed_is_tried_again(world: World) -> None:
    def fails(name: str, lease: str) -> None:
        del world.blob.__dict__["renew"]
        raise OSError("no answer")

    world.blob.renew = fails  # type: ignore[method-assign]
    with kept(world, passes(world, 20), passes(world, 2)) as lease:
        lease.check()
        assert world.blob.asked.count("renew") == 1


def test_a_lease_that_is_lost_stops_the_worker_at_once(world: World) -> None:
    def lose() -> None:
        world.blob.lost = True
        world.now += 20

    with kept(world, lose, lambda: pytest.fail("nothing more to look for")) as lease:
        for ask in (lease.check, lease.hold, lambda: lease.wait(30)):
            with pytest.raises(LeaseLost, match="gone"):
                ask()


def test_a_cancellation_stops_the_work_and_keeps_the_account_for_the_commit(world: World) -> None:
    world.looks = [UserMustAct("cancelled", "Somebody cancelled the run.")]
    with kept(world, lambda: None, lambda: None, passes(world, 20)) as lease:
        lease.hold()
        for ask in (lease.check, lambda: lease.wait(30)):
            with pytest.raises(UserMustAct):
                ask()
        assert world.looked == 1, "once is enough"
        assert world.blob.asked.count("renew") == 1


def test_a_wait_without_trouble_takes_its_time(world: World) -> None:
    with world.lease() as lease:
        waited: list[float] = []
        lease._troubled = cast("Any", SimpleNamespace(wait=waited.append))
        lease.wait(3.5)
        assert waited == [3.5]


@dataclass
class Queue:
    sent: list[tuple[Mapping[str, Any], float]] = field(default_factory=list)

    def send(self, message: Mapping[str, Any], delay: float = 0.0) -> None:
        self.sent.append((message, delay))


def test_work_that_cannot_have_the_account_is_sent_again_for_later() -> None:
    queue = Queue()
    for error in (LeaseLost("gone"), *[Taken(30.0)] * 20):
        with sent_again(cast("Any", queue), {"job": 1}, "A piece of work"):
            raise error
    assert queue.sent[0] == ({"job": 1}, 60.0)
    delays = {delay for _, delay in queue.sent[1:]}
    assert len(delays) > 1, "not all at the same moment"
    assert 30 <= min(delays) <= max(delays) <= 31


def test_work_that_is_done_or_finds_the_account_in_use_is_not() -> None:
    queue = Queue()
    with sent_again(cast("Any", queue), {}, "A piece of work"):
        pass
    with suppress(InUse), sent_again(cast("Any", queue), {}, "A piece of work"):
        raise InUse
    assert not queue.sent
