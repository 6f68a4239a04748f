"""People who were on a list before us: read once, before the first write, and never taken off where that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.catalog.models import Existing, Target
from shared.delivery.plan.protected_people import protected
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import Files
from shared.delivery.work import Work
from tests.unit.delivery.parts import database
from tests.unit.delivery.planning import ANN, BOB, World, planning

THEIRS = Target(segments=("People",), list_id="7", existing=Existing.PROTECT)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with planning(tmp_path) as made:
        made.remember()
        made.vendor.on_the_list = [ANN, "Bob@Example.com", ANN, 'O"Neil,jr@example.com', "ü@example.com"]
        yield made


def work(world: World, target: Target = THEIRS) -> Work:
    return world.work(targets=(target,))


def people(path: Path | None) -> set[str]:
    assert path is not None
    return {row[0] for row in database().execute(f"FROM read_parquet({literal(str(path))})").fetchall()}


def test_they_are_read_from_the_list_as_it_was(world: World) -> None:
    path = protected(work(world))
    assert path
    assert people(path) == {ANN, BOB, 'o"neil,jr@example.com', "ü@example.com"}
    assert database().execute(f"SELECT count(*) FROM read_parquet({literal(str(path))})").fetchone() == (4,)
    assert list(world.room.where.iterdir()) == [path], "nothing else is left on the worker's disk"
    assert world.vendor.asked == ["members 7"]


@pytest.mark.parametrize(
    "odd", ["a\tb@example.com", "a\nb@example.com", "a\0b@example.com", "a\ud800b@example.com", ""]
)
def test_one_odd_address_on_the_list_stops_nothing(world: World, odd: str) -> None:
    world.vendor.on_the_list = [ANN, odd, BOB]
    assert people(protected(work(world))) == {ANN, BOB}


def test_they_are_read_once_and_kept_for_later_runs(world: World) -> None:
    before = people(protected(work(world)))
    world.vendor.on_the_list = []
    assert people(protected(work(world))) == before
    assert world.vendor.asked == ["members 7"]


def test_a_list_that_was_empty_protects_nobody_later_either(world: World) -> None:
    world.vendor.on_the_list = []
    assert protected(work(world)) is None
    world.vendor.on_the_list = [ANN]
    assert protected(work(world)) is None
    assert world.vendor.asked == ["members 7"]


@pytest.mark.parametrize(
    "target",
    [
        Target(segments=("People",), list_id="7", existing=Existing.ADOPT),
        Target(segments=("People",), list_name="Ours"),
        Target(segments=("People",), list_name="Ours", existing=Existing.PROTECT),
    ],
)
def test_on_other_lists_nobody_is_read_or_protected(world: World, target: Target) -> None:
    assert protected(work(world, target)) is None
    assert not world.vendor.asked


def test_where_their_file_is_gone_nothing_is_planned(world: World) -> None:
    protected(work(world))
    again = work(world)
    world.cloud.blobs.delete(layout.protected(again.ledger_folder))
    again.files = Files(world.cloud.blobs)
    with pytest.raises(RuntimeError, match="the file of protected members is missing or damaged"):
        protected(again)
