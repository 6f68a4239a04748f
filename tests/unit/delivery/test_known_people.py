"""People who move are found once for all parts, and a plan that goes on over slices is the same plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.catalog.rules import Exclude, Limit, Rules
from shared.delivery.plan import operations, persons, pieces, step
from shared.delivery.sql import literal
from shared.delivery.state import layout, once
from shared.delivery.state.plan import Plan
from shared.delivery.work import SliceOver
from tests.unit.delivery.parts import LONG_AGO, database
from tests.unit.delivery.planning import AT, PEOPLE, World, planning
from tests.unit.delivery.test_persons import known
from tests.unit.delivery.test_planning_over_slices import Slices

SMALL = 5
"""Rows of a file: the segment has several parts."""
RULES = Rules(exclude=(Exclude(segment="Others"),), limit=Limit(first=100, by="City"))
HOW: dict[str, Any] = {"id_column": "Id", "rules": RULES}


@pytest.fixture(autouse=True)
def of_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_FILES", 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with planning(tmp_path, rows_per_file=SMALL) as made:
        land(made)
        yield made


def land(world: World) -> None:
    """Some of the people have new addresses, one has two, and one was known by one that is excluded."""
    rows = [f"{'moved' if number % 9 == 0 else ''}{who},City {number},c{number}" for number, who in enumerate(PEOPLE)]
    for number, start in enumerate(range(0, len(rows), 30)):
        content = "\n".join(
            ["EMail,City,Id", *rows[start : start + 30], f"second{number}@example.com,City 1,c{start + 1}"]
        )
        world.put(f"People/{AT - timedelta(hours=1):%Y%m%dT%H%M%SZ}/part-{number}.csv", f"{content}\n".encode())
    world.put(f"People/{AT - timedelta(hours=1):%Y%m%dT%H%M%SZ}/_SUCCESS", b"")
    world.land((PEOPLE[9], ""), segment="Others")
    before = [known(who, f"c{number}") for number, who in enumerate(PEOPLE[:60])]
    gone = known("earlier@example.com", "c108", "removed", removed_at=LONG_AGO)
    world.known_as(*before, gone, of=4)


def told(world: World, made: Plan) -> dict[str, Any]:
    """What a plan says of people, without names of files and numbers of rows."""
    found: dict[str, Any] = {"balance": made.balance, "findings": made.findings}
    files = [
        *((str(each.kind), each.file) for each in made.files),
        *(("kept back", file) for file in made.kept_back),
        *(("known before", file) for file in made.known_before.values()),
        *(("newly known", file) for file in made.newly_known.values()),
    ]
    for kind, file in files:
        path = world.to / "told.parquet"
        assert world.cloud.blobs.download(file.stored, path)
        rows = database().execute(f"FROM read_parquet({literal(str(path))})")
        names = [column for column, *_ in rows.description or ()]
        found.setdefault(kind, []).extend(
            str({**dict(zip(names, row, strict=True)), "n": None}) for row in rows.fetchall()
        )
    return {kind: sorted(each) if isinstance(each, list) else each for kind, each in found.items()}


def test_a_plan_over_slices_knows_the_same_people(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    real = operations.find_people

    def look(*about: Any, part: int, **more: Any) -> None:
        looked.append(part)
        real(*about, part=part, **more)

    with monkeypatch.context() as patch:
        patch.setattr(operations, "find_people", look)
        slices = Slices(world, HOW)
        made = slices.to_the_end()
    assert made.parts > 1
    assert slices.done > made.parts
    assert looked == [*range(made.parts)], "looked at once, and recorded"
    (tmp_path / "other").mkdir()
    with planning(tmp_path / "other", rows_per_file=SMALL) as other:
        land(other)
        at_once = other.made(**HOW)
        assert told(world, made) == told(other, at_once)
    balance = made.balance
    assert balance.moved > 0
    assert balance.kept_back["exclude/0"] == 1
    assert balance.kept_back[persons.SECOND_ADDRESS] == 5
    assert made.known_before
    assert list(world.cloud.blobs.names(layout.attempts(world.work().folder))) == []


def test_a_death_before_the_record_makes_the_next_slice_look_again(world: World) -> None:
    slices = Slices(world, HOW)
    work = slices.work(seconds=float("inf"))
    folder = work.folder

    def died(*about: Any, **more: Any) -> None:
        raise RuntimeError("died")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "plan_part", died)
        with pytest.raises(RuntimeError, match="died"):
            step.plan(work)
    [record] = [name for name in world.cloud.blobs.names(layout.attempts(folder)) if name.endswith("people.json")]
    world.cloud.blobs.delete(record)
    made = slices.to_the_end()
    assert made.balance.moved == made_at_once(world).moved


def test_a_record_whose_file_is_gone_begins_the_attempt_anew(world: World) -> None:
    slices = Slices(world, HOW)
    folder = slices.work().folder
    for _ in range(400):
        tables = [name for name in world.cloud.blobs.names(layout.attempts(folder)) if "/people/" in name]
        if tables:
            break
        with suppress(SliceOver):
            step.plan(slices.work())
    for name in tables:
        world.cloud.blobs.delete(name)
    with pytest.raises(once.Unusable):
        slices.once()
    made = slices.to_the_end()
    assert made.balance == replace(made_at_once(world), rows_read=made.balance.rows_read)


def made_at_once(world: World) -> Any:
    """The balance of the same plan in one go."""
    for name in list(world.cloud.blobs.names(layout.plan_files(world.work().folder))):
        world.cloud.blobs.delete(name)
    return world.made(**HOW).balance
