"""Rules keep people back at every vendor: in the first run, when somebody falls under one, and until it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shared.delivery.state.records import Run, State
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, Person

NO, AWAY, LATE = "no@example.com", "away@example.com", "late@example.com"
RULES: dict[str, Any] = {
    "exclude": [{"segment": "Suppressed"}],
    "require": [{"column": "City", "one_of": ["Rome", "Oslo"]}],
    "limit": {"first": 8, "by": "FirstName"},
}


def customers(first: int = 0) -> list[Person]:
    """Eight people who are let through; the later their number, the sooner they are."""
    return [Person(f"person{number}@example.com", str(number), "Rome") for number in range(first, first + 8)]


def keeping_back(engine: Engine) -> None:
    """A segment of which each rule keeps somebody back."""
    engine.land([Person(" AWAY@Example.com"), Person("elsewhere@example.com")], "Suppressed")
    engine.land([*customers(1), Person(NO, "90", "Nowhere"), Person(AWAY, "91", "Rome"), Person(LATE, "0", "Oslo")])


def names(people: Sequence[Person]) -> set[str]:
    return {each.email for each in people}


def why(engine: Engine, run: Run) -> dict[str, tuple[int, int]]:
    """Rule -> people whom it kept back, and those of them whom the run took off."""
    reasons = engine.report(run)["reasons"]
    return {each["code"]: (each["people"], each["removed"]) for each in reasons if each["outcome"] == "kept back"}


@pytest.fixture
def ran(engine: Engine) -> Run:
    """The first run."""
    keeping_back(engine)
    engine.define(rules=RULES)
    return engine.run()


@pytest.mark.in_turn("kit", 2)
def test_the_first_run_adds_whom_no_rule_keeps_back(engine: Engine, ran: Run) -> None:
    assert ran.state in GOOD, ran.message
    assert accounted(engine, ran) == {"add accepted": 8}
    assert engine.members().keys() == names(customers(1))
    assert why(engine, ran) == {"exclude/0": (1, 0), "require/0": (1, 0), "limit": (1, 0)}
    counts = engine.service.runs.view(ran.export, ran.run).targets[0].counts  # type: ignore[union-attr]
    assert (counts.rows_read, counts.kept_back, counts.removed_by_rules) == (11, 3, 0)
    told = {row["address"]: (row["outcome"], row["code"], row["reason"]) for row in engine.rejected(ran)}
    assert told == {
        AWAY: ("kept back", "exclude/0", "Is in the segment Suppressed, which is excluded."),
        NO: ("kept back", "require/0", "City is none of: Oslo, Rome."),
        LATE: ("kept back", "limit", "Is not among the first 8 by FirstName."),
    }
    assert [(each["segment"], each.get("excluded", False)) for each in engine.report(ran)["snapshots"]] == [
        ("Loyal", False),
        ("Suppressed", True),
    ]
    assert engine.run().state is State.NOTHING
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_who_falls_under_a_rule_leaves_the_list_and_nothing_else(engine: Engine, ran: Run) -> None:
    engine.land([Person("person1@example.com")], "Suppressed")
    withdrawn = Person("person2@example.com", "2", "Nowhere")
    engine.land(
        [
            *customers(1)[2:],
            withdrawn,
            *customers(1)[:1],
            *customers(9)[:2],
            Person("person11@example.com", "11", "Oslo"),
        ]
    )
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"add accepted": 3, "remove accepted": 3}
    assert why(engine, run) == {"exclude/0": (1, 1), "require/0": (1, 1), "limit": (1, 1)}
    assert engine.members().keys() == {f"person{number}@example.com" for number in range(4, 12)}
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_a_rule_that_is_gone_lets_people_through(engine: Engine, ran: Run) -> None:
    engine.define(rules={"require": RULES["require"]})
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"add accepted": 2}
    engine.define(rules=RULES)
    run = engine.run()
    assert accounted(engine, run) == {"remove accepted": 2}
    engine.define()
    run = engine.run()
    assert accounted(engine, run) == {"add accepted": 3}
    assert engine.members().keys() == {NO, AWAY, LATE, *names(customers(1))}
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_without_the_excluded_segment_nobody_is_delivered_to(engine: Engine, ran: Run) -> None:
    for name in [each.name for each in engine.landing.list_blobs(name_starts_with="Suppressed/")]:
        engine.landing.delete_blob(name)
    engine.land([*customers(1), Person(AWAY, "91", "Rome"), Person("new@example.com", "92", "Rome")])
    before = len(writes(engine))
    run = engine.run()
    assert run.state is State.FAILED
    assert "The excluded segment Suppressed cannot be used" in run.message
    assert len(writes(engine)) == before
    assert engine.members().keys() == names(customers(1))
    keeping_back(engine)
    assert engine.run().state is State.NOTHING
