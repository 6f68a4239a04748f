"""Snapshots are read once into files by part: how many, who is in which, what is left, what happens in between."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from azure.core.exceptions import HttpResponseError

from shared.catalog.models import Target
from shared.cloud.blob_files import BlobFiles
from shared.delivery import segments
from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import operations
from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.operations import MOST_ROWS, Wish
from shared.delivery.plan.staging import Staged, stage
from shared.delivery.sql import literal
from shared.delivery.state import layout, once
from shared.delivery.state.files import DataFile
from shared.delivery.state.ledger import Ledger, LedgerFile
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.errors import ExportError
from shared.snapshots.snapshot import Snapshot
from shared.snapshots.unreadable import SnapshotChanged
from tests.memory.blobs import MemoryBlob
from tests.unit.delivery.parts import bucket, database
from tests.unit.delivery.planning import ANN, BOB, PEOPLE, World, everyone, planning

WISH = Wish("EMail", (Matched("city", "City"),), "mirror")


def divided(parts: int) -> Ledger:
    """A ledger whose files want so many parts."""
    rows = 0 if parts == 1 else parts * 500_000
    return Ledger(files=(LedgerFile(0, 256 // parts - 1, 0, DataFile("0.parquet", "", 0, rows), 0),))


ONE, FOUR, EIGHT = map(divided, (1, 4, 8))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with planning(tmp_path) as made:
        yield made


def rows(paths: Sequence[Path]) -> dict[str, int]:
    """The parts of all addresses in the files."""
    if not paths:
        return {}
    listed = ", ".join(literal(str(path)) for path in paths)
    return dict(database().execute(f"SELECT address, part FROM read_parquet([{listed}]) WHERE part >= 0").fetchall())


def read(world: World, staged: Staged) -> dict[int, dict[str, int]]:
    """Addresses by part, each of which is released before the next."""
    found = {}
    for part in range(staged.parts):
        found[part] = {who: where for who, where in rows(staged.fetch(part)).items() if where == part}
        staged.release(part)
    return found


def left(work: Work) -> set[str]:
    """What of a part is left on the worker's disk."""
    return {each.name for each in work.where.iterdir()} - {"respelled.parquet", "spellings.parquet"}


def test_a_small_segment_is_one_file(world: World) -> None:
    world.land((ANN, "Ulm"), ("nobody", "Ulm"))
    work = world.work()
    staged = stage(work, WISH, ONE)
    assert (staged.parts, len(staged.fetch(0)), staged.spellings) == (1, 1, ())
    assert read(world, staged) == {0: {ANN: 0, "nobody": 0}}
    assert not left(work)
    assert [each.name for each in staged.snapshots] == ["People"]
    assert list(staged.types) == [{}]


