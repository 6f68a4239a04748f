"""Who moves, who has several addresses, and whose an address is: cases, and random histories against plain Python."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.catalog.holdout import Holdout
from shared.catalog.rules import Exclude, Limit, ReadAs, Require, Rules
from shared.delivery.plan.persons import MOST_EARLIER, SECOND_ADDRESS, IdFacts
from shared.delivery.state.transitions import RunKind
from tests.sampling import EVERY
from tests.unit.delivery.parts import LONG_AGO, bucket
from tests.unit.delivery.planned_parts import Planned, World

ANN, BOB, CYD, DAN, EVE, OLD, NEW = (
    f"{name}@example.com" for name in ("ann", "bob", "cyd", "dan", "eve", "old", "new")
)
PARTS = pytest.mark.parametrize("parts", [1, 4])


def digest(text: str) -> int:
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest(), "little")


def number(person: str) -> int:
    """What is kept of an id."""
    return digest(person) >> 64


def known(address: str, person: str | None = None, status: str = "member", **more: object) -> dict[str, object]:
    whose = {"person": number(person)} if person else {}
    return {"address": address, "status": status, "hash": 1, **whose, **more}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def plan(world: World, rows: Sequence[tuple[str, str]], *before: Mapping[str, object], **more: Any) -> Planned:
    """Rows are addresses with ids."""
    source = world.source(*((who, "x", person) for who, person in rows))
    return world.plan(source, before=before, id_column="Id", **more)


@PARTS
def test_the_old_address_leaves_and_the_new_one_joins(world: World, parts: int) -> None:
    found = plan(world, [(NEW, "1"), (BOB, "2")], known(OLD, "1"), known(BOB, "2"), known(CYD, "3"), of=parts)
    assert found.who == {"add": {NEW}, "change": {BOB}, "remove": {OLD, CYD}}
    assert found.tally.balance().moved == 1
    assert {who: row["moved"] for who, row in found.operations["remove"].items()} == {OLD: True, CYD: False}
    assert found.operations["add"][NEW]["person"] == number("1")
    assert found.known_before == {NEW: {OLD}}


@PARTS
def test_of_several_addresses_the_one_on_the_list_is_delivered(world: World, parts: int) -> None:
    found = plan(world, [(NEW, "1"), (OLD, "1"), (ANN, "1")], known(OLD, "1"), of=parts)
    assert found.who == {"change": {OLD}}
    assert found.kept_back == {NEW: SECOND_ADDRESS, ANN: SECOND_ADDRESS}
    assert found.tally.kept_back == {SECOND_ADDRESS: 2}


@PARTS
def test_of_several_new_addresses_the_first_is_delivered(world: World, parts: int) -> None:
    found = plan(world, [(NEW, "1"), (OLD, "1"), (ANN, "1")], of=parts)
    assert (found.who, set(found.kept_back)) == ({"add": {NEW}}, {OLD, ANN})


@pytest.mark.parametrize(("retry", "delivered"), [("when changed", ANN), ("never", ANN), ("next run", NEW)])
def test_an_address_that_the_vendor_refused_is_delivered_at_last(world: World, retry: str, delivered: str) -> None:
    refused = known(NEW, "1", "refused", retry=retry)
    assert plan(world, [(NEW, "1"), (ANN, "1")], refused).who == {"add": {delivered}}


@PARTS
def test_who_is_on_the_list_twice_keeps_one_address(world: World, parts: int) -> None:
    """As where an id column is named for an export that had none."""
    found = plan(world, [(OLD, "1"), (NEW, "1"), (BOB, "2")], known(OLD), known(NEW), known(BOB), of=parts)
    assert found.who == {"change": {OLD, BOB}, "remove": {NEW}}
    assert (found.tally.balance().moved, found.tally.removed_by_rules) == (0, {SECOND_ADDRESS: 1})


@pytest.mark.parametrize("empty", ["", " ", "NULL", "nan", "None", "\u200b"])
def test_nobody_is_known_by_an_empty_id(world: World, empty: str) -> None:
    found = plan(world, [(NEW, empty), (ANN, empty)], known(OLD, "1"))
    assert found.who == {"add": {NEW, ANN}, "remove": {OLD}}
    assert (found.tally.balance().without_id, found.tally.balance().moved) == (2, 0)


@pytest.mark.parametrize("spelling", ["A-1 ", "\u00a0A-1", "A-1"])
def test_blanks_around_an_id_are_nothing(world: World, spelling: str) -> None:
    assert plan(world, [(NEW, spelling)], known(OLD, "A-1")).tally.balance().moved == 1


def test_capital_letters_of_an_id_count(world: World) -> None:
    assert plan(world, [(NEW, "a-1")], known(OLD, "A-1")).tally.balance().moved == 0


def test_an_address_of_several_people_is_always_the_same_ones(world: World) -> None:
    rows = [(ANN, "1"), (ANN, "2"), (ANN, "2"), (BOB, "3")]
    for made in (rows, rows[::-1]):
        found = plan(world, made)
        assert found.who["add"] == {ANN, BOB}
        assert found.operations["add"][ANN]["person"] == min(number("1"), number("2"))
        assert found.tally.balance().shared_addresses == 1


@PARTS
def test_the_ids_of_addresses_that_stay_become_known(world: World, parts: int) -> None:
    held = known(BOB, None, "refused", retry="never")
    found = plan(world, [(ANN, "1"), (BOB, "2"), (CYD, "3")], known(ANN, hash=2), held, known(CYD, "3"), of=parts)
    assert found.operations["change"][ANN]["person"] == number("1")
    assert found.newly_known == {BOB: number("2")}


@PARTS
def test_an_address_keeps_its_person_who_is_in_the_segment_elsewhere(world: World, parts: int) -> None:
    """Ann left the address that she shared with Bob, and is to be found by it still."""
    found = plan(world, [(ANN, "1"), (OLD, "2")], known(OLD, "1", "refused", retry="never"), of=parts)
    assert found.known_before == {ANN: {OLD}}
    assert found.newly_known == {}
    assert found.ids == IdFacts(compared=1, exchanged=1)
    found = plan(world, [(OLD, "2")], known(OLD, "1", "refused", retry="never"), of=parts)
    assert found.newly_known == {OLD: number("2")}, "nobody else asks for it"
    assert found.ids == IdFacts(compared=1, exchanged=0)


@PARTS
def test_who_comes_back_under_another_address_is_known_by_the_old_one(world: World, parts: int) -> None:
    before = [known(OLD, "1", "removed", removed_at=LONG_AGO), known(CYD, "1", "refused", retry="never")]
    found = plan(world, [(NEW, "1"), (BOB, "2")], *before, of=parts)
    assert (found.who, found.tally.balance().moved) == ({"add": {NEW, BOB}}, 0)
    assert found.known_before == {NEW: {OLD, CYD}}
    assert plan(world, [(OLD, "1")], before[0], of=parts).known_before == {}, "nobody is asked about the address itself"


def test_not_all_earlier_addresses_are_looked_at(world: World) -> None:
    before = [known(f"p{each}@example.com", "1", "removed") for each in range(MOST_EARLIER + 5)]
    assert len(plan(world, [(NEW, "1")], *before).known_before[NEW]) == MOST_EARLIER


RULES = Rules(exclude=(Exclude(segment="No"),), require=(Require(column="City", one_of=("yes",)),))


@PARTS
def test_a_rule_that_keeps_one_address_back_keeps_back_the_person(world: World, parts: int) -> None:
    rows = [(ANN, "yes", "1"), (NEW, "no", "1"), (BOB, "yes", "2"), (CYD, "yes", "3")]
    sources = [world.source(*rows), world.source((OLD,), segment=1, excluded=0)]
    found = world.plan(*sources, before=[known(OLD, "2"), known(ANN, "1")], rules=RULES, id_column="Id", of=parts)
    assert found.kept_back == {ANN: "require/0", NEW: "require/0", BOB: "exclude/0"}
    assert found.who == {"add": {CYD}, "remove": {ANN, OLD}}
    assert found.tally.balance().moved == 0


@PARTS
@pytest.mark.parametrize(("first", "moved"), [(1, 0), (2, 1)])
def test_who_is_beyond_the_limit_does_not_move(world: World, parts: int, first: int, moved: int) -> None:
    source = world.source((NEW, "1", "1"), (BOB, "2", "2"))
    limit = Rules(limit=Limit(first=first, by="City"))
    found = world.plan(source, before=[known(OLD, "1"), known(BOB, "2")], rules=limit, id_column="Id", of=parts)
    assert (found.tally.balance().moved, OLD in found.who["remove"]) == (moved, True)


@PARTS
@pytest.mark.parametrize(("share", "moved"), [(0.01, 1), (0.5, 0)])
def test_who_is_held_out_does_not_move(world: World, parts: int, share: float, moved: int) -> None:
    held_out = next(
        f"n{each}@example.com" for each in range(99) if Holdout(name="a", share=0.5).holds(f"n{each}@example.com")
    )
    rules = Rules(holdout=Holdout(name="a", share=share))
    found = plan(world, [(held_out, "1")], known(OLD, "1"), rules=rules, of=parts)
    assert (found.tally.balance().moved, found.who.get("add", set())) == (moved, {held_out} if moved else set())


def test_second_addresses_take_no_place_within_the_limit(world: World) -> None:
    source = world.source((NEW, "3", "1"), (OLD, "2", "1"), (BOB, "1", "2"))
    found = world.plan(source, rules=Rules(limit=Limit(first=2, by="City")), id_column="Id")
    assert (found.who, found.kept_back) == ({"add": {NEW, BOB}}, {OLD: SECOND_ADDRESS})


@pytest.mark.parametrize(("kind", "added"), [(RunKind.FULL_RESYNC, {ANN, NEW}), (RunKind.RETRY, {NEW})])
def test_other_kinds_of_runs_know_people_too(world: World, kind: RunKind, added: set[str]) -> None:
    before = [known(ANN, "1"), known(OLD, "2", "removed"), known(NEW, "2", "refused", retry="next run")]
    found = plan(world, [(ANN, "1"), (NEW, "2")], *before, kind=kind)
    assert found.who == {"add": added}
    assert found.known_before == {NEW: {OLD}}


def test_ids_that_are_shifted_are_counted(world: World) -> None:
    rows = [(f"p{each}@example.com", str((each + 1) % 30)) for each in range(30)]
    before = [known(f"p{each}@example.com", str(each)) for each in range(30)]
    assert plan(world, rows, *before).ids == IdFacts(compared=30, exchanged=30)


# Random histories

EXAMPLES = 300 if EVERY else 8
PEOPLE = [f"p{each}@example.com" for each in range(6)]
rows = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["yes", "no", "1", "2"]), st.sampled_from(["", "A", "B", "C"])),
    max_size=8,
)
histories = st.lists(st.tuples(rows, st.lists(st.sampled_from(PEOPLE), max_size=2)), min_size=1, max_size=4)
some_rules = st.fixed_dictionaries({"require": st.booleans(), "first": st.one_of(st.none(), st.integers(1, 3))})


@dataclass
class Truth:
    """The specification: who is on the list, who ever was sent, and whose the addresses are, as far as it is known."""

    members: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    whose: dict[str, str] = field(default_factory=dict)

    def run(self, made: Sequence[tuple[str, str, str]], barred: Sequence[str], given: Mapping[str, Any]) -> set[str]:
        """Take the segment's next state; the addresses from which people move."""
        people = list(dict.fromkeys(who for who, _, _ in made))
        ids = {who: {person for other, _, person in made if other == who and person} for who in people}
        own = {who: min(ids[who], key=number) for who in people if ids[who]}
        no = {who for who, city, _ in made if given["require"] and city == "no"} | {*barred}
        lost = {own[who] for who in own if who in no} | {self.whose[who] for who in self.whose if who in barred}
        left = [who for who in people if who not in no and own.get(who) not in lost]
        wanted = {
            own.get(who, who): who for who in sorted(left, key=lambda who: (who in self.members, -people.index(who)))
        }
        delivered = sorted(wanted.values(), key=digest)
        if given["first"]:
            places = {who: city for who, city, _ in reversed(made)}
            delivered.sort(key=lambda who: -int(places[who]) if places[who].isdecimal() else 0)
            delivered = delivered[: given["first"]]
        moving = {own[who] for who in delivered if who in own}
        moved = {who for who in self.members - {*people} if self.whose.get(who) in moving}
        elsewhere = {*own.values()}
        self.sent |= {*delivered}
        told = {who: person for who, person in own.items() if who in self.sent}
        self.whose |= {who: person for who, person in told.items() if self.whose.get(who) not in elsewhere - {person}}
        self.members = {*delivered}
        return moved


