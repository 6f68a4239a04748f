"""A slice with the rows that it stands in: whose message goes on, what a step works with, whom the timer wakes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.catalog.models import Connection, Consent, Export, Target
from shared.catalog.store import connection_store
from shared.cloud import telemetry
from shared.cloud.cloud import Cloud
from shared.cloud.settings import Settings
from shared.cloud.telemetry import Metric
from shared.cloud.under_way import UnderWay
from shared.delivery import jobs, slices
from shared.delivery.account import connecting, open_jobs
from shared.delivery.account.waiting import ticket
from shared.delivery.messages import SliceMessage
from shared.delivery.slices import HeldDelivery
from shared.delivery.state.records import Delivery, Run, State, Step
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.errors import LeaseLost
from shared.vendors.limits import BATCH_SHARE, INTERACTIVE_SHARE
from shared.vendors.registry import definition
from tests.memory import in_memory

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
NAME, RUN_ID = "newsletter", "20261129-120000-000-aaaa"
STALE = 60.0
MESSAGE = SliceMessage(NAME, RUN_ID, 0, 7)
STAMPS: dict[str, Any] = {"created_at": AT, "created_by": "p", "updated_at": AT, "updated_by": "p"}
CONNECTION = Connection(
    name="marketing",
    display_name="Marketing",
    vendor="iterable",
    consent=Consent(agreed_by="Ada", text="Agreed.", agreed_at=AT),
    account="acc",
    checked_at=AT,
    **STAMPS,
)
EXPORT = Export(
    name=NAME,
    display_name="Newsletter",
    connection="marketing",
    targets=(Target(segments=("People",)),),
    address_column="EMail",
    account="acc",
    **STAMPS,
)
RUN = Run(
    NAME, RUN_ID, State.RUNNING, "person", EXPORT.model_dump_json(), 1, RunKind.DELIVERY, AT, trace="00-trace-span-01"
)
ROW = Delivery(NAME, RUN_ID, 0, "list", "acc", state=State.RUNNING, turn=7, heartbeat=AT, due_at=AT)


@dataclass
class World:
    cloud: Cloud
    sent: list[Any] = field(default_factory=list)

    @property
    def runs(self) -> Runs:
        return Runs(self.cloud.runs)

    def start(self, row: Delivery = ROW, run: Run = RUN, *others: Delivery) -> None:
        UnderWay(self.cloud.underway).mark(run.export)
        self.runs.start(run, [row, *others])

    def job(self, message: SliceMessage = MESSAGE) -> HeldDelivery | None:
        return slices.KIND.current(self.cloud, message)

    def found(self, message: SliceMessage = MESSAGE) -> HeldDelivery:
        job = self.job(message)
        assert job is not None
        return job

    @property
    def row(self) -> Delivery:
        held = self.runs.delivery(NAME, RUN_ID, 0)
        assert held is not None
        return held.value

    def damage(self, table: str, partition: str, row: str, **values: Any) -> None:
        found = getattr(self.cloud, table).get(partition, row)
        getattr(self.cloud, table).put({**found.entity, **values})

    def wake(self, at: datetime, standing: frozenset[str] = frozenset()) -> int:
        return slices.KIND.wake(self.cloud, standing, clock=lambda: at)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with in_memory() as address:
        made = World(Cloud(Settings(address, address, stale_seconds=STALE, slice_seconds=200.0)))
        connection_store(made.cloud.connections).insert(CONNECTION)
        monkeypatch.setattr(made.cloud.slices, "send", lambda body, delay=0.0: made.sent.append(body))
        yield made


def test_the_turns_own_message_finds_its_delivery_with_all_that_it_needs(world: World) -> None:
    world.start()
    job = world.found()
    assert (job.delivery.value, job.run.value) == (ROW, RUN)
    assert (job.export, job.connection, job.trouble) == (EXPORT, CONNECTION, "")
    assert slices.KIND.still(world.cloud, MESSAGE, job) is job


@pytest.mark.parametrize(
    "other", [SliceMessage(NAME, RUN_ID, 0, 6), SliceMessage(NAME, RUN_ID, 1, 7), SliceMessage("other", RUN_ID, 0, 7)]
)
def test_any_other_message_finds_nothing_to_do(
    world: World, other: SliceMessage, caplog: pytest.LogCaptureFixture
) -> None:
    world.start()
    assert world.job(other) is None
    caplog.set_level("INFO")
    jobs.carry_out(slices.KIND, world.cloud, other)
    assert "A slice of a run: dropped a message of another turn." in caplog.text
    assert world.row == ROW


def test_a_delivery_whose_run_is_gone_is_left_alone(world: World) -> None:
    world.start()
    world.cloud.runs.delete(NAME, RUN.entity()["RowKey"])
    assert world.job() is None


@pytest.mark.parametrize("damaged", [ROW.entity()["RowKey"], RUN.entity()["RowKey"]])
def test_a_row_that_cannot_be_read_is_named_and_left_for_a_person(
    world: World, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.start()
    world.damage("runs", NAME, damaged, state="of tomorrow")
    assert world.job() is None
    assert damaged in caplog.text


def test_a_definition_that_cannot_be_read_ends_the_delivery(world: World) -> None:
    world.start(run=replace(RUN, definition="{}"))
    assert world.job() is None
    assert (world.row.step, world.row.state, world.row.code) == (Step.DONE, State.FAILED, "row_unreadable")
    assert "cannot be read" in world.row.message


def test_a_connection_that_is_gone_or_cannot_be_read_is_told(world: World) -> None:
    world.start()
    world.damage("connections", "definitions", "marketing", definition="{")
    job = world.found()
    assert job.connection is None
    assert "The row 'marketing' of the table 'connections' cannot be read" in job.trouble
    world.cloud.connections.delete("definitions", "marketing")
    job = world.found()
    assert (job.connection, job.trouble) == (None, "There is no connection 'marketing' any more.")


def test_a_silent_delivery_gets_its_message_again(world: World) -> None:
    world.start()
    assert world.wake(AT + timedelta(seconds=STALE)) == 0
    assert world.wake(AT + timedelta(seconds=STALE + 1)) == 1
    assert world.sent == [MESSAGE.body()]


def test_a_message_that_waits_for_an_account_is_not_sent_again(world: World) -> None:
    world.start()
    assert world.wake(AT + timedelta(days=1), frozenset({ticket(MESSAGE.body())})) == 0
    assert not world.sent


def test_every_silent_delivery_of_every_run_is_woken(world: World) -> None:
    world.start(ROW, replace(RUN, deliveries=3), replace(ROW, index=1), replace(ROW, index=2, heartbeat=AT.max))
    world.start(replace(ROW, export="other"), replace(RUN, export="other"))
    assert world.wake(AT + timedelta(days=1)) == 3
    assert {(each["export"], each["delivery"]) for each in world.sent} == {(NAME, 0), (NAME, 1), ("other", 0)}


def test_one_run_that_cannot_be_read_keeps_no_other_from_being_woken(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.start()
    world.start(replace(ROW, export="other"), replace(RUN, export="other"))
    world.damage("runs", NAME, ROW.entity()["RowKey"], state="of tomorrow")
    assert world.wake(AT + timedelta(days=1)) == 1
    assert [each["export"] for each in world.sent] == ["other"]
    assert f"The timer's work 'wake' failed for '{NAME}'" in caplog.text


@pytest.mark.parametrize(
    ("first", "second", "run"),
    [
        (State.SUCCEEDED, State.FAILED, State.FAILED),
        (State.SUCCEEDED, State.BLOCKED, State.BLOCKED),
        (State.SUCCEEDED, State.RUNNING, State.QUEUED),
        (State.BLOCKED, State.QUEUED, State.QUEUED),
    ],
)
def test_a_run_that_nobody_ended_is_ended_by_the_timer(world: World, first: State, second: State, run: State) -> None:
    """A worker died between the last delivery's end and the run's."""
    row = replace(ROW, state=first, step=Step.DONE)
    other = replace(ROW, index=1, state=second, step=Step.DONE if second is State.FAILED else Step.PLAN)
    world.start(row, replace(RUN, state=State.QUEUED, deliveries=2), other)
    assert world.wake(AT) == 0
    held = world.runs.run(NAME, RUN_ID)
    assert held
    assert held.value.state is run


def test_runs_that_are_under_way_are_those_of_marked_exports(world: World) -> None:
    world.start()
    assert [each.value for each in slices.active_runs(world.cloud)] == [RUN]
    world.runs.end_if_all_ended(NAME, RUN_ID)
    world.runs.finish(world.found().delivery, state=State.SUCCEEDED)
    assert not list(slices.active_runs(world.cloud))


@dataclass
class Lease:
    """Implements what a slice uses of AccountLease."""

    carried: dict[str, Any] = field(default_factory=dict)
    state: Callable[[], dict[str, Any]] = dict

    def check(self) -> None:
        return None

    hold = check

    def wait(self, seconds: float) -> None:
        raise AssertionError("nothing to wait for")


@dataclass
class Slice:
    """What a slice did, by its one step `deliver`, after which it waits."""

    does: Callable[[Work], float | None] = lambda work: 2.0
    lease: Lease = field(default_factory=Lease)
    work: Work | None = None
    measured: list[tuple[Metric, float, dict[str, Any]]] = field(default_factory=list)
    spans: list[tuple[Any, ...]] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def deliver(self, work: Work) -> float | None:
        self.work = work
        return self.does(work)

    def of(self, metric: Metric) -> list[float]:
        return [value for name, value, _ in self.measured if name is metric]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Slice:
    made = Slice()
    monkeypatch.setattr(slices, "send_step", SimpleNamespace(deliver=made.deliver, prepare=made.deliver))
    monkeypatch.setattr(slices, "commit_step", SimpleNamespace(commit=lambda work: work.finish(state=State.SUCCEEDED)))
    monkeypatch.setattr(Work, "require_owned", lambda work: None)
    monkeypatch.setattr(
        telemetry, "measure", lambda metric, value, **attributes: made.measured.append((metric, value, attributes))
    )
    span = telemetry.span

    def opened(name: Any, parent: str = "", **attributes: Any) -> Any:
        made.spans.append((str(name), parent, attributes))
        return span(name, parent, **attributes)

    monkeypatch.setattr(telemetry, "span", opened)
    real = connecting.open_leased

    def open_leased(*about: Any, share: float, export: Export, **more: Any) -> Any:
        assert export == EXPORT
        made.shares.append(share)
        return real(*about, share=share, export=export, **more)

    monkeypatch.setattr(slices, "open_leased", open_leased)
    return made


def carry_on(world: World, made: Slice, row: Delivery, run: Run = RUN, at: datetime = AT) -> Work:
    world.start(row, run)
    slices.KIND.carry_on(world.cloud, world.found(), cast("Any", made.lease), lambda: at)
    assert made.work is not None
    return made.work


GOING_ON = replace(
    ROW, step=Step.DELIVER, started_at=AT - timedelta(hours=1), requests=5, retries=3, throttled_seconds=1.5, done=40
)


def test_a_slice_works_with_what_earlier_ones_left(world: World, made: Slice) -> None:
    others = {"jobs": {"other/r/0": [2, time.time()], f"{NAME}/{RUN_ID}/0": [4, time.time()]}}
    made.lease.carried = dict(others)
    before = time.monotonic()
    work = carry_on(world, made, GOING_ON, at=AT + timedelta(minutes=1))
    assert (work.run, work.export, work.connection) == (RUN, EXPORT, CONNECTION)
    assert not work.first
    assert work.jobs_elsewhere == 2, "its own are not elsewhere"
    assert (work.requests_before, work.retries_before, work.throttled_before) == (5, 3, 1.5)
    assert before + 200 <= work.deadline <= time.monotonic() + 200
    assert work.clock() == AT + timedelta(minutes=1)
    assert work.opened.definition is definition("iterable")
    assert made.shares == [BATCH_SHARE]
    assert world.row.started_at == GOING_ON.started_at
    assert not Path(work.where).exists(), "its folder ends with it"
    assert world.sent == [SliceMessage(NAME, RUN_ID, 0, 8).body()]


def test_the_first_slice_knows_that_it_is(world: World, made: Slice) -> None:
    assert carry_on(world, made, replace(GOING_ON, started_at=None)).first


def test_a_dry_run_takes_its_share_of_the_rate(world: World, made: Slice) -> None:
    carry_on(world, made, GOING_ON, replace(RUN, kind=RunKind.DRY_RUN))
    assert made.shares == [INTERACTIVE_SHARE], "somebody waits for a dry run"


def test_the_account_is_left_with_the_windows_and_the_open_jobs(world: World, made: Slice) -> None:
    def opens(work: Work) -> float:
        work.open_jobs = 3
        return 1.0

    made.does = opens
    made.lease.carried = {"jobs": {"other/r/0": [2, time.time()]}}
    work = carry_on(world, made, GOING_ON)
    left = made.lease.state()
    assert left["windows"] == work.opened.link.limiter.state()
    assert open_jobs.elsewhere(left, "nobody") == 5
    assert open_jobs.elsewhere(left, f"{NAME}/{RUN_ID}/0") == 2


def test_a_slice_belongs_to_its_runs_trace_and_says_which_it_is(world: World, made: Slice) -> None:
    carry_on(world, made, GOING_ON)
    attributes = {"export": NAME, "run": RUN_ID, "delivery": 0, "turn": 7}
    assert made.spans == [("slice", RUN.trace, attributes), ("step", "", {"step": "deliver"})]
    made.spans.clear()
    world.runs.save(world.found(SliceMessage(NAME, RUN_ID, 0, 8)).delivery, step=Step.COMMIT)
    slices.KIND.carry_on(
        world.cloud, world.found(SliceMessage(NAME, RUN_ID, 0, 8)), cast("Any", made.lease), lambda: AT
    )
    assert made.spans[1] == ("step", "", {"step": "commit"})


def test_what_a_slice_did_is_measured(world: World, made: Slice) -> None:
    def sends(work: Work) -> float:
        counters = work.opened.link.counters
        counters.requests, counters.retries, counters.throttled_seconds = 12, 2, 0.5
        work.note(done=GOING_ON.done + 250)
        return 1.0

    made.does = sends
    carry_on(world, made, GOING_ON, at=AT + timedelta(seconds=8))
    assert made.measured == [
        (Metric.QUEUE_AGE, 8.0, {}),
        (Metric.ROWS, 250, {"vendor": "iterable"}),
        (Metric.REQUESTS, 12, {"vendor": "iterable"}),
        (Metric.RETRIES, 2, {"vendor": "iterable"}),
        (Metric.THROTTLED, 0.5, {"vendor": "iterable"}),
    ]


def test_what_a_slice_did_is_measured_also_where_it_fails(world: World, made: Slice) -> None:
    def loses(work: Work) -> float:
        work.opened.link.counters.requests = 12
        work.note(done=GOING_ON.done - 1)
        raise LeaseLost("gone")

    made.does = loses
    with pytest.raises(LeaseLost):
        carry_on(world, made, GOING_ON, at=AT - timedelta(seconds=8))
    assert made.of(Metric.REQUESTS) == [12]
    assert made.of(Metric.ROWS) == [0], "a window that is sent again is answered again"
    assert made.of(Metric.QUEUE_AGE) == [0.0], "by a clock that is behind"


def test_a_slice_that_another_carried_on_meanwhile_does_nothing(world: World, made: Slice) -> None:
    world.start(GOING_ON)
    job = world.found()
    world.runs.save(job.delivery, turn=8)
    slices.KIND.carry_on(world.cloud, job, cast("Any", made.lease), lambda: AT)
    assert made.work is None
    assert world.row.turn == 8


def test_without_a_connection_nothing_is_opened_and_the_delivery_ends(world: World, made: Slice) -> None:
    world.start(GOING_ON)
    world.cloud.connections.delete("definitions", "marketing")
    slices.KIND.carry_on(world.cloud, world.found(), cast("Any", made.lease), lambda: AT)
    assert made.work is None
    assert (world.row.step, world.row.state, world.row.code) == (Step.DONE, State.FAILED, "connection_missing")
    assert world.row.message == "There is no connection 'marketing' any more."
    assert json.loads(RUN.definition)["connection"] == "marketing"
