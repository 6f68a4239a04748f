"""The first run asks at every vendor: with numbers, before it writes anything; a few may go first; the rest follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.delivery.state.records import Run, State
from shared.errors import RetryAfter, Unprocessable
from shared.vendors.contract import Vendor
from shared.vendors.registry import definition
from shared.wording import say
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, people

MANY, FEW, KNOWN = 12, 5, 6
LIST_BY_LIST = {"campaign-monitor"}
"""Vendors that know people by list only."""


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked about more than a thousand people is asked here about more than ten, and five go first."""
    monkeypatch.setattr("shared.delivery.plan.guards.FEW", 10)
    monkeypatch.setattr("shared.delivery.plan.small_start.PEOPLE", FEW)


@pytest.fixture
def asked(engine: Engine) -> Run:
    """The first run of an export to a list that is still to be made, of whose people the vendor knows half."""
    engine.define("other", targets=[{"segments": ["Others"]}])
    engine.land(people(KNOWN), "Others")
    assert engine.run("other").state in GOOD
    engine.land(people(MANY))
    engine.define()
    return engine.run()


def decide(engine: Engine, run: Run, decision: Any) -> Run:
    plan = engine.delivery(run).plan
    engine.service.decide(run.export, run.run, plan=plan, decision=decision, by="Ada")
    engine.pump()
    return engine.current(run)


def told(engine: Engine, run: Run) -> Any:
    planned = engine.service.runs.planned(run.export, run.run)
    assert planned is not None
    return planned.first_run


def test_the_question_has_numbers_and_nothing_was_written(engine: Engine, asked: Run) -> None:
    label = definition(engine.kit.name).label
    assert (asked.state, engine.delivery(asked).code) == (State.BLOCKED, "first_run")
    assert "would add 12 people to a list that has nobody of this export yet" in asked.message
    assert f"{label} bills by" in asked.message or f"what {label} bills by stands" in asked.message
    measured = bool(definition(engine.kit.name).minutes_per_million)
    assert ("about 1 minute" in asked.message) == measured
    question = told(engine, asked)
    assert (question.people, question.members, question.minutes) == (MANY, 0, int(measured))
    vendor = type(engine.service._vendor(engine.kit.name))
    if engine.kit.name in LIST_BY_LIST or vendor.knows is Vendor.knows:
        assert (question.looked_up, question.new) == (0, 0)
        assert f"{label} does not tell how many of them are new to it" in asked.message
    else:
        assert (question.looked_up, question.new) == (MANY, MANY - KNOWN)
        assert f"6 of 12 looked up are new to {label}" in asked.message
    untold = f"{label} does not tell which automations start for them: look there" in asked.message
    assert untold == (question.starts is None) == (vendor.starts is Vendor.starts)
    named = {each["name"] for each in engine.inspect("state").json()["lists"]}
    assert engine.kit.list_name("Loyal") not in named, "the list is not made before the answer"


@pytest.mark.in_turn("kit", 2)
def test_a_few_go_first_and_the_next_run_brings_the_rest_without_asking(engine: Engine, asked: Run) -> None:
    before = len(writes(engine))
    run = decide(engine, asked, "start_small")
    assert run.state in GOOD, run.message
    assert "7 people join in later runs." in run.message
    assert len(writes(engine)) > before
    assert accounted(engine, run) == {"add accepted": FEW}
    counts = engine.service.runs.view(run.export, run.run).targets[0].counts  # type: ignore[union-attr]
    assert (counts.rows_read, counts.add, counts.later, counts.accepted) == (MANY, FEW, MANY - FEW, FEW)
    first = engine.members().keys()
    assert len(first) == FEW and first < {each.email for each in people(MANY)}
    explained = engine.service.explain(
        "newsletter", next(each.email for each in people(MANY) if each.email not in first)
    )
    assert explained["targets"][0]["verdict"] == (
        "Not on the list yet: somebody decided to start with a few people; the next run sends the others."
    )
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"add accepted": MANY - FEW}
    assert engine.members().keys() == {each.email for each in people(MANY)}
    assert engine.run().state is State.NOTHING
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_the_answer_may_be_given_when_the_export_is_saved(engine: Engine) -> None:
    engine.land(people(MANY))
    engine.define(first_run="deliver")
    run = engine.run()
    assert run.state in GOOD, run.message
    assert engine.members().keys() == {each.email for each in people(MANY)}


@pytest.mark.in_turn("kit", 2)
def test_a_list_that_would_more_than_double_is_asked_about_once(engine: Engine, asked: Run) -> None:
    assert decide(engine, asked, "deliver").state in GOOD
    engine.define(guards={"max_deviation_share": None})
    engine.land(people(2 * MANY))
    assert accounted(engine, engine.run()) == {"add accepted": MANY}, "twice as many are no more than double"
    engine.land(people(5 * MANY))
    run = engine.run()
    assert run.state is State.BLOCKED
    assert "would add 36 people to a list with 24 of this export" in run.message
    assert told(engine, run).members == 24
    assert accounted(engine, decide(engine, run, "start_small")) == {"add accepted": FEW}
    assert accounted(engine, engine.run()) == {"add accepted": 31}
    assert engine.members().keys() == {each.email for each in people(5 * MANY)}


@pytest.mark.in_turn("kit", 2)
def test_a_dry_run_tells_the_question_and_asks_nobody(engine: Engine, asked: Run) -> None:
    decide(engine, asked, "discard")
    run = engine.service.start("newsletter", b'{"kind": "dry_run"}').run
    engine.pump()
    ended = engine.current(run)
    assert ended.state is State.WARNINGS
    assert "would be blocked before its first write: would add 12 people" in ended.message


@pytest.mark.in_turn("kit", 2)
def test_few_people_leave_nobody_for_later(engine: Engine) -> None:
    engine.land(people(FEW))
    engine.define(guards={"max_profiles": 2})
    run = engine.run()
    with pytest.raises(Unprocessable, match="Only 5 people would join"):
        engine_decides(engine, run)


def engine_decides(engine: Engine, run: Run) -> None:
    from shared.delivery.start import starting

    starting.decide(engine.cloud, run.export, run.run, engine.delivery(run).plan, "start_small", by="Ada")


@pytest.mark.in_turn("kit", 2)
def test_trouble_with_the_vendor_costs_a_number_and_not_the_question(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Any:
        raise RetryAfter(60.0, say("It is closed."))

    engine.land(people(MANY))
    engine.define()
    for method in ("knows", "starts"):
        _replaced(engine, monkeypatch, method, fails)
    run = engine.run()
    label = definition(engine.kit.name).label
    assert run.state is State.BLOCKED
    assert f"{label} did not tell how many of them are new to it (It is closed.)" in run.message
    assert f"{label} did not tell which automations start for them (It is closed.)" in run.message
    assert told(engine, run).starts is None


def _replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch, method: str, function: Callable[..., Any]) -> None:
    opened = engine.service._vendor(engine.kit.name)
    assert isinstance(opened, Vendor)
    monkeypatch.setattr(type(opened), method, function)