@pytest.mark.timeout(600)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, some_rules, st.sampled_from([1, 4]))
@example(
    [([("p0@example.com", "yes", "A")], []), ([("p1@example.com", "yes", "A")], [])], {"require": 0, "first": None}, 4
)
def test_whatever_happens_the_list_has_each_person_once(
    history: list[tuple[list[tuple[str, str, str]], list[str]]], given: Mapping[str, Any], parts: int
) -> None:
    rules = Rules(
        exclude=(Exclude(segment="No"),),
        require=(Require(column="City", one_of=("yes", "1", "2")),) if given["require"] else (),
        limit=Limit(first=given["first"], by="City", read_as=ReadAs.NUMBER) if given["first"] else None,
    )
    truth, ledger = Truth(), dict[str, dict[str, object]]()
    for made, barred in history:
        with TemporaryDirectory() as folder:
            world = World(Path(folder))
            sources = [world.source(*(made or [("", "", "")]))]
            sources += [world.source(*((who,) for who in barred), segment=1, excluded=0)] if barred else []
            found = world.plan(*sources, before=[*ledger.values()], rules=rules, id_column="Id", of=parts)
        moved = truth.run(made, barred, given)
        took(ledger, found)
        assert {who for who, row in ledger.items() if row["status"] == "member"} == truth.members
        assert {who for who, row in found.operations.get("remove", {}).items() if row["moved"]} == moved
        persons = {who: row["person"] for who, row in ledger.items() if row.get("person")}
        assert persons == {who: number(person) for who, person in truth.whose.items()}


def took(ledger: dict[str, dict[str, object]], found: Planned) -> None:
    """The vendor took everything."""
    for kind, people in found.operations.items():
        status = {"status": "removed", "removed_at": LONG_AGO} if kind == "remove" else {"status": "member"}
        for who, row in people.items():
            ledger[who] = {"address": who, "hash": row.get("hash"), "person": row.get("person"), **status}
            assert row["bucket"] == bucket(who)
    for who, person in found.newly_known.items():
        ledger[who]["person"] = person
