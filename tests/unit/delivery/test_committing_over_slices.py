"""A commit goes on over slices: a part's outcomes are recorded once, and whatever happens, the same is committed."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.delivery.commit import step
from shared.delivery.commit.new_ledger import commit_part
from shared.delivery.plan import division
from shared.delivery.plan import step as planning_step
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger, once
from shared.delivery.state.journal import Folded
from shared.delivery.state.records import State
from shared.delivery.work import Cancelled, SliceOver, Work
from shared.vendors.contract import BatchResult, Outcome, Receipt
from shared.wording import say
from tests.unit.delivery.dying import Died, dying
from tests.unit.delivery.parts import database
from tests.unit.delivery.planning import PEOPLE, World, everyone, planning

PARTS = 4
ACCEPTED = Receipt(Outcome.ACCEPTED, "", "")
WRONG = Receipt(Outcome.REJECTED, "wrong", say("Acme says no to %(what)s.", what="it"), left_out=())
CUT = Receipt(Outcome.ACCEPTED, "", "", left_out=("city",))
FOLDED = Folded({0: BatchResult(ACCEPTED, {3: WRONG, 50: WRONG, 70: CUT})}, sent={0, 1})
"""The first batch was answered, the second one sent."""
LEFT = [f"left{number}@example.com" for number in range(20)]


@dataclass
class Commits:
    """Executions of one delivery's commit, each of a worker of its own."""

    world: World
    done: int = 10
    committed: Counter[int] = field(default_factory=Counter)
    sent: list[object] = field(default_factory=list)

    def work(self, *, seconds: float = -math.inf) -> Work:
        self.done += 1
        work = self.world.work(first=False)
        work.deadline, work.folded = seconds, FOLDED
        work.held = replace(work.held, value=replace(work.delivery, turn=self.done, worker=f"w{self.done}"))
        return work

    def once(self, work: Work | None = None) -> bool:
        """One slice; whether it came to the end."""
        work = work or self.work()
        work.runs = SimpleNamespace(finish=self.finish)  # type: ignore[assignment]  # all that a commit asks of it
        with suppress(SliceOver):
            step.commit(work)
            return True
        return False

    def finish(self, held: Any, **changes: Any) -> Any:
        self.sent.append(changes)
        return held

    def told(self) -> dict[str, Any]:
        """What was committed: the ledger's rows but for when they changed, the report, the people in it."""
        work = self.world.work()
        current, rows = ledger.read(self.world.cloud.blobs, work.ledger_folder), []
        for each in current.files:
            path = self.world.to / "told.parquet"
            assert self.world.cloud.blobs.download(each.file.stored, path)
            query = f"SELECT * EXCLUDE (changed_at, removed_at) FROM read_parquet({literal(str(path))})"
            rows += database().execute(query).fetchall()
        report = json.loads(self._blob(layout.report(work.folder)))
        del report["seconds"]
        lines = {name: sorted(self._blob(name).splitlines()) for name in self._files(work)}
        [ended] = self.sent[-1:]
        return {
            "rows": sorted(rows),
            "report": report,
            "lines": lines,
            "ended": ended,
            "generation": current.generation,
        }

    def _files(self, work: Work) -> list[str]:
        return [layout.rejected(work.folder), layout.left_out(work.folder)]

    def _blob(self, name: str) -> bytes:
        found = self.world.cloud.blobs.read(name)
        assert found
        return found[0]


@contextmanager
def planned(to: Path, people: Sequence[str] = PEOPLE, left: Sequence[str] = LEFT) -> Iterator[Commits]:
    """A delivery that is planned: 130 people are in the segment, some of whom are members, and some members are not."""
    to.mkdir(exist_ok=True)
    with planning(to) as world, pytest.MonkeyPatch.context() as patched:
        patched.setattr(division, "division", lambda *segments_and_ledger: PARTS)
        world.land(*everyone(*people), ("nobody", "Ulm"))
        world.known(*people[:10], *left, of=PARTS)
        world.remember()
        work = world.work()
        planning_step.plan(work)
        assert work.planned
        assert work.planned[0].parts == PARTS
        yield Commits(world)


