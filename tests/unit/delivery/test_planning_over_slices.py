"""A plan goes on over slices: what is staged or planned is recorded once, and nothing that happens changes the plan."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.catalog.models import Guards
from shared.catalog.rules import Exclude, Limit, Rules
from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import operations, pieces, staging, step
from shared.delivery.sql import literal
from shared.delivery.state import found, layout, ledger, once
from shared.delivery.state.found import Findings
from shared.delivery.state.ledger import Commit
from shared.delivery.state.plan import Plan
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import SliceOver, Work
from shared.errors import UserMustAct
from shared.vendors.contract import FieldType
from tests.unit.delivery.dying import Died, dying
from tests.unit.delivery.parts import database
from tests.unit.delivery.planning import ANN, AT, BOB, PEOPLE, World, everyone, planning

SMALL = 8
"""Rows of a file: the segment has eight parts, and two of its files are a piece."""
RULES = Rules(exclude=(Exclude(segment="Others"),), limit=Limit(first=50, by="City"))
ROWS = [(each, f"City {number % 7}") for number, each in enumerate(PEOPLE)]


@dataclass
class Slices:
    """Executions of one delivery's plan, each of a worker of its own."""

    world: World
    how: dict[str, Any] = field(default_factory=dict)
    done: int = 0
    staged: Counter[int] = field(default_factory=Counter)
    planned: Counter[int] = field(default_factory=Counter)

    def work(self, *, seconds: float = -math.inf) -> Work:
        """The next execution, whose time is over from its beginning."""
        self.done += 1
        work = self.world.work(**self.how, first=self.done == 1)
        work.deadline = seconds
        work.held = replace(work.held, value=replace(work.delivery, turn=self.done, worker=f"w{self.done}"))
        return work

    def once(self) -> Plan | None:
        """One slice; the plan, where it came to one."""
        work = self.work()
        with suppress(SliceOver):
            step.plan(work)
            assert work.planned
            return work.planned[0]
        return None

    def to_the_end(self) -> Plan:
        return next(made for _ in range(400) if (made := self.once()))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(pieces, "PIECE_FILES", 1)
    with planning(tmp_path, rows_per_file=SMALL) as made:
        yield made


@pytest.fixture
def slices(world: World, monkeypatch: pytest.MonkeyPatch) -> Slices:
    made = Slices(world)

    def counted(real: Callable[..., Any], of: Callable[..., int], to: Counter[int]) -> Callable[..., Any]:
        def call(*about: Any, **named: Any) -> Any:
            to[of(*about, **named)] += 1
            return real(*about, **named)

        return call

    of_piece = counted(staging._stage_piece, lambda work, wish, stored, number, piece: number, made.staged)
    of_part = counted(operations.plan_part, lambda *about, part, **named: part, made.planned)
    monkeypatch.setattr(staging, "_stage_piece", of_piece)
    monkeypatch.setattr(operations, "plan_part", of_part)
    return made


def land(world: World) -> None:
    """A segment of five files with rows of all sorts, and one that is excluded."""
    odd = [("nobody", "Ulm"), (PEOPLE[0].upper(), "Bonn"), ("odd@müller.de", "Ulm")]
    world.land_files(ROWS[:30], [*ROWS[30:60], *odd], ROWS[60:80], ROWS[80:100], ROWS[100:])
    world.land(*everyone(*PEOPLE[5:9]), segment="Others")
    world.known(PEOPLE[3], PEOPLE[7], "left@example.com", of=4)


