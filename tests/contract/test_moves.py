"""People who change their address at every vendor: the old one leaves and the new one joins in the same run."""

from __future__ import annotations

from typing import Any

import pytest

from shared.delivery.state.records import Run, State
from tests.contract.outcomes import GOOD, accounted, clean
from tests.integration.delivery.engine import Engine, Person


def customers(*addresses: str) -> list[Person]:
    """Customer 0, 1 and so on, with an address each."""
    return [
        Person(f"{who}@example.com", f"First{number}", "Rome", f"id-{number}") for number, who in enumerate(addresses)
    ]


BEFORE = ("ann", "bob", "cyd", "dan", "eve")
AFTER = ("ann2", "bob", "cyd2", "dan", "eve")


def rows(engine: Engine, run: Run) -> dict[str, Any]:
    found: dict[str, Any] = engine.report(run)["rows"]
    return found


@pytest.fixture
def ran(engine: Engine) -> Run:
    """The first run."""
    engine.land(customers(*BEFORE))
    engine.define(id_column="CustomerId")
    run = engine.run()
    assert run.state in GOOD, run.message
    return run


@pytest.mark.in_turn("kit", 2)
def test_who_changes_their_address_moves(engine: Engine, ran: Run) -> None:
    assert rows(engine, ran)["moved"] == 0
    engine.land(customers(*AFTER))
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"add accepted": 2, "remove accepted": 2}
    assert (rows(engine, run)["moved"], rows(engine, run)["unchanged"]) == (2, 3)
    assert engine.members().keys() == {f"{who}@example.com" for who in AFTER}
    assert engine.run().state is State.NOTHING
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_who_said_no_under_the_old_address_does_not_join_under_the_new_one(engine: Engine, ran: Run) -> None:
    engine.tell("people", engine.kit.oppose("ann@example.com", engine.kit.list_name("Loyal")))
    before = engine.kit.opted_out(engine)
    for _ in range(2):  # also by the run after that
        engine.land(customers(*AFTER))
        run = engine.run()
        assert "ann2@example.com" not in engine.members()
        assert "cyd2@example.com" in engine.members()
        assert accounted(engine, run)["add skipped"] == 1
        told = {row["address"]: row["code"] for row in engine.rejected(run) if row["operation"] == "add"}
        assert told == {"ann2@example.com": "said_no_before"}
    assert engine.kit.opted_out(engine) == before
    engine.land(customers("ann3", *AFTER[1:]))
    engine.run()
    assert "ann3@example.com" not in engine.members(), "another address does not help"
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_a_person_is_on_the_list_once(engine: Engine, ran: Run) -> None:
    work = Person("work@example.com", "Work", "Oslo", "id-0")
    engine.land([work, *customers(*BEFORE)])
    run = engine.run()
    assert run.state is State.NOTHING, run.message
    assert rows(engine, run)["kept_back"] == 1
    assert engine.members().keys() == {f"{who}@example.com" for who in BEFORE}
    engine.land([work, *customers(*BEFORE)[1:]])
    run = engine.run()
    assert accounted(engine, run) == {"add accepted": 1, "remove accepted": 1}
    assert rows(engine, run)["moved"] == 1
    assert engine.members().keys() == {"work@example.com", *(f"{who}@example.com" for who in BEFORE[1:])}
    clean(engine)