def large(world: World) -> tuple[dict[int, set[str]], list[str]]:
    """A segment of four parts, one of whose people is written with letters in the domain."""
    people = [*PEOPLE, "odd@xn--mller-kva.de"]
    world.land_files(everyone(*PEOPLE[:60]), [*everyone(*PEOPLE[60:]), ("odd@müller.de", "Ulm")])
    parts: dict[int, set[str]] = {part: set() for part in range(4)}
    for each in people:
        parts[bucket(each) // 64].add(each)
    return parts, people


def test_a_large_segment_lies_in_storage_by_part_and_is_fetched_part_by_part(world: World) -> None:
    parts, _ = large(world)
    work = world.work()
    staged = stage(work, WISH, FOUR)
    assert staged.parts == 4
    names = [each for each in world.cloud.blobs.names(layout.attempts(work.folder)) if each.endswith(".parquet")]
    assert {name.rsplit("/", 2)[-2] for name in names} == {"part=-1", "part=0", "part=1", "part=2", "part=3"}
    assert {part: set(found) for part, found in read(world, staged).items()} == parts
    assert not left(work), "no part's files stay on the disk, nor do those that were to be spelled"
    spelled = database().execute(f"FROM read_parquet({literal(str(staged.spellings[0]))})").fetchall()
    assert spelled == [("odd@müller.de",)]
    for part in range(4):
        staged.drop(part)
    left_there = [each for each in world.cloud.blobs.names(layout.attempts(work.folder)) if each.endswith(".parquet")]
    assert {name.rsplit("/", 2)[-2] for name in left_there} == {"part=-1"}, "nor in storage, once a part is planned"
    attempts.clear(work)
    assert not list(world.cloud.blobs.names(layout.attempts(work.folder)))


@pytest.mark.parametrize(("parts", "block"), [(4, 8 << 20), (32, 1 << 20), (256, 256 << 10)])
def test_what_waits_for_storage_is_the_same_for_few_parts_and_many(
    world: World, monkeypatch: pytest.MonkeyPatch, parts: int, block: int
) -> None:
    real, blocks = BlobFiles.writing, list[int]()

    def writing(files: BlobFiles, held: int) -> AbstractContextManager[list[str]]:
        blocks.append(held)
        return real(files, held)

    monkeypatch.setattr(BlobFiles, "writing", writing)
    world.land((ANN, "Ulm"))
    stage(world.work(), WISH, divided(parts))
    assert blocks == [block]


def test_a_part_without_rows_has_no_file(world: World) -> None:
    world.land((ANN, "Ulm"))
    staged = stage(world.work(), WISH, FOUR)
    found = read(world, staged)
    assert staged.spellings == ()
    assert [len(people) for people in found.values()].count(0) == 3
    assert found[bucket(ANN) // 64] == {ANN: bucket(ANN) // 64}


def test_a_large_segment_is_divided_though_its_ledger_is_not(world: World) -> None:
    world.cloud.settings = replace(world.cloud.settings, rows_per_file=10)
    world.land(*everyone(*PEOPLE))
    staged = stage(world.work(), WISH, ONE)
    size = sum(each.size for each in staged.snapshots)
    assert staged.parts == 2 ** math.ceil(math.log2(size / 150 / 5)) > 1
    assert sum(map(len, read(world, staged).values())) == len(PEOPLE)


def test_a_segments_files_are_read_side_by_side_in_four_runs_each_in_order(world: World) -> None:
    world.land_files(*([(each, "Ulm")] for each in PEOPLE[:8]))
    world.land((BOB, "Ulm"), segment="Others")
    work = world.work(targets=(Target(segments=("People", "Others")),))
    staged = stage(work, WISH, ONE)
    [path] = staged.fetch(0)
    query = f"SELECT n, segment, file_index FROM read_parquet({literal(str(path))}) ORDER BY n"
    places = database().execute(query).fetchall()
    runs = Counter(n // MOST_ROWS for n, _, _ in places)
    assert sorted(runs.values(), reverse=True) == [2, 2, 2, 2, 1]
    assert [(segment, file) for _, segment, file in places] == [*((0, file) for file in range(8)), (1, 0)]
    assert [n % MOST_ROWS for n, _, _ in places] == [1, 2, 1, 2, 1, 2, 1, 2, 1]


def test_to_take_everybody_off_nothing_is_read(world: World) -> None:
    staged = stage(world.work(RunKind.WITHDRAW), WISH, EIGHT)
    assert (staged.snapshots, staged.parts, list(staged.fetch(3))) == ([], 8, [])
    staged.release(3)


def replaced(world: World, monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """The segment's file is replaced while it is read, so many times; how often it was looked for."""
    looked: list[str] = []
    real = segments.newest

    def newest(cloud: Any, reference: str) -> Snapshot:
        found = real(cloud, reference)
        looked.append(reference)
        if len(looked) <= times:
            world.land((ANN, f"Ulm {len(looked)}"))
        return found

    monkeypatch.setattr(segments, "newest", newest)
    world.land((ANN, "Ulm"))
    return looked


def test_a_segment_that_is_replaced_while_it_is_read_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = replaced(world, monkeypatch, 2)
    staged = stage(world.work(), WISH, ONE)
    assert read(world, staged) == {0: {ANN: 0}}
    assert len(looked) == 3


def test_a_segment_that_keeps_changing_is_left_for_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = replaced(world, monkeypatch, 99)
    with pytest.raises(SnapshotChanged):
        stage(world.work(), WISH, ONE)
    assert len(looked) == 3


def test_what_storage_says_while_parts_are_written_is_what_is_raised(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(world)

    def full(*about: object) -> None:
        raise HttpResponseError("the account is full")

    monkeypatch.setattr(MemoryBlob, "stage_block", full)
    with pytest.raises(HttpResponseError, match="the account is full"):
        stage(world.work(), WISH, FOUR)


def test_rows_that_cannot_be_written_are_no_empty_segment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    large(world)
    monkeypatch.setattr(operations, "staging_query", lambda *about: "SELECT error('odd') AS address, 1 AS part")
    with pytest.raises((ExportError, duckdb.Error)):
        stage(world.work(), WISH, FOUR)


def test_a_part_that_is_gone_from_storage_is_no_empty_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    large(world)
    staged = stage(world.work(), WISH, FOUR)
    monkeypatch.setattr(world.cloud.blobs, "fetch", lambda name, path: None)
    with pytest.raises(once.Unusable):
        staged.fetch(0)
