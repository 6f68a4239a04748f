"""Far too many rows are told of before they are read: by the footers of Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.catalog.models import Guards
from shared.catalog.rules import Limit, Rules
from shared.delivery.state.transitions import RunKind
from shared.errors import ExportError, UserMustAct
from tests.unit.delivery.parts import database
from tests.unit.delivery.planning import ANN, BOB, World, everyone, planning

FOLDER = "People/20261129T110000Z"
MARK = 4
"""Bytes of Parquet's mark, at the beginning of a file and behind its footer's length."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with planning(tmp_path) as made:
        yield made


def land_parquet(world: World, rows: int, *, files: int = 1, destroyed: bool = False) -> None:
    """A snapshot of so many rows in each file; where it is destroyed nothing but the footers can be read."""
    for number in range(files):
        path = world.to / "people.parquet"
        people = f"SELECT 'p' || range || '-{number}@example.com' AS \"EMail\", 'Ulm' AS \"City\" FROM range({rows})"
        database().execute(f"COPY ({people}) TO '{path}' (FORMAT parquet)")
        content = path.read_bytes()
        if destroyed:
            footer = int.from_bytes(content[-2 * MARK : -MARK], "little") + 2 * MARK
            content = content[:MARK] + bytes(len(content) - footer - MARK) + content[-footer:]
        world.put(f"{FOLDER}/part-{number}.parquet", content)
    world.put(f"{FOLDER}/_SUCCESS", b"")


def test_far_too_many_rows_are_told_of_by_the_footers_alone(world: World) -> None:
    land_parquet(world, 101, files=2, destroyed=True)
    with pytest.raises(UserMustAct) as error:
        world.plan(guards=Guards(max_profiles=100))
    assert error.value.code == "size"
    assert error.value.message == (
        "The segment has 202 rows or more, and the limit is 100 people: nothing was planned. Raise the export's limit "
        "of people if that many are meant, and run it again."
    )


def test_two_rows_for_each_person_may_be(world: World) -> None:
    land_parquet(world, 100, files=2)
    assert world.stopped(guards=Guards(max_profiles=100)) == [("size", "the segment has 200 people, limit 100")]


def test_a_limit_that_cannot_be_passed_by_so_few_bytes_is_not_looked_at(world: World) -> None:
    land_parquet(world, 101, destroyed=True)
    with pytest.raises(ExportError) as error:
        world.plan(guards=Guards(max_profiles=100_000))
    assert getattr(error.value, "code", "") != "size"


def test_where_a_rule_lets_only_so_many_come_the_rows_do_not_matter(world: World) -> None:
    land_parquet(world, 101, files=2)
    rules = Rules(limit=Limit(first=2, by="City"))
    made = world.made(guards=Guards(max_profiles=2, max_invalid_share=None), rules=rules)
    assert (made.balance.add, made.findings) == (2, [])


def test_taking_everybody_off_reads_no_segment(world: World) -> None:
    land_parquet(world, 101, destroyed=True)
    world.known(ANN, BOB)
    assert world.made(RunKind.WITHDRAW, guards=Guards(max_profiles=1)).balance.remove == 2


def test_csv_says_nothing_before_it_is_read(world: World) -> None:
    world.land(*everyone(*(f"p{number}@example.com" for number in range(9))))
    assert world.stopped(guards=Guards(max_profiles=1)) == [("size", "the segment has 9 people, limit 1")]
