"""A segment that was divided by a Spark job is planned part by part from its own files, and its plan is the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from shared.delivery.plan import operations, parted, staging, step
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger
from shared.delivery.state.plan import PlanFile
from shared.delivery.work import SliceOver, Work
from shared.errors import UserMustAct
from shared.snapshots.snapshot import DeltaFormat, ParquetFormat, Snapshot, SnapshotFile
from shared.snapshots.unreadable import SnapshotChanged
from shared.vendors.contract import Kind
from tests.unit.delivery import parts
from tests.unit.delivery.parts import database
from tests.unit.delivery.planning import AT, PEOPLE, World, planning

PARTS = 8
ROWS = [
    *((each, f"City {number % 7}") for number, each in enumerate(PEOPLE)),
    (PEOPLE[0].upper(), "Bonn"),
    (f" {PEOPLE[1]} ", "Bonn"),
    ("odd@müller.de", "Ulm"),
    ("nobody", "Ulm"),
    ("", "Ulm"),
]
DIVIDED = """
    CASE WHEN regexp_full_match(trim(address), '[!-~]*')
         THEN (('0x' || substring(md5(lower(trim(address))), 1, 2))::INTEGER // (256 // {parts}))
         ELSE -1 END
"""
"""What the notebook's job says, in DuckDB's words."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with planning(tmp_path, rows_per_file=20) as made:
        made.known(PEOPLE[3], "left@example.com", of=4)
        yield made


def land(world: World, *, parts: int = PARTS, part: str = DIVIDED, files: int = 2, codec: str = "zstd") -> None:
    """The rows as a Spark job divides them, each part in some files."""
    to = world.to / "divided"
    database().execute("CREATE OR REPLACE TEMP TABLE landed (address VARCHAR, city VARCHAR)")
    database().executemany("INSERT INTO landed VALUES (?, ?)", ROWS)
    for number in range(files):
        rows = f"""
            SELECT address AS "EMail", city AS "City", {part.format(parts=parts)} AS parted_v1_{parts}
            FROM (SELECT *, row_number() OVER () AS n FROM landed) WHERE n % {files} = {number}
        """
        database().execute(
            f"COPY ({rows}) TO {literal(str(to))} (FORMAT parquet, PARTITION_BY (parted_v1_{parts}), "
            f"COMPRESSION {codec}, OVERWRITE_OR_IGNORE, FILENAME_PATTERN 'file-{number}-')"
        )
    folder = f"People/{AT.replace(hour=11):%Y%m%dT%H%M%SZ}"
    for path in sorted(to.rglob("*.parquet")):
        world.put(f"{folder}/{path.relative_to(to).as_posix()}", path.read_bytes())
    world.put(f"{folder}/_SUCCESS", b"")


def told(world: World, work: Work) -> dict[str, Any]:
    assert work.planned
    made = work.planned[0]
    rows: dict[str, Any] = {}
    for kind, file in [*((str(each.kind), each.file) for each in made.files), *(("refused", f) for f in made.refused)]:
        path = world.to / "told.parquet"
        assert world.cloud.blobs.download(file.stored, path)
        columns = "address, problem" if kind == "refused" else 'address, bucket, hash, "values"'
        query = f"SELECT {columns} FROM read_parquet({literal(str(path))})"
        rows.setdefault(kind, []).extend(database().execute(query).fetchall())
    return {"balance": made.balance, "rows": {kind: sorted(each, key=str) for kind, each in rows.items()}}


def undivided(tmp_path: Path, **how: Any) -> dict[str, Any]:
    (tmp_path / "other").mkdir()
    with planning(tmp_path / "other", rows_per_file=5) as other:
        other.land(*ROWS)
        other.known(PEOPLE[3], "left@example.com", of=4)
        work = other.work(**how)
        step.plan(work)
        return told(other, work)


def staged(world: World) -> list[str]:
    """Rows that went through storage to be divided."""
    return [name for name in world.cloud.blobs.names(layout.attempts(world.work().folder)) if "/staged/" in name]


def test_its_plan_is_that_of_the_segment_undivided_and_no_row_goes_through_storage(
    world: World, tmp_path: Path
) -> None:
    land(world)
    for turn in range(PARTS + 1):
        work = world.work(first=turn == 0)
        work.deadline = -math.inf
        with suppress(SliceOver):
            step.plan(work)
        assert not staged(world)
    assert work.planned
    assert work.planned[0].parts == PARTS
    assert told(world, work) == undivided(tmp_path)


def test_people_are_known_by_their_ids_there_too(world: World, tmp_path: Path) -> None:
    """Seven of them, with many addresses each; which one is the first is told by the files, so it may be another."""
    land(world)
    work = world.work(id_column="City")
    step.plan(work)
    here, there = told(world, work), undivided(tmp_path, id_column="City")
    assert here["balance"] == there["balance"]
    assert here["balance"].kept_back["second_address"] > 0
    assert {kind: len(rows) for kind, rows in here["rows"].items()} == {
        kind: len(rows) for kind, rows in there["rows"].items()
    }


def test_rows_of_each_part_are_recognised_by_its_own_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    land(world)
    work = world.work()
    step.plan(work)
    assert work.planned
    first = work.planned[0]
    members = [{**row, "status": "member"} for file in first.files for row in sent(world, file)]
    before = ledger.read(world.cloud.blobs, work.ledger_folder)
    now = parts.ledger(cast("Any", world.cloud.blobs), world.to, *members, parts=PARTS)
    ledger.save(world.cloud.blobs, work.ledger_folder, now, etag=before.etag)
    for name in list(world.cloud.blobs.names(layout.plan_files(work.folder))):
        world.cloud.blobs.delete(name)
    recognised, real = dict[int, int](), operations.plan_part

    def look(*about: Any, staged: Any, part: int, **more: Any) -> None:
        files = ", ".join(literal(str(path)) for path in staged)
        query = f"SELECT count_if(recognised) FROM read_parquet([{files}], union_by_name = true)"
        [(recognised[part],)] = database().execute(query).fetchall()
        real(*about, staged=staged, part=part, **more)

    monkeypatch.setattr(operations, "plan_part", look)
    work = world.work()
    step.plan(work)
    assert work.planned
    balance = work.planned[0].balance
    assert (balance.operations, balance.unchanged) == (0, len(members))
    assert sum(recognised.values()) == len(PEOPLE), "not the second rows of two of them"
    assert all(recognised.values())


def sent(world: World, file: PlanFile) -> list[dict[str, Any]]:
    """What the ledger keeps of those to whom values are sent."""
    path = world.to / "told.parquet"
    assert world.cloud.blobs.download(file.file.stored, path)
    if file.kind is Kind.REMOVE:
        return []
    found = database().execute(f"SELECT address, hash, row FROM read_parquet({literal(str(path))})").fetchall()
    return [dict(zip(("address", "hash", "row"), each, strict=True)) for each in found]


@pytest.mark.parametrize("parts", [2, 64])
def test_it_may_have_other_parts_than_we_had_made(world: World, tmp_path: Path, parts: int) -> None:
    """But not far fewer than that: then it is divided anew."""
    land(world, parts=parts)
    work = world.work()
    step.plan(work)
    assert told(world, work) == undivided(tmp_path)


def test_rows_in_a_part_that_they_do_not_belong_to_stop_the_run(world: World) -> None:
    land(world, part="CASE WHEN address = 'nobody' THEN 3 ELSE 1 END")
    with pytest.raises(UserMustAct) as error:
        step.plan(world.work())
    assert error.value.code == "parted_otherwise"


def test_a_file_that_is_replaced_meanwhile_begins_the_plan_anew(world: World, tmp_path: Path) -> None:
    land(world)
    work = world.work()
    work.deadline = -math.inf
    with pytest.raises(SliceOver):
        step.plan(work)
    land(world, codec="gzip")
    work = world.work(first=False)
    step.plan(work)
    assert told(world, work) == undivided(tmp_path)


def test_a_file_that_is_replaced_while_its_part_is_planned_is_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(world)
    with monkeypatch.context() as patched, pytest.raises(SnapshotChanged):
        patched.setattr(staging, "_require_part", lambda *about: land(world, codec="gzip"))
        step.plan(world.work())
    work = world.work(first=False)
    work.held = replace(work.held, value=replace(work.delivery, worker="w2"))
    step.plan(work)
    assert told(world, work) == undivided(tmp_path)


def snapshot(*folders: str) -> Snapshot:
    files = tuple(SnapshotFile("c", f"s/{each}/f{number}", "e", 1) for number, each in enumerate(folders))
    names = tuple(dict.fromkeys(each.partition("=")[0] for each in folders))
    return Snapshot("s", "s", AT, "k", files, ParquetFormat(), ("a", *names), partitioned=names)


def of(parts: int, *values: object) -> Snapshot:
    return snapshot(*(f"parted_v1_{parts}={each}" for each in values))


DELTA = replace(
    of(4, 0, 1),
    format=DeltaFormat(1, ()),
    files=tuple(SnapshotFile("c", f"f{each}", "e", 1, values=(each,)) for each in ("1", "0", "-1")),
)


@pytest.mark.parametrize(
    ("snapshots", "parts"),
    [
        ([of(4, 0, 0, 1, -1)], 4),
        ([of(256, 0, 255)], 256),
        ([DELTA], 4),
        ([of(4, 0), of(4, 1)], 4),
        ([of(4, 0), of(8, 1)], None),
        ([of(4, 0), snapshot("country=SE")], None),
        ([of(1, 0)], None),
        ([of(6, 0)], None),
        ([of(512, 0)], None),
        ([of(4, 4)], None),
        ([of(4, "x")], None),
        ([of(4, "__HIVE_DEFAULT_PARTITION__")], None),
        ([of(4, 0, 1, 0)], None),
        ([snapshot("parted_v2_4=0")], None),
        ([of(256, 0)] * 8, None),
        ([], None),
    ],
)
def test_parts_are_told_by_the_names_of_folders_or_by_a_tables_log(snapshots: list[Snapshot], parts: int) -> None:
    assert parted.parts_of(snapshots) == parts


def test_files_of_a_part_are_a_stretch_of_each_snapshot() -> None:
    cut = parted.stretches([of(4, 0, 0, 2, -1), of(4, 2)])
    places = {part: [(each.number, each.segment, each.first, each.files) for each in own] for part, own in cut.items()}
    assert places == {0: [(0, 0, 0, 2)], 2: [(1, 0, 2, 1), (3, 1, 0, 1)], -1: [(2, 0, 3, 1)]}