def told(world: World, made: Plan) -> dict[str, Any]:
    """All that a plan says, without what its files are called."""
    rows: dict[str, Any] = {}
    for kind, file in [
        *((each.kind, each.file) for each in made.files),
        *(("refused", each) for each in made.refused),
        *(("kept back", each) for each in made.kept_back),
        *(("left out", each) for each in made.values_left_out),
    ]:
        path = world.to / "told.parquet"
        assert world.cloud.blobs.download(file.stored, path)
        read = database().execute(f"FROM read_parquet({literal(str(path))})")
        names = [column for column, *_ in read.description or ()]
        rows.setdefault(str(kind), []).extend(str(dict(zip(names, row, strict=True))) for row in read.fetchall())
    plain = json.loads(made.to_json())
    keys = [each["key"] for each in (*made.snapshots, *made.excluded)]
    told_of = ("balance", "looks", "snapshot_rows", "excluded_rows", "fields", "parts", "rules", "base", "findings")
    about = (keys, {name: plain[name] for name in told_of})
    starts = [list(each) for each in made.file_starts]
    return {"rows": {kind: sorted(each) for kind, each in rows.items()}, "about": about, "starts": starts}


def undisturbed(tmp_path: Path, **how: Any) -> dict[str, Any]:
    """The same plan, made in one slice."""
    (tmp_path / "other").mkdir()
    with planning(tmp_path / "other", rows_per_file=SMALL) as other:
        land(other)
        work = other.work(**how)
        step.plan(work)
        assert work.planned
        return told(other, work.planned[0])


@pytest.mark.parametrize("how", [{}, {"rules": RULES}, {"kind": RunKind.FULL_RESYNC}], ids=["plain", "rules", "all"])
def test_each_piece_and_part_is_done_once_and_the_plan_is_that_of_a_single_slice(
    slices: Slices, tmp_path: Path, how: dict[str, Any]
) -> None:
    land(slices.world)
    slices.how = how
    made = slices.to_the_end()
    assert slices.staged == Counter(range(3 + len(how.get("rules", Rules()).exclude)))
    assert slices.planned == Counter(range(made.parts))
    assert slices.done == len(slices.staged) + made.parts + 1
    assert made.file_starts == [(0, file, file * operations.MOST_ROWS + 1) for file in range(5)]
    assert told(slices.world, made) == undisturbed(tmp_path, **how)


def test_nothing_is_left_of_an_attempt_once_there_is_a_plan(slices: Slices) -> None:
    land(slices.world)
    slices.to_the_end()
    assert not list(slices.world.cloud.blobs.names(layout.attempts(slices.world.work().folder)))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("chunk", range(2))
def test_a_worker_may_die_at_any_write(
    slices: Slices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, after: bool
) -> None:
    """One execution after the other dies, each at another of its writes."""
    land(slices.world)
    slices.how = {"rules": RULES}
    deaths, made = 0, None
    while made is None:
        with monkeypatch.context() as patched:
            died = dying(patched, 1 + (deaths * 2 + chunk) % 4, after=after)
            with suppress(Died):
                made = slices.once()
        deaths += died()
        made = made or slices.once()
    done = sum(slices.staged.values()) + sum(slices.planned.values())
    assert deaths > 4
    assert done <= 4 + made.parts + deaths, "no more is done again than what a death cut off"
    assert told(slices.world, made) == undisturbed(tmp_path, rules=RULES)


