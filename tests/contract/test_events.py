"""What happened to whom is written down the same at every vendor: it adds up with the report, and comes to the list."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.delivery.state import events, layout
from shared.delivery.state.records import Run
from tests.contract.outcomes import GOOD, accounted, clean
from tests.integration.delivery import happenings
from tests.integration.delivery.engine import Engine, Person, people
from tests.integration.delivery.holding import holding

ADA = "ada.to.follow@example.com"


def told(engine: Engine, run: Run) -> dict[str, int]:
    """A run's events, counted as the report counts its outcomes."""
    rows = [row for row in happenings.rows(engine.cloud) if row["run"] == run.run and row["operation"] != events.LIST]
    return dict(Counter(f"{row['operation']} {row['outcome']}" for row in rows))


def as_said(engine: Engine, run: Run) -> None:
    """A run's events are what its report says, and come to its ledger."""
    assert run.state in GOOD, run.message
    assert told(engine, run) == accounted(engine, run)
    happenings.told_right(engine.cloud)


def as_shown(engine: Engine) -> None:
    """Events come to the vendor's list."""
    [place] = happenings.ledgers(engine.cloud)
    assert happenings.replayed(engine.cloud, place) == happenings.hashes(engine.cloud, *engine.members())


@pytest.fixture
def ran(engine: Engine) -> Run:
    """The first run."""
    engine.land([*people(6), Person(ADA, "Ada", "Rome")])
    engine.define()
    return engine.run()


@pytest.mark.in_turn("kit", 2)
def test_events_add_up_with_the_report_and_come_to_the_list(engine: Engine, ran: Run) -> None:
    as_said(engine, ran)
    as_shown(engine)
    engine.land([*people(6, start=2), Person(ADA, "Ada", "Oslo")])
    as_said(engine, engine.run())
    engine.land(people(6, start=2))
    last = engine.run()
    as_said(engine, last)
    as_shown(engine)
    story = happenings.happened_to(engine.cloud, ADA)
    assert [(each["operation"], each["outcome"]) for each in story] == [
        ("add", "accepted"),
        ("change", "accepted"),
        ("remove", "accepted"),
    ]
    assert (story[0]["run"], story[-1]["run"]) == (ran.run, last.run)
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_who_said_no_is_told_with_what_became_of_it(engine: Engine, ran: Run) -> None:
    engine.tell("people", engine.kit.oppose("person1@example.com", engine.kit.list_name("Loyal")))
    engine.land([*people(1), Person("person1@example.com", "Other", "Lund"), Person(ADA, "Ada", "Oslo")])
    run = engine.run()
    as_said(engine, run)
    refused = {(each["address"], each["code"]) for each in engine.rejected(run) if each["operation"]}
    for address, code in refused:
        last = happenings.happened_to(engine.cloud, address)[-1]
        assert (last["run"], last["code"]) == (run.run, code)


@pytest.mark.in_turn("kit", 2)
def test_who_is_forgotten_is_in_no_event_and_the_others_stay(engine: Engine, ran: Run) -> None:
    [hashed] = happenings.hashes(engine.cloud, ADA)
    held = [name for name in holding(engine, hashed) if name.startswith(layout.EVENTS)]
    assert held
    engine.land(people(6))
    engine.run()
    others = len(happenings.rows(engine.cloud))
    certificate = engine.forget(ADA)
    assert certificate.erased["events"] == len(held) + 1
    assert holding(engine, hashed) == []
    assert len(happenings.rows(engine.cloud)) == others - 2
    assert happenings.told_right(engine.cloud) == 6
    clean(engine)
