"""A repair mends what a check-up found, at every vendor: who is missing, whom we lost track of, whose values differ."""

from __future__ import annotations

from typing import Any

import pytest

from shared.control.check_ups import CheckUpView
from shared.delivery.state import layout
from shared.delivery.state.records import Run, State
from shared.delivery.state.transitions import RunKind
from shared.errors import Unprocessable
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, Person, people
from tests.kits import FRESH

GONE, SPOILED, STRANGER = "person3@example.com", "person5@example.com", "stranger@example.com"
LOST = {"person12@example.com", "person13@example.com"}


def check(engine: Engine) -> CheckUpView:
    """Check the list in full."""
    engine.tell("settings", FRESH.get(engine.kit.name, {}))
    engine.settled()
    engine.service.start_check_up("newsletter", 0, full=True, by="ann")
    engine.pump()
    found = engine.service.doctor("newsletter", 0).latest
    assert found is not None and found.state == "ended", found
    return found


def repair(engine: Engine) -> Run:
    return engine.run(kind=RunKind.REPAIR)


def spoil(engine: Engine, address: str) -> None:
    """Somebody writes another value at the vendor."""
    name = engine.kit.list_name("Loyal")
    engine.tell("people", {"people": [{"email": address, "lists": [name], "dataFields": engine.kit.spoiled}]})


def ledger_of(engine: Engine) -> dict[str, bytes]:
    """All that is recorded of targets, as a backup has it."""
    blobs = engine.cloud.blobs
    return {name: stored[0] for name in blobs.names("ledgers/") if (stored := blobs.read(name))}


def lose_track(engine: Engine) -> None:
    """Two people are added, a backup from before is put back, and they leave the segment."""
    before = ledger_of(engine)
    engine.land(people(14))
    assert engine.run().state in GOOD
    for name in [*engine.cloud.blobs.names("ledgers/")]:
        engine.cloud.blobs.delete(name)
    for name, content in before.items():
        engine.cloud.blobs.write(name, content)
    engine.land(people(12))
    assert engine.run(kind=RunKind.FULL_RESYNC).state in GOOD


def values(engine: Engine) -> dict[str, Any]:
    return {address: dict(shown) for address, shown in engine.members().items()}


def test_what_a_check_up_found_is_mended_and_nothing_else(delivered: Engine) -> None:
    engine = delivered
    lose_track(engine)
    engine.settled()
    as_delivered = {address: shown for address, shown in values(engine).items() if address not in LOST}
    engine.kit.lose(engine, GONE)
    spoil(engine, SPOILED)
    engine.tell("people", {"people": [{"email": STRANGER, "lists": [engine.kit.list_name("Loyal")]}]})
    stranger = values(engine)[STRANGER]
    found = check(engine)
    assert (found.missing, found.strangers, found.lost, found.returned, found.differs) == (1, 3, 2, 0, 1)
    assert found.compared == 11
    mendable = engine.service.doctor("newsletter", 0).repair
    assert (mendable.missing, mendable.lost, mendable.differs, mendable.why_not) == (1, 2, 1, "")
    sent = len(writes(engine))
    run = repair(engine)
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"add accepted": 1, "change accepted": 1, "remove accepted": 2}
    assert engine.report(run)["rows"]["outside"] == 10
    engine.settled()
    assert values(engine) == as_delivered | {STRANGER: stranger}
    touched = {address for entry in writes(engine)[sent:] for address in entry.touched}
    assert touched == {GONE, SPOILED, *LOST}
    again = check(engine)
    assert (again.missing, again.strangers, again.lost, again.differs) == (0, 1, 0, 0)
    with pytest.raises(Unprocessable, match="nothing to mend"):
        repair(engine)
    clean(engine)


@pytest.mark.in_turn("kit", 3)
def test_who_was_taken_off_and_is_there_again_is_taken_off_again(delivered: Engine) -> None:
    engine = delivered
    engine.land(people(10))
    assert engine.run().state in GOOD
    engine.settled()
    name = engine.kit.list_name("Loyal")
    engine.tell("people", {"people": [{"email": each.email, "lists": [name]} for each in people(1, 11)]})
    assert check(engine).returned == 1
    assert accounted(engine, repair(engine)) == {"remove accepted": 1}
    assert engine.members().keys() == {each.email for each in people(10)}
    clean(engine)


@pytest.mark.in_turn("kit", 3)
def test_nobody_is_resubscribed(delivered: Engine) -> None:
    engine, gone = delivered, people(1)[0].email
    engine.tell("people", engine.kit.oppose(gone, engine.kit.list_name("Loyal")))
    check(engine)
    try:
        repair(engine)
    except Unprocessable as error:
        assert error.code == "nothing_to_mend"
    assert engine.kit.opted_out(engine) == 1
    clean(engine)


@pytest.mark.in_turn("kit", 3)
def test_after_another_delivery_what_was_found_is_worth_nothing(delivered: Engine) -> None:
    engine = delivered
    with pytest.raises(Unprocessable, match="check the list first"):
        repair(engine)
    engine.kit.lose(engine, GONE)
    check(engine)
    engine.land([*people(12), Person("late@example.com")])
    assert engine.run().state in GOOD
    with pytest.raises(Unprocessable, match="check the list first"):
        repair(engine)
    assert GONE not in engine.members()


@pytest.mark.in_turn("kit", 3)
def test_no_address_is_told(delivered: Engine) -> None:
    engine = delivered
    engine.kit.lose(engine, GONE)
    spoil(engine, SPOILED)
    found = check(engine)
    manifest = engine.cloud.blobs.read(layout.found_manifest("newsletter", 0))
    assert manifest is not None
    run = repair(engine)
    told = f"{found.model_dump_json()} {manifest[0]!r} {engine.report(run)} {run.message}"
    assert "@example" not in told
    assert engine.run().state is State.NOTHING
