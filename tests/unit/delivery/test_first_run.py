"""When a person is asked before very many people join, and how long the vendor is asked about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from shared.catalog.models import FirstRun, Guards
from shared.delivery.plan import first_run, guards, small_start
from shared.delivery.plan.guards import Facts
from shared.delivery.state.plan import Balance
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.errors import UserMustAct
from shared.vendors.contract import TargetFound, TargetWanted
from shared.wording import say
from tests.unit.delivery.planning import PEOPLE, World, everyone, planning
from tests.unit.delivery.test_guards import QUIET


def facts(members: int, **balance: Any) -> Facts:
    return replace(QUIET, members_before=members, balance=Balance(**balance))


EDGES: dict[str, tuple[Facts, bool]] = {
    "the first thousand": (facts(0, add=1000), False),
    "one more": (facts(0, add=1001), True),
    "one more, who are there by a ledger that is lost": (replace(facts(0, add=1001), lost=True), False),
    "many beside few": (facts(1000, unchanged=1000, add=5000), False),
    "twice as many": (facts(1001, unchanged=1001, add=1001), False),
    "one more than twice as many": (facts(1001, unchanged=1001, add=1002), True),
    "many for as many": (facts(1001, unchanged=1, remove=1000, add=2001), False),
    "many beside leavers who stay": (facts(1001, unchanged=1, left=1000, add=1002), True),
    "everyone sent again": (facts(5000, add=5000), False),
    "everyone sent again, and more than as many": (facts(5000, add=10_001), True),
    "people whose refusal stands are on no list": (facts(1001, unchanged=1001, held=2000), False),
    "the rest of those who were agreed to": (replace(facts(1500, unchanged=1500, add=8500), agreed=5000), False),
    "more than twice those who were agreed to": (replace(facts(1500, unchanged=1500, add=8501), agreed=5000), True),
    "people whom a retry or a repair does not concern do not join": (facts(1001, outside=5000, add=1), False),
    "nobody joins whom it is not about": (facts(1001, outside=5000), False),
    "nobody came of those who were agreed to": (replace(facts(0, add=1001), agreed=5000), True),
}


@pytest.mark.parametrize(("given", "much"), EDGES.values(), ids=EDGES)
def test_the_edges_of_very_many(given: Facts, much: bool) -> None:
    assert given.grows_much is much


def test_who_is_still_to_come_is_no_deviation() -> None:
    given = facts(500, rows_read=10_000, unchanged=500, add=9500)
    assert [each.guard for each in guards.findings(given, Guards())] == ["deviation"]
    assert guards.findings(replace(given, agreed=10_000), Guards()) == []


def test_people_are_looked_up_in_groups_as_long_as_the_vendor_is_quick() -> None:
    people = [str(number) for number in range(10)]

    def sizes(*times: float) -> list[int]:
        clock = iter(times)
        return [len(group) for group in first_run._groups(people, lambda: next(clock))]

    assert sizes(0, 1, 2, 3, 4) == [1, 2, 4, 3]
    assert sizes(0, 10, 10.1) == [1, 2]
    assert sizes(0, 10.1) == [1]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(guards, "FEW", 2)
    monkeypatch.setattr(small_start, "PEOPLE", 2)
    with planning(tmp_path) as made:
        made.vendor = cast("Any", Knowing())
        yield made


class Knowing:
    """A vendor that knows everybody but p7, and starts one automation."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []

    def field_types(self) -> dict[str, Any]:
        return {}

    def fits(self, wanted: object, remembered: object, fields: Sequence[str]) -> dict[str, Any]:
        return {}

    def knows(self, wanted: TargetWanted, remembered: TargetFound | None, addresses: Sequence[str]) -> list[bool]:
        self.asked.append(addresses)
        return [each != "p7@example.com" for each in addresses]

    def starts(self, wanted: TargetWanted, remembered: TargetFound | None) -> Sequence[str]:
        return ["Welcome"]


def asked(world: World) -> list[Sequence[str]]:
    """Groups of people whom the vendor was asked about."""
    return cast("Knowing", world.vendor).asked


