"""Who is kept back by which rule: a table of cases, and random segments and rules against plain Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.catalog.holdout import Holdout
from shared.catalog.rules import ComesFirst, Exclude, Limit, ReadAs, Require, Rules, reasons
from shared.delivery.plan.operations import HELD_OUT_AND_THERE
from shared.delivery.state.transitions import RunKind
from shared.wording import say
from tests.sampling import EVERY
from tests.unit.delivery.planned_parts import World

ANN, BOB, CYD, DAN, EVE = (f"{name}@example.com" for name in ("ann", "bob", "cyd", "dan", "eve"))
CONSENT = {"require": [{"column": "City", "one_of": ["Yes", "1"]}]}
FILLED = {"require": [{"column": "City"}]}
EXCLUDED = {"exclude": [{"segment": "Suppressed"}]}


def first(people: int, order: str = "greatest", read_as: str = "number") -> dict[str, Any]:
    return {"limit": {"first": people, "by": "City", "order": order, "read_as": read_as}}


def rules(*given: Mapping[str, Any]) -> Rules:
    return Rules.model_validate({name: rule for each in given for name, rule in each.items()})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def member(address: str) -> dict[str, object]:
    return {"address": address, "status": "member", "hash": 1}


YES, NO = "require/0", None
CELLS = [
    (CONSENT, "Yes", NO),
    (CONSENT, " yES ", NO),
    (CONSENT, "1", NO),
    (CONSENT, "no", YES),
    (CONSENT, "Yes, please", YES),
    (CONSENT, "", YES),
    (CONSENT, None, YES),
    (CONSENT, "\u200b", YES),
    (CONSENT, "NULL", YES),
    (FILLED, "no", NO),
    (FILLED, "0", NO),
    (FILLED, "", YES),
    (FILLED, None, YES),
    (FILLED, " \u00a0", YES),
    (FILLED, "NULL", YES),
    (FILLED, "NaN", YES),
    ({"require": [{"column": "City", "one_of": ["it's"]}]}, "IT'S", NO),
    ({"require": [{"column": "City", "one_of": ["ÅR"]}]}, "år", NO),
]


@pytest.mark.parametrize(("given", "cell", "rule"), CELLS)
def test_a_cell_meets_a_requirement_or_not(
    world: World, given: Mapping[str, Any], cell: str | None, rule: str | None
) -> None:
    found = world.plan(world.source((ANN, cell)), rules=rules(given))
    assert found.kept_back.get(ANN) == rule
    assert found.tally.kept_back == ({rule: 1} if rule else {})


def test_the_first_rule_that_keeps_somebody_back_is_the_reason(world: World) -> None:
    given = rules({"exclude": [{"segment": "A"}, {"segment": "B"}]}, CONSENT, first(1))
    sources = [
        world.source((ANN, "no"), (BOB, "no"), (CYD, "Yes"), (DAN, "Yes"), (EVE, "no")),
        world.source((ANN,), (BOB,), segment=1, excluded=0),
        world.source((BOB,), (EVE,), segment=2, excluded=1),
    ]
    found = world.plan(*sources, rules=given)
    kept = {ANN: "exclude/0", BOB: "exclude/0", EVE: "exclude/1"}
    [(left, limited)] = [(who, rule) for who, rule in found.kept_back.items() if who not in kept]
    assert found.kept_back == {**kept, left: "limit"}
    assert (left in (CYD, DAN), limited) == (True, "limit")
    assert found.who == {"add": {CYD, DAN} - {left}}
    assert found.tally.kept_back == {"exclude/0": 2, "exclude/1": 1, "limit": 1}


@pytest.mark.parametrize("spelling", [ANN, " ANN@Example.COM ", "ann\u200b@example.com"])
def test_an_excluded_address_is_one_person_however_it_is_spelled(world: World, spelling: str) -> None:
    found = world.plan(
        world.source((ANN, "x"), (BOB, "x")),
        world.source((spelling,), ("",), (None,), ("nobody",), segment=1, excluded=0),
        rules=rules(EXCLUDED),
    )
    assert (found.kept_back, found.who) == ({ANN: "exclude/0"}, {"add": {BOB}})
    assert found.tally.counts["rows_read"] == 2, "rows of an excluded segment are no rows of the segment"
    assert not found.refused


@pytest.mark.parametrize("parts", [1, 4])
def test_a_domain_in_letters_is_excluded_too(world: World, parts: int) -> None:
    found = world.plan(
        world.source(("ann@müller.de", "x"), (BOB, "x")),
        world.source(("Ann@xn--mller-kva.de",), ("bob@Example.com",), segment=1, excluded=0),
        rules=rules(EXCLUDED),
        of=parts,
    )
    assert found.kept_back == {"ann@xn--mller-kva.de": "exclude/0", BOB: "exclude/0"}


def test_who_is_kept_back_leaves_like_anybody(world: World) -> None:
    source = world.source((ANN, "Yes"), (BOB, "no"), (CYD, "no"))
    before = [member(ANN), member(BOB), member(DAN)]
    found = world.plan(source, before=before, rules=rules(CONSENT))
    assert found.who == {"change": {ANN}, "remove": {BOB, DAN}}
    assert {who: row.get("rule") for who, row in found.operations["remove"].items()} == {BOB: "require/0", DAN: None}
    assert (found.tally.kept_back, found.tally.removed_by_rules) == ({"require/0": 2}, {"require/0": 1})
    counts = found.tally.balance().counts()
    assert (counts["kept_back"], counts["removed_by_rules"], counts["remove"]) == (2, 1, 2)
    assert world.plan(source, before=before, rules=rules(CONSENT), mode="add").who == {"change": {ANN}}
    assert world.plan(source, before=before, rules=rules(CONSENT), stay=[BOB]).who == {"change": {ANN}, "remove": {DAN}}


def test_one_row_without_consent_is_enough(world: World) -> None:
    for cells in (("Yes", "no"), ("no", "Yes"), ("Yes", None), ("Yes", "Yes", "no")):
        found = world.plan(world.source(*((ANN, cell) for cell in cells)), rules=rules(CONSENT))
        assert (found.kept_back, found.tally.counts["duplicates"]) == ({ANN: "require/0"}, len(cells) - 1)


def test_a_retry_keeps_back_too(world: World) -> None:
    before = [{"address": who, "status": "maybe", "hash": 1} for who in (ANN, BOB)]
    found = world.plan(world.source((ANN, "Yes"), (BOB, "no")), before=before, kind=RunKind.RETRY, rules=rules(CONSENT))
    assert found.who == {"add": {ANN}, "remove": {BOB}}


ORDERS = [
    (first(2), ("3", "20", "100"), {"20", "100"}),
    (first(2, "least"), ("3", "20", "100"), {"3", "20"}),
    (first(2, "greatest", "text"), ("3", "20", "100"), {"3", "20"}),
    (first(2, "least", "text"), ("b", "B", "a"), {"B", "a"}),
    (first(1), ("-1", "0.5", ".25"), {"0.5"}),
    (first(1), ("many", "-7", None), {"-7"}),
    (first(1, "least"), ("many", "-7", None), {"-7"}),
    (first(1), ("1e3", "999", "1,000"), {"1e3"}),
    (first(1), ("1e999", "1", "nan"), {"1"}),
    (first(1, "greatest", "date"), ("2026-01-05", "2025-12-31T23:00:00Z", "soon"), {"2026-01-05"}),
    (first(1, "greatest", "date"), ("2026/1/5", "2026-01-05T00:00:01Z", "2026-01-04"), {"2026-01-05T00:00:01Z"}),
    (first(1, "least", "date"), ("2026-11-22 10:00 +02:00", "2026-11-22 09:00", ""), {"2026-11-22 10:00 +02:00"}),
    (first(3), ("1", "2", "3"), {"1", "2", "3"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "cells", "chosen"), ORDERS)
def test_the_first_by_a_column_are_let_through(
    world: World, given: Mapping[str, Any], cells: Sequence[str | None], chosen: set[str]
) -> None:
    people = {f"p{number}@example.com": cell for number, cell in enumerate(cells)}
    for order in (list(people), list(people)[::-1]):
        for parts in (1, 2):
            source = world.source(*((who, people[who]) for who in order))
            found = world.plan(source, rules=rules(given), of=parts)
            assert {people[who] for who in found.who["add"]} == chosen


def test_a_limit_counts_people_and_their_first_rows(world: World) -> None:
    rows = [(ANN, "1"), (ANN, "99"), ("nobody", "100"), (BOB, "5"), (BOB, None), (CYD, None), (CYD, "99"), (DAN, "7")]
    found = world.plan(world.source(*rows), rules=rules(first(2)))
    assert found.who == {"add": {BOB, DAN}}
    assert found.kept_back == {ANN: "limit", CYD: "limit"}


def test_equals_come_in_the_order_of_their_digests(world: World) -> None:
    people = [f"p{number}@example.com" for number in range(9)]
    chosen = set(sorted(people, key=digest)[:4])
    for parts in (1, 4):
        found = world.plan(world.source(*((who, "1") for who in people)), rules=rules(first(4)), of=parts)
        assert found.who["add"] == chosen


def digest(address: str) -> int:
    return int.from_bytes(hashlib.md5(address.encode(), usedforsecurity=False).digest(), "little")


HALF = {"holdout": {"name": "autumn", "share": 0.5}}


def test_who_is_held_out_follows_from_the_name_and_the_address_alone(world: World) -> None:
    people = [f"p{number}@example.com" for number in range(400)]
    held = {who for who in people if drawn(("autumn", 0.5), who)}
    assert 150 < len(held) < 250
    for parts in (1, 4):
        for order in (people, people[::-1]):
            found = world.plan(world.source(*((who, "x") for who in order)), rules=rules(HALF), of=parts)
            assert found.kept_back == dict.fromkeys(held, "holdout")
            assert found.who == {"add": {*people} - held}
    other = world.plan(
        world.source(*((who, "x") for who in people)), rules=rules({"holdout": {"name": "spring", "share": 0.5}})
    )
    assert 50 < len(held & other.kept_back.keys()) < 150, "another name draws anew"
    fewer = world.plan(
        world.source(*((who, "x") for who in people)), rules=rules({"holdout": {"name": "autumn", "share": 0.1}})
    )
    assert 10 < len(fewer.kept_back) < 80


def test_those_are_held_out_who_would_be_delivered_else(world: World) -> None:
    people = [f"p{number}@example.com" for number in range(60)]
    source = world.source(*((who, "Yes" if number % 3 else "no") for number, who in enumerate(people)))
    limit = {"limit": {"first": 20, "by": "City", "read_as": "text"}}
    without = world.plan(source, rules=rules(CONSENT, limit))
    found = world.plan(source, rules=rules(CONSENT, limit, HALF))
    held = {who for who, rule in found.kept_back.items() if rule == "holdout"}
    assert held == {who for who in without.who["add"] if drawn(("autumn", 0.5), who)}
    assert found.who["add"] == without.who["add"] - held, "nobody takes the place of whoever is held out"


@pytest.mark.parametrize("kind", [RunKind.DELIVERY, RunKind.FULL_RESYNC, RunKind.REBUILD])
def test_whoever_is_held_out_later_leaves_and_is_counted_where_they_stay(world: World, kind: RunKind) -> None:
    people = [f"p{number}@example.com" for number in range(8)]
    held = {who for who in people if drawn(("autumn", 0.5), who)}
    assert held
    source, before = world.source(*((who, "x") for who in people)), [member(who) for who in people]
    found = world.plan(source, before=before, rules=rules(HALF), kind=kind)
    assert found.who["remove"] == held
    assert found.tally.removed_by_rules == {"holdout": len(held)}
    assert HELD_OUT_AND_THERE not in found.tally.counts
    found = world.plan(source, before=before, rules=rules(HALF), kind=kind, mode="add")
    assert "remove" not in found.who
    assert found.tally.counts[HELD_OUT_AND_THERE] == len(held)


def test_rules_have_words() -> None:
    given = rules(
        EXCLUDED,
        {"require": [{"column": "Mail ok", "one_of": ["yes", "1"]}, {"column": "Country"}]},
        first(5),
        {"holdout": {"name": "autumn", "share": 0.075}},
    )
    assert reasons(given) == {
        "exclude/0": "Is in the segment Suppressed, which is excluded.",
        "require/0": "Mail ok is none of: 1, yes.",
        "require/1": "Country is empty.",
        "limit": "Is not among the first 5 by City.",
        "holdout": "Is in the holdout autumn, 7.5% of people, whom no vendor gets.",
    }
    assert reasons(rules()) == {}
    assert reasons(given)["limit"].text == say("Is not among the first %(people)s by %(column)s.").text


EXAMPLES = 300 if EVERY else 12
PEOPLE = [f"p{number}@example.com" for number in range(6)] + ["ann@müller.de", "ann@xn--mller-kva.de", "no address"]
TEXTS = ["", "yes", "Yes ", "no", "NULL", "1", "2", "10", "2026-01-05"]
rows = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TEXTS)), max_size=14)
some_rules = st.fixed_dictionaries(
    {
        "exclude": st.lists(st.lists(st.sampled_from(PEOPLE), max_size=3), max_size=2),
        "one_of": st.one_of(st.none(), st.lists(st.sampled_from(["yes", "1", "2", "10"]), max_size=3, unique=True)),
        "limit": st.one_of(
            st.none(), st.tuples(st.integers(1, 5), st.sampled_from(list(ComesFirst)), st.sampled_from(list(ReadAs)))
        ),
        "holdout": st.one_of(
            st.none(), st.tuples(st.sampled_from(["autumn", "it-2", "x"]), st.sampled_from([0.1, 0.5, 0.9]))
        ),
    }
)


READ: Mapping[ReadAs, Callable[[str], Any]] = {
    ReadAs.NUMBER: lambda cell: float(cell) if cell.isdecimal() else None,
    ReadAs.DATE: lambda cell: cell if "-" in cell else None,
    ReadAs.TEXT: lambda cell: cell or None,
}


def drawn(holdout: tuple[str, float], who: str) -> bool:
    name, share = holdout
    digits = hashlib.md5(f"{name}:{who}".encode(), usedforsecurity=False).hexdigest()
    return int(digits[:8], 16) < share * 2**32


def people_of(made: Sequence[tuple[str, str]], given: Mapping[str, Any]) -> tuple[set[str], dict[str, str]]:
    """The specification: who is delivered, and who is kept back by which rule."""
    spelled = {who: who.replace("müller", "xn--mller-kva") for who in PEOPLE}
    cells: dict[str, list[str]] = {}
    for who, cell in made:
        if who != "no address":
            cells.setdefault(spelled[who], []).append(cell.strip())
    kept: dict[str, str] = {}
    for number, segment in enumerate(given["exclude"]):
        kept |= {spelled[who]: f"exclude/{number}" for who in segment if spelled[who] in cells.keys() - kept.keys()}
    if (values := given["one_of"]) is not None:
        met = (lambda cell: cell.lower() in values) if values else (lambda cell: cell not in ("", "NULL"))
        kept |= {who: "require/0" for who in cells.keys() - kept.keys() if not all(map(met, cells[who]))}
    if given["limit"]:
        people, order, read_as = given["limit"]
        left = sorted(cells.keys() - kept.keys(), key=digest)
        places = {who: place for who in left if (place := READ[read_as](cells[who][0])) is not None}
        placed = sorted(places, key=lambda who: places[who], reverse=order is ComesFirst.GREATEST)
        line = [*placed, *(who for who in left if who not in places)]
        kept |= dict.fromkeys(line[people:], "limit")
    if given["holdout"]:
        kept |= {who: "holdout" for who in cells.keys() - kept.keys() if drawn(given["holdout"], who)}
    return cells.keys() - kept.keys(), kept


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, some_rules, st.sampled_from([1, 4]))
@example(
    [("p0@example.com", "yes"), ("p0@example.com", "no")],
    {"exclude": [], "one_of": ["yes"], "limit": None, "holdout": ("autumn", 0.9)},
    1,
)
def test_whoever_is_delivered_is_whom_the_specification_names(
    made: list[tuple[str, str]], given: Mapping[str, Any], parts: int
) -> None:
    delivered, kept = people_of(made, given)
    wanted = Rules(
        exclude=tuple(Exclude(segment=f"S{number}") for number, _ in enumerate(given["exclude"])),
        require=(Require(column="City", one_of=tuple(given["one_of"])),) if given["one_of"] is not None else (),
        limit=Limit(first=given["limit"][0], by="City", order=given["limit"][1], read_as=given["limit"][2])
        if given["limit"]
        else None,
        holdout=Holdout(name=given["holdout"][0], share=given["holdout"][1]) if given["holdout"] else None,
    )
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        sources = [world.source(*(made or [("", "")]))]
        sources += [
            world.source(*((who,) for who in segment), segment=number + 1, excluded=number)
            for number, segment in enumerate(given["exclude"])
            if segment
        ]
        found = world.plan(*sources, rules=wanted, of=parts)
    assert found.who.get("add", set()) == delivered
    assert found.kept_back == kept
