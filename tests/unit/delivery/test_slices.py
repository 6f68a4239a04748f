"""A slice by itself: which step follows, what an error with a name leads to, and how the next slice is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.catalog.targets import Owned
from shared.delivery import slices
from shared.delivery.messages import SliceMessage
from shared.delivery.slices import HeldDelivery
from shared.delivery.state.records import Delivery, Run, State, Step
from shared.delivery.state.runs import Versioned
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Cancelled, Work
from shared.errors import Blocked, Conflict, LeaseLost, RetryAfter, UserMustAct

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
ROW = Delivery("newsletter", "r-1", 2, "list", "acc", state=State.RUNNING, turn=7, heartbeat=AT, due_at=AT)
RUN = Run("newsletter", "r-1", State.RUNNING, "person", "", 3, RunKind.DELIVERY, AT)


def nothing() -> None:
    return None


@dataclass
class World:
    """Work on one delivery. `does` says what each step does; by itself each moves on to the next."""

    row: Delivery = ROW
    run: Run = RUN
    owned: Callable[[], None] = nothing
    held: Callable[[], None] = nothing
    usable: Callable[[], None] = nothing
    does: dict[str, Callable[[], float | None]] = field(default_factory=dict)
    happened: list[str] = field(default_factory=list)
    sent: list[tuple[dict[str, Any], float]] = field(default_factory=list)
    clock: Callable[[], datetime] = lambda: AT

    @property
    def work(self) -> Work:
        return cast("Work", self)

    @property
    def delivery(self) -> Delivery:
        return self.row

    @property
    def connection(self) -> Any:
        return SimpleNamespace(name="marketing", vendor="omnisend")

    def __post_init__(self) -> None:
        self.cloud = SimpleNamespace(slices=SimpleNamespace(send=self._send))
        self.runs = SimpleNamespace(end_if_all_ended=lambda *names: self.happened.append(f"end {names}"))
        self.lease = SimpleNamespace(check=lambda: self._note("check", self.held))

    def _note(self, what: str, act: Callable[[], None]) -> None:
        self.happened.append(what)
        act()

    def _send(self, body: dict[str, Any], delay: float = 0.0) -> None:
        assert body == slices.message_of(self.row).body(), "the row has the turn by then"
        self.happened.append("send")
        self.sent.append((body, delay))

    def save(self, **changes: Any) -> None:
        self.happened.append("save")
        self.row = replace(self.row, **changes)

    def require_owned(self) -> None:
        self._note("owned", self.owned)

    def step(self, name: str, following: Step) -> Callable[..., float | None]:
        def done(work: object) -> float | None:
            assert work is self
            self.happened.append(name)
            seconds = self.does[name]() if name in self.does else None
            if seconds is None and following is not Step.PLAN:
                self.row = replace(self.row, step=following)
            return seconds

        return done


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    plan = SimpleNamespace(
        require_same_account=made.step("same account", Step.PLAN), plan=made.step("plan", Step.PREPARE)
    )
    send = SimpleNamespace(prepare=made.step("prepare", Step.DELIVER), deliver=made.step("deliver", Step.COMMIT))
    commit = SimpleNamespace(commit=made.step("commit", Step.DONE), commit_leftover=made.step("leftover", Step.PLAN))
    monkeypatch.setattr(slices, "plan_step", plan)
    monkeypatch.setattr(slices, "send_step", send)
    monkeypatch.setattr(slices, "commit_step", commit)

    def usable(connection: Any, name: str) -> None:
        assert name == "marketing"
        made.usable()

    monkeypatch.setattr(slices, "usable", usable)
    return made


def fails(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_one_step_follows_another_to_the_end(world: World) -> None:
    slices._slice(world.work)
    assert world.happened == [
        *("check", "same account", "leftover", "plan", "check", "owned", "prepare"),
        *("check", "owned", "deliver", "commit"),
    ]
    assert world.row.step is Step.DONE
    assert not world.sent


def test_a_dry_run_leaves_alone_what_an_earlier_delivery_left(world: World) -> None:
    world.run = replace(RUN, kind=RunKind.DRY_RUN)

    def looked() -> float:
        world.save(step=Step.COMMIT)
        return 0.0

    world.does["plan"] = looked
    slices._steps(world.work)
    assert "leftover" not in world.happened
    assert world.row.step is Step.DONE


def test_a_slice_ends_where_it_has_to_wait_and_calls_the_next(world: World) -> None:
    world.row = replace(ROW, step=Step.DELIVER)
    world.does["deliver"] = lambda: 4.5
    slices._slice(world.work)
    assert (world.row.turn, world.row.due_at) == (8, AT + timedelta(seconds=4.5))
    assert world.sent == [(SliceMessage("newsletter", "r-1", 2, 8).body(), 4.5)]
    assert world.happened[-2:] == ["save", "send"], "whoever dies in between is found by the timer"


def test_a_delivery_that_is_over_or_blocked_goes_no_further(world: World) -> None:
    for row in (replace(ROW, step=Step.DONE), replace(ROW, state=State.BLOCKED)):
        world.row, world.happened[:] = row, []
        assert slices._steps(world.work) is None
        assert not world.happened


@pytest.mark.parametrize("where", ["held", "usable", "owned"])
def test_who_may_not_go_on_sends_nothing(world: World, where: str) -> None:
    world.row = replace(ROW, step=Step.DELIVER)
    setattr(world, where, fails(UserMustAct("off", "It was disabled.")))
    slices._slice(world.work)
    assert "deliver" not in world.happened
    assert (world.row.ending, world.row.code, world.row.message) == ("failed", "off", "It was disabled.")
    assert world.happened[-1] == "commit", "what was done is committed"


def test_a_cancellation_before_the_slice_began_is_seen(world: World) -> None:
    world.run = replace(RUN, cancel_requested=True)
    slices._slice(world.work)
    assert world.happened == ["save", "commit"]
    ending = (world.row.ending, world.row.code, world.row.message)
    assert ending == ("cancelled", "cancelled", "The run was cancelled.")


def test_the_lease_that_is_lost_ends_the_slice_with_no_word(world: World) -> None:
    world.held = fails(LeaseLost("gone"))
    with pytest.raises(LeaseLost):
        slices._slice(world.work)
    assert world.row == ROW


def test_a_guard_blocks_the_delivery_and_maybe_its_run(world: World) -> None:
    world.does["plan"] = cast("Any", fails(Blocked("too_many", "Too many leave.")))
    slices._slice(world.work)
    assert (world.row.state, world.row.code, world.row.message) == (State.BLOCKED, "too_many", "Too many leave.")
    assert world.row.step is Step.PLAN
    assert world.happened[-1] == "end ('newsletter', 'r-1')"
    assert not world.sent


@pytest.mark.parametrize(
    ("export", "said"),
    [
        ("other", "The list belongs to the export 'other' now: give this export a list of its own."),
        (
            "",
            "What is known of the list is gone from storage, or the list was given up: save the export again.",
        ),
    ],
)
def test_a_list_that_was_given_away_fails_the_delivery(world: World, export: str, said: str) -> None:
    world.row = replace(ROW, step=Step.PREPARE)
    world.owned = fails(Owned(export))
    slices._slice(world.work)
    assert (world.row.ending, world.row.code, world.row.message) == ("failed", "target_owned", said)
    assert world.row.step is Step.DONE


@pytest.mark.parametrize(("asked", "waits"), [(0.0, 0.1), (0.1, 0.1), (30.0, 30.0), (3600.0, 3600.0), (9e9, 3600.0)])
def test_trouble_that_passes_is_waited_for(world: World, asked: float, waits: float) -> None:
    world.does["plan"] = cast("Any", fails(RetryAfter(asked, "The vendor is busy.")))
    slices._slice(world.work)
    assert [delay for _, delay in world.sent] == [waits]
    assert (world.row.stalled_since, world.row.message) == (AT, "Waiting: The vendor is busy.")
    assert world.row.step is Step.PLAN


@pytest.mark.parametrize(("hours", "patient"), [(23.9, True), (24.0, False), (48.0, False)])
def test_after_a_day_without_progress_the_delivery_fails(world: World, hours: float, patient: bool) -> None:
    since = AT - timedelta(hours=hours)
    world.row = replace(ROW, stalled_since=since)
    world.does["plan"] = cast("Any", fails(RetryAfter(30, "The vendor is busy.")))
    slices._slice(world.work)
    assert bool(world.sent) is patient
    assert world.row.stalled_since == since
    if not patient:
        assert (world.row.ending, world.row.code, world.row.step) == ("failed", "no_progress", Step.DONE)
        said = "No progress for 24 hours: The vendor is busy. Run the export again later."
        assert world.row.message == said


@pytest.mark.parametrize(
    ("row", "message", "current"),
    [
        (ROW, SliceMessage("newsletter", "r-1", 2, 7), True),
        (ROW, SliceMessage("newsletter", "r-1", 2, 6), False),
        (replace(ROW, step=Step.DONE), SliceMessage("newsletter", "r-1", 2, 7), False),
        (replace(ROW, state=State.BLOCKED), SliceMessage("newsletter", "r-1", 2, 7), False),
    ],
)
def test_only_the_turns_own_message_goes_on(row: Delivery, message: SliceMessage, current: bool) -> None:
    assert slices._is_current(row, message) is current


LATE = AT + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("row", "at", "silent"),
    [
        (ROW, LATE, False),
        (ROW, LATE + timedelta(seconds=1), True),
        (replace(ROW, due_at=LATE), LATE + timedelta(seconds=1), False),
        (replace(ROW, heartbeat=LATE), LATE + timedelta(seconds=1), False),
        (replace(ROW, step=Step.DONE), LATE + timedelta(days=1), False),
        (replace(ROW, state=State.BLOCKED), LATE + timedelta(days=1), False),
    ],
)
def test_a_delivery_is_silent_after_its_limit(row: Delivery, at: datetime, silent: bool) -> None:
    assert slices._is_silent(row, at, timedelta(seconds=60)) is silent


class Runs:
    """Implements what is used of shared.delivery.state.runs.Runs, for one delivery."""

    def __init__(self, *conflicts: Delivery | None) -> None:
        self.conflicts = list(conflicts)
        self.wrote: list[dict[str, Any]] = []

    def begin(self, run: object, held: Versioned[Delivery], **changes: Any) -> Versioned[Delivery]:
        self.wrote.append(changes)
        if self.conflicts:
            raise Conflict("it changed")
        return Versioned(replace(held.value, **changes), "new")

    def delivery(self, export: str, run: str, index: int) -> Versioned[Delivery] | None:
        assert (export, run, index) == ("newsletter", "r-1", 2)
        found = self.conflicts.pop(0)
        return Versioned(found, "again") if found else None

    def finish(self, held: Versioned[Delivery], **changes: Any) -> None:
        if self.conflicts:
            raise Conflict("it changed")
        self.wrote.append(changes)

    def save(self, held: Versioned[Delivery], **changes: Any) -> Versioned[Delivery]:
        self.wrote.append(changes)
        return Versioned(replace(held.value, **changes), "new")


def begun(runs: Runs, row: Delivery = ROW) -> Versioned[Delivery] | None:
    return slices._begin(cast("Any", runs), Versioned(row, "e"), Versioned(RUN, "e"), lambda: LATE)


def test_a_slice_begins_by_writing_who_works_and_since_when() -> None:
    made = begun(Runs(), replace(ROW, state=State.QUEUED))
    assert made
    assert (made.value.state, made.value.heartbeat, made.value.started_at) == (State.RUNNING, LATE, LATE)
    assert len(made.value.worker) == 8
    again = begun(Runs(), replace(ROW, started_at=AT))
    assert again
    assert again.value.started_at == AT


def test_a_worker_that_died_with_the_same_turn_is_overtaken() -> None:
    made = begun(Runs(ROW, replace(ROW, worker="died", started_at=AT)))
    assert made
    assert made.value.started_at == AT


@pytest.mark.parametrize("other", [None, replace(ROW, turn=8), replace(ROW, step=Step.DONE)])
def test_where_another_went_on_meanwhile_the_slice_is_over(other: Delivery | None) -> None:
    assert begun(Runs(other)) is None


def test_two_who_begin_again_and_again_do_not_go_on_for_ever() -> None:
    runs = Runs(*[ROW] * 9)
    with pytest.raises(LeaseLost, match=r"^another worker goes on with this delivery$"):
        begun(runs)
    assert len(runs.wrote) == 3


def test_a_delivery_without_a_connection_ends() -> None:
    runs = Runs()
    slices._fail_without_vendor(cast("Any", runs), Versioned(ROW, "e"), "It is gone.", lambda: LATE)
    [wrote] = runs.wrote
    assert wrote == {"state": State.FAILED, "code": "connection_missing", "message": "It is gone.", "finished_at": LATE}
    slices._fail_without_vendor(cast("Any", Runs(ROW)), Versioned(ROW, "e"), "It is gone.", lambda: LATE)


def failing(row: Delivery, monkeypatch: pytest.MonkeyPatch) -> tuple[Runs, list[Any]]:
    runs, sent = Runs(), list[Any]()
    monkeypatch.setattr(slices, "Runs", lambda table: runs)
    cloud = SimpleNamespace(runs=None, slices=SimpleNamespace(send=sent.append))
    held = HeldDelivery(Versioned(row, "e"), Versioned(RUN, "e"), cast("Any", None), None)
    slices.KIND.fail(cast("Any", cloud), held, "It failed.", lambda: LATE)
    return runs, sent


def test_what_fails_again_and_again_is_committed_as_far_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, sent = failing(ROW, monkeypatch)
    [wrote] = runs.wrote
    assert wrote == {"step": Step.COMMIT, "ending": "failed", "code": "poisoned", "message": "It failed.", "turn": 8}
    assert sent == [SliceMessage("newsletter", "r-1", 2, 8).body()]


def test_where_the_commit_itself_fails_the_delivery_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, sent = failing(replace(ROW, ending="cancelled"), monkeypatch)
    assert (runs.wrote, sent) == ([{"state": State.CANCELLED, "finished_at": LATE}], [])


def test_a_run_that_is_cancelled_or_gone_stops_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = [Versioned(RUN, "e"), Versioned(replace(RUN, cancel_requested=True), "e"), None]
    monkeypatch.setattr(slices, "Runs", lambda table: SimpleNamespace(run=lambda export, run: found.pop(0)))
    cloud = cast("Any", SimpleNamespace(runs=None))
    held = HeldDelivery(Versioned(ROW, "e"), Versioned(RUN, "e"), cast("Any", None), None)
    account = slices.KIND.account(cloud, held)
    assert (account.id, account.quiet_seconds) == ("acc", 0.0)
    account.look()
    for _ in range(2):
        with pytest.raises(Cancelled):
            account.look()
    dry = replace(held, run=Versioned(replace(RUN, kind=RunKind.DRY_RUN), "e"))
    assert slices.KIND.account(cloud, dry).id == "acc.looking", "it takes nobody's turn"
    known = replace(held, connection=cast("Any", SimpleNamespace(vendor="omnisend")))
    assert slices.KIND.account(cloud, known).quiet_seconds > 60