def test_the_numbers_are_in_the_plan_and_in_its_words(world: World) -> None:
    world.definition = replace(world.definition, minutes_per_million=100_000.0, calls_per_thousand=2_000.0)
    world.land(*everyone(*PEOPLE[:9]))
    made = world.made()
    words = (
        "would add 9 people to a list that has nobody of this export yet; 1 of 9 looked up are new to Iterable; for "
        "each of them starts at Iterable: Welcome; about 1 minute and 23 requests; what Iterable bills by stands in "
        "your contract with it"
    )
    assert made.findings == [{"guard": "first_run", "message": words}]
    numbers = {name: value for name, value in made.first_run.items() if name != "notes"}
    assert numbers == {
        "people": 9, "members": 0, "looked_up": 9, "new": 1, "starts": ["Welcome"], "minutes": 1, "requests": 23,
        "bills_by": "",
    }  # fmt: skip
    assert made.grows_to == 9
    assert [len(group) for group in asked(world)] == [1, 2, 4, 2]


def test_what_a_vendor_bills_by_is_said_where_its_contract_tells(world: World) -> None:
    world.definition = replace(
        world.definition, bills_by=say("the number of contacts"), minutes_per_million=0.0, calls_per_thousand=0.0
    )
    world.land(*everyone(*PEOPLE[:3]))
    [(_, words)] = world.stopped()
    assert words.endswith("how long it takes was not measured; Iterable bills by the number of contacts")


def test_where_requests_were_not_counted_the_time_is_said_alone(world: World) -> None:
    world.definition = replace(world.definition, minutes_per_million=1_000_000.0, calls_per_thousand=0.0)
    world.land(*everyone(*PEOPLE[:3]))
    [(_, words)] = world.stopped()
    assert "; about 3 minutes; " in words


def test_of_very_many_a_few_hundred_are_looked_up_and_the_same_each_time(world: World) -> None:
    world.land(*everyone(*(f"p{number}@example.com" for number in range(300))))
    assert world.made().first_run["looked_up"] == 200
    first = [each for group in asked(world) for each in group]
    assert len(set(first)) == 200
    world.plan()
    assert [each for group in asked(world) for each in group] == 2 * first


def test_nobody_is_asked_where_the_answer_is_given(world: World) -> None:
    world.land(*everyone(*PEOPLE[:3]))
    assert world.stopped(first_run=FirstRun.DELIVER) == []
    assert asked(world) == []
    assert world.made(first_run=FirstRun.DELIVER).grows_to == 3, "who is still to come is agreed to, too"


@pytest.mark.parametrize("kind", [RunKind.REBUILD, RunKind.FULL_RESYNC])
@pytest.mark.parametrize(("generation", "found"), [(0, ["first_run"]), (1, [])])
def test_a_list_that_was_delivered_to_is_made_anew_without_a_question(
    world: World, kind: RunKind, generation: int, found: list[str]
) -> None:
    world.land(*everyone(*PEOPLE[:3]))
    world.remember(committed="before" if generation else "", generation=generation)
    assert [guard for guard, _ in world.stopped(kind=kind)] == found


def test_a_retry_asks_nothing_where_the_segment_has_many_people_whom_it_is_not_about(world: World) -> None:
    world.known(*PEOPLE[:3])
    world.land(*everyone(*PEOPLE[:9]))
    made = world.made(RunKind.RETRY, guards=Guards(max_deviation_share=None))
    assert (made.balance.add, made.balance.outside) == (0, 9)
    assert (made.findings, made.first_run, made.grows_to) == ([], {}, 0)


def test_a_key_that_may_not_look_costs_a_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise UserMustAct("missing_scope", say("The key may not read flows."))

    monkeypatch.setattr(Knowing, "starts", forbidden)
    world.land(*everyone(*PEOPLE[:3]))
    [(_, words)] = world.stopped()
    assert "Iterable did not tell which automations start for them (The key may not read flows.)" in words


def test_a_few_go_first_of_every_part_and_the_plan_is_cut_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_start, "PEOPLE", 50)
    world.cloud.settings = replace(world.cloud.settings, rows_per_file=12)
    world.known_as({"address": "gone@example.com", "status": "removed"}, of=4)
    world.land(*everyone(*PEOPLE))
    blocked = world.plan()
    assert blocked.planned
    before = blocked.planned[0]
    assert (before.parts, blocked.delivery.state) == (4, State.BLOCKED)
    cut = world.plan(first=False, decision="start_small").planned
    assert cut
    made = cut[0]
    assert (made.balance.add, made.balance.later, made.balance.rows_read) == (50, len(PEOPLE) - 50, len(PEOPLE))
    assert sum(each.file.rows for each in made.files) == 50
    assert [each.part for each in made.files] == [0, 1]
    assert [each.first for each in made.files] == [0, before.files[0].file.rows]
    assert made.files[0] == before.files[0], "a file that fits is as it was"
    again = world.plan(first=False, decision="start_small").planned
    assert again == cut
    assert again[1] != blocked.planned[1]