@pytest.fixture
def undisturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is committed by a single slice."""
    monkeypatch.setattr(step, "verification", SimpleNamespace(begin=lambda *about: None))
    with planned(tmp_path / "other") as other:
        assert other.once(other.work(seconds=math.inf))
        return other.told()


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, Any]) -> Iterator[Commits]:
    with planned(tmp_path) as made:

        def counted(*about: Any, part: int, **named: Any) -> None:
            made.committed[part] += 1
            commit_part(*about, part=part, **named)

        monkeypatch.setattr(step, "commit_part", counted)
        yield made


def left(commits: Commits) -> set[str]:
    """What a commit leaves of its own on the way."""
    folder = commits.world.work().folder
    return {*commits.world.cloud.blobs.names(layout.committing(folder))} | {
        *commits.world.cloud.blobs.names(layout.rejected_files(folder))
    }


def test_each_part_is_committed_once_and_the_end_is_that_of_a_single_slice(
    commits: Commits, undisturbed: dict[str, Any]
) -> None:
    slices = [commits.once() for _ in range(PARTS)]
    assert slices == [False, False, False, True]
    assert commits.committed == Counter(range(PARTS))
    assert commits.told() == undisturbed
    assert undisturbed["ended"]["state"] is State.WARNINGS
    assert not left(commits)


def test_no_slice_ends_behind_a_part_without_work_which_the_next_one_would_begin_with_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "verification", SimpleNamespace(begin=lambda *about: None))
    changed = next(each for each in PEOPLE if _part(each) == PARTS - 1)
    with planned(tmp_path, people=[changed], left=[]) as commits:
        assert commits.once()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_may_die_at_any_write(
    commits: Commits, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    deaths, ended = 0, False
    for at in range(12):
        with monkeypatch.context() as patched:
            died = dying(patched, 1 + at % 5, after=after)
            with suppress(Died):
                ended = commits.once()
        deaths += died()
    while not ended:
        ended = commits.once()
    assert deaths > 8
    assert commits.told() == undisturbed


def test_a_ledger_that_was_written_again_meanwhile_is_committed_to_from_the_beginning(commits: Commits) -> None:
    """As when a person is forgotten between two slices."""
    commits.once()
    commits.once()
    world = commits.world
    folder = world.work().ledger_folder
    current = ledger.read(world.cloud.blobs, folder)
    ledger.save(world.cloud.blobs, folder, replace(current, files=current.files[1:]), etag=current.etag)
    while not commits.once():
        pass
    assert commits.committed == Counter({0: 2, 1: 2, 2: 1, 3: 1})
    gone = {row[0] for row in commits.told()["rows"]}
    assert not gone & {each for each in LEFT if _part(each) == 0}


def _part(address: str) -> int:
    [[bucket]] = database().execute("SELECT (md5_number(?) & 255::UHUGEINT)::INTEGER", [address]).fetchall()
    return int(bucket) // (256 // PARTS)


def test_a_commit_that_fails_on_the_way_takes_nobody_by_their_id_from_before(commits: Commits) -> None:
    """Only a run that came to its end knows people by the ids of its segment."""
    commits.once()
    failed = commits.work(seconds=math.inf)
    failed.held = replace(failed.held, value=replace(failed.delivery, ending=str(State.FAILED)))
    assert commits.once(failed)
    assert commits.committed[0] == 2


@pytest.mark.parametrize("what", ["ledgers/", "rejected/"])
def test_a_file_that_is_gone_is_made_again(commits: Commits, undisturbed: dict[str, Any], what: str) -> None:
    commits.once()
    commits.once()
    world = commits.world
    kept = {each.file.name for each in ledger.read(world.cloud.blobs, world.work().ledger_folder).files}
    gone = [each for each in world.cloud.blobs.names("") if what in each and "-w11/" in each and each not in kept]
    assert gone
    for name in gone:
        world.cloud.blobs.delete(name)
    ended = False
    while not ended:
        with suppress(once.Unusable):
            ended = commits.once()
    assert commits.committed[0] == 2
    assert commits.told() == undisturbed


def test_a_record_that_cannot_be_read_is_made_again(commits: Commits, undisturbed: dict[str, Any]) -> None:
    commits.once()
    blobs = commits.world.cloud.blobs
    [name] = blobs.names(layout.committing(commits.world.work().folder))
    blobs.write(name, b"{}")
    with pytest.raises(once.Unusable):
        commits.once()
    while not commits.once():
        pass
    assert commits.told() == undisturbed


def test_whoever_cancels_meanwhile_does_not_end_the_commit(commits: Commits, undisturbed: dict[str, Any]) -> None:
    def check() -> None:
        raise Cancelled("The run was cancelled.")

    for _ in range(PARTS):
        work = commits.work()
        work.lease.check = check  # type: ignore[method-assign]  # the lease is a stand-in
        ended = commits.once(work)
    assert ended
    assert commits.told() == undisturbed