def test_whoever_records_second_takes_what_the_first_recorded(
    slices: Slices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker sleeps in each of its writes of a record while another one does the same work."""
    land(slices.world)
    real, asleep = once.keep, list[str]()

    def keep(blobs: Any, name: str, record: Any) -> Any:
        if name not in asleep:
            asleep.append(name)
            slices.once()
        return real(blobs, name, record)

    monkeypatch.setattr(once, "keep", keep)
    made = None
    while made is None:
        with suppress(once.Unusable):  # the other one had done with a part's rows
            made = slices.once()
    assert len(asleep) == 3 + made.parts
    assert told(slices.world, made) == undisturbed(tmp_path)


CHANGES: dict[str, Callable[[Slices, pytest.MonkeyPatch], object]] = {
    "a field of the vendor": lambda slices, patched: slices.world.vendor.types.update({"city": FieldType.NUMBER}),
    "the ledger": lambda slices, patched: _another_ledger(slices.world),
    "the service": lambda slices, patched: patched.setattr(attempts, "code", lambda: "another"),
    "the record of the attempt": lambda slices, patched: slices.world.cloud.blobs.write(
        layout.attempt(slices.world.work().folder), b'{"name": "of another version"}'
    ),
    "a record": lambda slices, patched: _spoil(slices.world, "pieces/0000.json", b"{}"),
    "a file": lambda slices, patched: _spoil(slices.world, ".parquet", None),
    "everything that no manifest names": lambda slices, patched: _spoil(slices.world, "", None),
}


def _another_ledger(world: World) -> None:
    work = world.work()
    for name in list(world.cloud.blobs.names(work.ledger_folder)):
        world.cloud.blobs.delete(name)
    world.known(PEOPLE[3], PEOPLE[8], of=4)


def _spoil(world: World, what: str, content: bytes | None) -> None:
    blobs = world.cloud.blobs
    for name in [each for each in blobs.names(layout.attempts(world.work().folder)) if each.endswith(what)]:
        blobs.delete(name) if content is None else blobs.write(name, content)


@pytest.mark.parametrize("what", CHANGES)
def test_a_plan_begins_anew_where_what_it_is_made_from_changed(
    slices: Slices, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    land(slices.world)
    for _ in range(5):
        assert slices.once() is None
    CHANGES[what](slices, monkeypatch)
    made = None
    while made is None:
        with suppress(once.Unusable):
            made = slices.once()
    assert set(slices.staged.values()) == {2}, "every piece is staged again"
    fresh = Slices(slices.world)
    fresh.world.cloud.blobs.delete(layout.plan_manifest(slices.world.work().folder))
    again = fresh.work(seconds=math.inf)
    step.plan(again)
    assert again.planned
    assert told(slices.world, made) == told(slices.world, again.planned[0])


@pytest.mark.parametrize("file", ["catalog/holdout.py", "mailbox.py", "delivery/plan/persons.py", "snapshots/dates.py"])
def test_another_version_of_what_decides_about_a_row_is_another_service(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    before, real = attempts.code(), Path.read_bytes

    def changed(path: Path) -> bytes:
        return real(path) + (b"#" if path.as_posix().endswith(f"shared/{file}") else b"")

    monkeypatch.setattr(Path, "read_bytes", changed)
    assert attempts.code.__wrapped__() != before


def test_a_repair_begins_anew_where_its_list_was_checked_again(slices: Slices) -> None:
    land(slices.world)
    slices.how = {"kind": RunKind.REPAIR}
    _checked(slices.world, AT - timedelta(minutes=2))
    for _ in range(5):
        assert slices.once() is None
    _checked(slices.world, AT - timedelta(minutes=1))
    slices.to_the_end()
    assert set(slices.staged.values()) == {2}, "no part is mended by the older findings"


def _checked(world: World, at: datetime) -> None:
    before = ledger.read(world.cloud.blobs, world.work().ledger_folder)
    findings = Findings(Commit(before.commit, before.generation), at.timestamp())
    found.write(world.cloud.blobs, world.work().export.name, 0, findings)


def test_a_snapshot_that_lands_meanwhile_waits_for_the_next_run(slices: Slices, tmp_path: Path) -> None:
    land(slices.world)
    slices.once()
    slices.world.land((ANN, "Ulm"), at=AT - timedelta(minutes=30))
    assert told(slices.world, slices.to_the_end()) == undisturbed(tmp_path)


def test_a_snapshot_that_is_replaced_meanwhile_is_read_from_its_beginning(slices: Slices) -> None:
    land(slices.world)
    slices.once()
    slices.world.land_files(*([(each, "Ulm")] for each in (ANN, BOB, *PEOPLE[:3])))
    assert slices.to_the_end().balance.rows_read == 5


def test_far_too_many_rows_are_told_of_as_soon_as_they_were_read(slices: Slices) -> None:
    land(slices.world)
    slices.how = {"guards": Guards(max_profiles=20)}
    with pytest.raises(UserMustAct) as error:
        slices.to_the_end()
    assert error.value.code == "size"
    assert slices.staged == Counter([0])
    assert not slices.planned
