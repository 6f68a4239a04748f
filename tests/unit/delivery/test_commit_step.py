"""The last step of a delivery: which ledger is swapped for which, what is remembered, and how the delivery ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.catalog.targets import Claim, Owned
from shared.delivery.commit import report, step
from shared.delivery.commit.new_ledger import LedgerPlace, Outcomes
from shared.delivery.plan import drift
from shared.delivery.plan.drift import Look
from shared.delivery.state import layout, ledger
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import Ledger, LedgerFile
from shared.delivery.state.plan import Balance, Plan
from shared.delivery.state.records import Delivery, Run, State
from shared.delivery.state.runs import Versioned
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.errors import Blocked, Conflict, LeaseLost
from shared.vendors.contract import BatchResult, Outcome, Receipt
from shared.wording import say
from tests.unit.delivery.parts import Blobs

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
LEDGER = "ledgers/acc/list/"
FOLDER = "runs/newsletter/r-2/000/"
SNAPSHOT = {"segment_id": "s-1", "key": "k-1", "taken_at": "2026-11-28", "name": "S", "files": [], "more": 1}
LOOK = Look("s-1", "S", 10, say("CSV"), columns=("EMail",))
PLAN = Plan(
    10,
    4,
    "",
    False,
    0,
    [SNAPSHOT],
    [10],
    Balance(rows_read=1, add=1),
    looks=drift.plain([LOOK]),
    folder=FOLDER,
)
NOBODY = replace(PLAN, balance=Balance(rows_read=1, unchanged=1))


def ledger_file(name: str) -> LedgerFile:
    return LedgerFile(0, 255, 3, DataFile(f"{LEDGER}{name}", "md5", 1, 3), 0)


@dataclass
class World:
    """A slice that is about to commit. `happened` is what it did, in order."""

    blobs: Blobs = field(default_factory=Blobs)
    memory: dict[str, Any] = field(default_factory=lambda: {"ledger": LEDGER})
    outcomes: Outcomes = field(default_factory=lambda: Outcomes({"add accepted": 1}, files=[ledger_file("new/0")]))
    """What folding the journal comes to."""
    happened: list[str] = field(default_factory=list)
    parts: list[tuple[int, Ledger | None, LedgerPlace, Folded]] = field(default_factory=list)
    finished: dict[str, Any] = field(default_factory=dict)
    owner: str = "newsletter"
    hold: Callable[[], None] = lambda: None
    reported: tuple[Any, ...] = ()
    begun: bool = True
    verify: list[Any] = field(default_factory=list)

    def put(self, made: Ledger) -> Ledger:
        self.blobs.contents.pop(f"{LEDGER}manifest.json", None)
        ledger.save(cast("Any", self.blobs), LEDGER, made, etag=None)
        for file in made.files:
            self.blobs.contents[file.file.name] = b"rows"
        for name in made.previous:
            self.blobs.contents[name] = b"rows"
        return self.ledger()

    def ledger(self) -> Ledger:
        return ledger.read(cast("Any", self.blobs), LEDGER)

    def work(
        self,
        made: Plan | None = PLAN,
        kind: RunKind = RunKind.DELIVERY,
        *,
        base: Ledger | None = None,
        first: bool = False,
        folded: Folded | None = None,
        **delivery: Any,
    ) -> Work:
        row = Delivery("newsletter", "r-2", 0, "list", "acc", turn=7, worker="w", **delivery)
        link = SimpleNamespace(counters=SimpleNamespace(requests=0, retries=0, throttled_seconds=0.0))
        run = Run("newsletter", "r-2", State.RUNNING, "person", "", 1, kind, AT)
        return Work(
            cloud=cast("Any", SimpleNamespace(blobs=self.blobs, settings=SimpleNamespace(event_days=0))),
            runs=cast("Any", SimpleNamespace(finish=self.finish)),
            targets=cast("Any", SimpleNamespace(owner=self.claim, remember=self.remember)),
            held=Versioned(row, "e"),
            first=first,
            run=run,
            export=cast("Any", SimpleNamespace(name="newsletter")),
            connection=cast("Any", None),
            lease=cast("Any", SimpleNamespace(hold=self._hold)),
            opened=cast("Any", SimpleNamespace(link=link, sent=link.counters)),
            scratch=cast("Any", SimpleNamespace(where=Path("where"), database=self._database, give_back=lambda: None)),
            files=cast("Any", None),
            deadline=time.monotonic() + 60,
            clock=lambda: AT,
            planned=(made, "print") if made else None,
            base=base,
            folded=folded,
        )

    def _hold(self) -> None:
        self.happened.append("hold")
        self.hold()

    @contextmanager
    def _database(self) -> Iterator[str]:
        yield "connection"

    def claim(self, account: str = "acc", key: str = "list") -> Claim:
        return Claim("acc", "list", self.owner, AT, dict(self.memory))

    def remember(self, account: str, key: str, export: str, facts: dict[str, Any], at: datetime, **_: Any) -> Claim:
        if export != self.owner:
            raise Owned(self.owner)
        self.happened.append("remember")
        self.memory |= facts
        return self.claim()

    def finish(self, held: Versioned[Delivery], **changes: Any) -> Versioned[Delivery]:
        self.happened.append("finish")
        self.finished = changes
        return held

    def commit_part(self, connection: Any, files: Any, outcomes: Outcomes, **given: Any) -> None:
        assert connection == "connection"
        self.happened.append("part")
        self.parts.append((given["part"], given["before"], given["place"], given["folded"]))
        if given["part"] == 0:
            outcomes.counts |= self.outcomes.counts
            outcomes.left_out |= self.outcomes.left_out
            outcomes.files += self.outcomes.files


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(step, "commit_part", made.commit_part)

    def begin(work: Work, counts: dict[str, int]) -> object:
        made.happened.append("begin")
        made.verify.append(counts)
        return "course" if made.begun else None

    def send(cloud: object, course: object, at: datetime) -> None:
        made.happened.append("send")
        made.verify.append((course, at))

    def write(*given: Any) -> None:
        made.happened.append("report")
        made.reported = given[1:]

    monkeypatch.setattr(step, "verification", SimpleNamespace(begin=begin, send=send))
    monkeypatch.setattr(report, "write", write)
    return made


BEFORE = Ledger("r-1-000", (ledger_file("old/0"), ledger_file("old/1")), (f"{LEDGER}older/0",), 4, ({"key": "k-0"},))


def test_a_delivery_swaps_the_ledger_and_ends(world: World) -> None:
    world.put(BEFORE)
    world.outcomes.files.append(BEFORE.files[1])
    world.blobs.contents |= {f"{LEDGER}stray/0": b"", f"{LEDGER}protected.parquet": b"", f"{LEDGER}new/0": b""}
    step.commit(world.work(replace(PLAN, base="r-1-000", base_generation=4)))
    after = world.ledger()
    assert (after.commit, after.generation) == ("r-2-000", 5)
    assert after.files == (ledger_file("new/0"), BEFORE.files[1])
    assert after.previous == (f"{LEDGER}old/0",)
    assert after.snapshots == ({"key": "k-1", "taken_at": "2026-11-28"},)
    kept = {"manifest.json", "protected.parquet", "old/0", "old/1", "new/0"}
    assert set(world.blobs.contents) == {f"{LEDGER}{name}" for name in kept}
    assert world.happened == [*["part"] * 4, "hold", "remember", "report", "begin", "finish", "send"]
    assert world.memory == {
        "ledger": LEDGER,
        "committed": "r-2-000",
        "generation": 5,
        "open": None,
        "delivered": {"s-1": "k-1"},
        "delivered_by": "newsletter",
        "looks": {"s-1": LOOK.remembered(columns=True)},
    }
    counts = replace(PLAN).balance.counts() | {"add accepted": 1}
    assert world.finished == world.finished | {
        "state": State.SUCCEEDED,
        "finished_at": AT,
        "counts": counts,
        "message": "",
        "left_out": {},
    }
    assert world.reported[2] is State.SUCCEEDED
    assert world.verify == [{"add accepted": 1}, ("course", AT)]


def test_each_part_is_committed_beside_the_ledger_that_was_planned_from(world: World) -> None:
    before = world.put(BEFORE)
    step.commit(world.work(replace(PLAN, base="r-1-000", base_generation=4)))
    assert [part for part, *_ in world.parts] == [0, 1, 2, 3]
    for _, found, place, folded in world.parts:
        assert found == before
        assert place == LedgerPlace(LEDGER, FOLDER, "r-2-000", "r-2-000-000007-w", Path("where"), learns=True)
        assert folded == Folded()


def test_what_the_slice_knows_is_not_read_again(world: World) -> None:
    before, folded = world.put(BEFORE), Folded({0: BatchResult(Receipt(Outcome.ACCEPTED))})
    stray = f"{LEDGER}stray/0"
    world.blobs.contents[stray] = b""
    world.blobs.read = lambda name: pytest.fail("it is known")  # type: ignore[method-assign]
    work = world.work(replace(PLAN, base="r-1-000"), base=before, folded=folded, first=True)
    step.commit(work)
    assert world.parts[0][1] is before
    assert world.parts[0][3] is folded
    assert stray in world.blobs.contents, "nothing was listed"
    assert f"{LEDGER}older/0" not in world.blobs.contents


def test_a_ledger_that_is_swapped_already_is_only_counted(world: World) -> None:
    world.put(replace(BEFORE, commit="r-2-000", generation=9))
    manifest = dict(world.blobs.contents)
    step.commit(world.work(replace(PLAN, base="r-1-000", base_generation=8)))
    assert [before for _, before, _, _ in world.parts] == [None] * 4
    assert world.blobs.contents == manifest
    assert (world.memory["committed"], world.memory["generation"]) == ("r-2-000", 9)
    assert world.finished["state"] is State.SUCCEEDED


def test_another_ledger_than_the_one_planned_from_is_not_swapped(world: World) -> None:
    world.put(BEFORE)
    with pytest.raises(Blocked) as raised:
        step.commit(world.work(replace(PLAN, base="r-0-000", base_generation=3)))
    assert raised.value.code == "ledger_damaged"
    assert world.ledger().commit == "r-1-000"


def test_generations_are_counted_on_from_what_is_remembered(world: World) -> None:
    world.memory |= {"committed": "r-1-000", "generation": 20}
    world.put(BEFORE)
    step.commit(world.work(replace(PLAN, base="r-1-000", base_generation=4)))
    assert world.ledger().generation == 21


def test_a_run_that_began_with_no_ledger_writes_over_what_is_there(world: World) -> None:
    world.put(BEFORE)
    step.commit(world.work(replace(PLAN, fresh=True), RunKind.REBUILD, base=BEFORE, first=True))
    after = world.ledger()
    assert (after.commit, after.generation, after.previous) == ("r-2-000", 1, ())
    assert world.parts[0][1] == Ledger(etag=world.parts[0][1].etag if world.parts[0][1] else None)
    assert f"{LEDGER}old/0" not in world.blobs.contents


def test_its_own_commit_is_known_again(world: World) -> None:
    world.put(replace(BEFORE, commit="r-2-000"))
    step.commit(world.work(replace(PLAN, fresh=True), RunKind.REBUILD))
    assert world.parts[0][1] is None


def test_without_snapshots_the_ledger_keeps_those_that_it_has(world: World) -> None:
    world.put(BEFORE)
    made = replace(PLAN, base="r-1-000", base_generation=4, snapshots=[], looks=[])
    step.commit(world.work(made, RunKind.WITHDRAW))
    assert world.ledger().snapshots == BEFORE.snapshots
    assert not {"delivered", "delivered_by", "looks"} & world.memory.keys()


def test_a_worker_that_lost_the_account_swaps_nothing(world: World) -> None:
    before = world.put(BEFORE)

    def lost() -> None:
        raise LeaseLost("gone")

    world.hold = lost
    with pytest.raises(LeaseLost):
        step.commit(world.work(replace(PLAN, base="r-1-000", base_generation=4)))
    assert world.ledger() == before
    assert not world.finished


def test_a_worker_that_was_overtaken_drops_no_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(BEFORE)
    there = dict(world.blobs.contents)

    def save(*_: Any, **__: Any) -> None:
        raise Conflict("it changed")

    monkeypatch.setattr(ledger, "save", save)
    with pytest.raises(LeaseLost, match=r"the ledger was committed by another worker$"):
        step.commit(world.work(replace(PLAN, base="r-1-000", base_generation=4)))
    assert {name: rows for name, rows in world.blobs.contents.items() if name.startswith(LEDGER)} == there


def test_with_nothing_to_do_nothing_is_committed_but_the_snapshot_is_remembered(world: World) -> None:
    world.begun = False
    step.commit(world.work(replace(NOBODY, mentions=["Rows come in another order.", "A column is new."])))
    assert not world.parts
    assert world.happened == ["remember", "report", "begin", "finish"]
    assert world.memory.keys() == {"ledger", "delivered", "delivered_by", "looks"}
    assert world.finished["state"] is State.NOTHING
    assert world.finished["message"] == "Rows come in another order. A column is new."


@pytest.mark.parametrize("kind", RunKind)
def test_after_these_kinds_of_runs_the_target_has_the_snapshot(world: World, kind: RunKind) -> None:
    step.commit(world.work(NOBODY, kind))
    complete = kind in ("delivery", "full_resync", "rebuild")
    assert ("delivered" in world.memory) is complete
    assert ("remember" in world.happened) is complete


def test_a_delivery_that_did_not_end_well_says_why_and_delivered_no_snapshot(world: World) -> None:
    made = replace(PLAN, mentions=["A column is new."])
    step.commit(world.work(made, ending="cancelled", message="Somebody cancelled the run."))
    assert world.finished["state"] is State.CANCELLED
    assert world.finished["message"] == "Somebody cancelled the run."
    assert world.memory["committed"] == "r-2-000"
    assert "delivered" not in world.memory


def test_what_was_said_while_it_waited_is_not_said_at_its_end(world: World) -> None:
    step.commit(world.work(NOBODY, message="Waiting: the vendor is busy."))
    assert world.finished["message"] == ""


def test_a_delivery_without_a_plan_ends_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "read", lambda blobs, folder: None)
    step.commit(world.work(None))
    assert world.finished["state"] is State.NOTHING
    assert (world.finished["counts"], world.finished["message"]) == ({}, "")
    assert world.happened == ["report", "begin", "finish", "send"]


def test_a_dry_run_without_a_plan_says_that_nothing_was_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "read", lambda blobs, folder: None)
    step.commit(world.work(None, RunKind.DRY_RUN))
    assert world.finished["state"] is State.SUCCEEDED
    assert world.finished["message"] == "Dry run: nothing was sent."


def test_a_dry_run_commits_nothing_and_says_what_would_stop_a_run(world: World) -> None:
    step.commit(world.work(PLAN, RunKind.DRY_RUN))
    assert (world.finished["state"], world.finished["message"]) == (State.SUCCEEDED, "Dry run: nothing was sent.")
    stopped = replace(PLAN, findings=[{"message": "too many leave"}], mentions=["A column is new."])
    step.commit(world.work(stopped, RunKind.DRY_RUN))
    assert world.finished["state"] is State.WARNINGS
    assert world.finished["message"] == (
        "Dry run: nothing was sent. A run would be blocked before its first write: too many leave."
    )
    step.commit(world.work(PLAN, RunKind.DRY_RUN, ending="failed", message="No vendor."))
    assert (world.finished["state"], world.finished["message"]) == (State.FAILED, "No vendor.")
    assert not world.parts
    assert "remember" not in world.happened


@pytest.mark.parametrize(
    ("counts", "balance", "left_out", "warnings", "state"),
    [
        ({"add accepted": 3}, Balance(add=3), {}, [], State.SUCCEEDED),
        ({"add accepted": 3, "add rejected": 0}, Balance(add=3), {}, [], State.SUCCEEDED),
        ({"add accepted": 2, "add rejected": 1}, Balance(add=3), {}, [], State.WARNINGS),
        ({"remove unknown": 1}, Balance(remove=1), {}, [], State.WARNINGS),
        ({"add accepted": 1}, Balance(add=1, refused={"address_invalid": 1}), {}, [], State.WARNINGS),
        ({"add accepted": 1}, Balance(add=1, left_out={"city": 1}), {}, [], State.WARNINGS),
        ({"add accepted": 1}, Balance(add=1), {"city": 1}, [], State.WARNINGS),
        ({"add accepted": 1}, Balance(add=1), {}, ["Slow."], State.WARNINGS),
        ({}, Balance(refused={"address_invalid": 1}), {}, ["Slow."], State.NOTHING),
    ],
)
def test_how_a_delivery_ends(
    world: World, counts: dict[str, int], balance: Balance, left_out: dict[str, int], warnings: list[str], state: State
) -> None:
    world.outcomes = Outcomes(counts, left_out=left_out)
    step.commit(world.work(replace(PLAN, balance=balance), warnings=warnings))
    assert world.finished["state"] is state
    assert world.finished["left_out"] == {**balance.left_out, **left_out}


def test_jobs_that_the_vendor_goes_on_with_are_remembered(world: World) -> None:
    world.memory["left"] = [{"folder": "runs/newsletter/r-0/0/", "at": "2026-11-28"}]
    step.commit(world.work(folded=Folded(jobs={0: "job"})))
    assert [each["folder"] for each in world.memory["left"]] == ["runs/newsletter/r-0/0/", FOLDER]


def test_a_list_that_was_given_away_meanwhile_keeps_no_delivery_from_its_end(world: World) -> None:
    world.owner = "another"
    step.commit(world.work())
    assert world.finished["state"] is State.SUCCEEDED
    assert "committed" not in world.memory


OPEN = {"export": "other", "run": "r-1", "index": 2}
LEFTOVER = "runs/other/r-1/002/"


def test_nothing_is_made_good_where_nothing_is_open(world: World) -> None:
    for left in (None, {}, {"export": "newsletter", "run": "r-2", "index": 0}):
        world.memory["open"] = left
        step.commit_leftover(world.work())
    assert not world.happened


def test_an_earlier_delivery_is_committed_first(world: World) -> None:
    world.memory["open"] = OPEN
    made = replace(PLAN, parts=1, folder=LEFTOVER)
    plans.publish(cast("Any", world.blobs), LEFTOVER, made)
    step.commit_leftover(world.work(base=BEFORE, folded=Folded(sent={9})))
    [(_, before, place, folded)] = world.parts
    assert before == Ledger(), "its own, and not the one that this slice planned from"
    assert (place.delivery, place.commit, place.attempt) == (LEFTOVER, "r-1-002", "r-1-002-000007-w")
    assert folded == Folded(), "and its own journal"
    assert world.ledger().commit == "r-1-002"
    assert world.memory == {"ledger": LEDGER, "open": None, "committed": "r-1-002", "generation": 1}


def test_where_the_ledger_lies_is_remembered(world: World) -> None:
    folder = layout.ledger_folder("acc", "list")
    world.memory = {"open": OPEN}
    plans.publish(cast("Any", world.blobs), LEFTOVER, replace(PLAN, parts=1, folder=LEFTOVER))
    step.commit_leftover(world.work())
    assert world.memory["ledger"] == folder
    world.memory = {}
    step.commit(world.work(replace(PLAN, base="r-1-002", base_generation=1)))
    assert world.memory["ledger"] == folder


def test_jobs_of_an_earlier_delivery_are_remembered(world: World) -> None:
    world.memory["open"] = OPEN
    plans.publish(cast("Any", world.blobs), LEFTOVER, replace(PLAN, parts=1, folder=LEFTOVER))
    line = b'{"sent": [0, 0], "folder": "runs/other/r-1/002/"}\n{"staged": "job", "batch": 0}\n'
    world.blobs.contents[f"{LEFTOVER}journal/000001.jsonl"] = line
    step.commit_leftover(world.work())
    assert [each["folder"] for each in world.memory.get("left", [])] == [LEFTOVER]


@pytest.mark.parametrize("kind", [RunKind.DELIVERY, RunKind.RETRY, RunKind.WITHDRAW])
def test_an_earlier_delivery_without_its_plan_is_for_a_person(world: World, kind: RunKind) -> None:
    world.memory["open"] = OPEN
    with pytest.raises(Blocked) as raised:
        step.commit_leftover(world.work(kind=kind))
    assert raised.value.code == "plan_missing"
    assert world.memory["open"] == OPEN


@pytest.mark.parametrize("kind", [RunKind.FULL_RESYNC, RunKind.REBUILD])
def test_a_run_that_gets_by_without_a_ledger_goes_on(world: World, kind: RunKind) -> None:
    world.memory["open"] = OPEN
    step.commit_leftover(world.work(kind=kind))
    assert world.memory == {"ledger": LEDGER, "open": None}
