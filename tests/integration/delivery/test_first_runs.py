"""What a person agreed to holds until everybody is there; and what happens besides."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from shared.delivery.state.records import Run, State
from tests.integration.delivery.engine import Engine, people

MANY = 30
GOOD = (State.SUCCEEDED, State.WARNINGS)


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked about more than a thousand people is asked here about more than ten, and five go first."""
    monkeypatch.setattr("shared.delivery.plan.guards.FEW", 10)
    monkeypatch.setattr("shared.delivery.plan.small_start.PEOPLE", 5)


@pytest.fixture
def asked(engine: Engine) -> Run:
    engine.connect(settings={**engine.kit.settings, "batch_rows": 5})
    engine.land(people(MANY))
    engine.define()
    run = engine.run()
    assert run.state is State.BLOCKED
    return run


def decide(engine: Engine, run: Run, decision: Any) -> Run:
    engine.service.decide(run.export, run.run, plan=engine.delivery(run).plan, decision=decision, by="Ada")
    engine.pump()
    return engine.current(run)


def test_a_run_that_failed_halfway_is_followed_by_one_that_does_not_ask(engine: Engine, asked: Run) -> None:
    subscribe = "POST /api/lists/subscribe"
    engine.simulator.faults.set([Fault(endpoint=subscribe, kind="error", status=401, call=n) for n in range(2, 20)])
    run = decide(engine, asked, "deliver")
    engine.simulator.faults.set([])
    assert run.state is State.FAILED
    there = len(engine.members())
    assert 0 < there < MANY / 2
    run = engine.run()
    assert run.state in GOOD, run.message
    assert len(engine.members()) == MANY


def test_whoever_cancels_is_asked_again(engine: Engine, asked: Run) -> None:
    assert decide(engine, asked, "start_small").state in GOOD
    engine.land(people(MANY + 1))
    run = engine.start()
    engine.service.cancel("newsletter", run.run)
    engine.pump()
    assert engine.current(run).state is State.CANCELLED
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "31 people after 5" in run.message


def test_once_everybody_is_there_nothing_is_agreed_to_any_more(engine: Engine, asked: Run) -> None:
    decide(engine, asked, "deliver")
    engine.define(guards={"max_removed_share": None, "max_deviation_share": None, "max_removed_times": None})
    engine.land(people(11))
    assert engine.run().state in GOOD
    engine.land(people(23))
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "would add 12 people to a list with 11 of this export" in run.message


def test_a_forgotten_person_is_in_neither_of_both_plans(engine: Engine, asked: Run) -> None:
    first = decide(engine, asked, "start_small")
    gone = next(iter(engine.members()))
    engine.forget(gone)
    names = list(engine.cloud.blobs.names(f"runs/newsletter/{first.run}/"))
    for name in names:
        found = engine.cloud.blobs.read(name)
        assert found is not None and gone.encode() not in found[0], name


def test_removals_wait_while_a_few_go_first(engine: Engine, asked: Run) -> None:
    decide(engine, asked, "deliver")
    engine.land(people(100, start=2))
    run = engine.run()
    assert run.state is State.BLOCKED
    run = decide(engine, run, "start_small")
    assert engine.report(run)["outcomes"] == {"add accepted": 5, "remove skipped": 2}
    assert engine.report(engine.run())["outcomes"] == {"add accepted": 67, "remove accepted": 2}
    assert engine.members().keys() == {each.email for each in people(100, start=2)}
