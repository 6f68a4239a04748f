"""Bad luck at a vendor: the run says what a person can do, nobody is lost, and the next run makes it good."""

from __future__ import annotations

from typing import Any

import pytest

from shared.delivery import inbox
from shared.delivery.state.records import Run, State
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, people
from tests.integration.vendors.conftest import Opened
from tests.integration.vendors.misfortunes import MISFORTUNES, Misfortune

EVERYONE = people(24)


def begin(engine: Engine) -> Run:
    """A run of which some people are on their way, and no slice is under way."""
    before, run = len(writes(engine)), engine.start()
    while not any(entry.worked for entry in writes(engine)[before:]):
        message = engine.queue.receive_message(visibility_timeout=600)
        if message is not None:
            inbox.receive(engine.cloud, message.content.encode())
            engine.queue.delete_message(message)
    assert engine.current(run).state is State.RUNNING, "nothing is left to go wrong"
    return run


def told(engine: Engine, run: Run) -> str:
    """Everything that people read about the run."""
    report = engine.report(run)
    reasons = [reason["reason"] for reason in report["reasons"]]
    return " ".join([run.message, *engine.delivery(run).warnings, *reasons])


@pytest.mark.parametrize("misfortune", MISFORTUNES, ids=str)
def test_bad_luck_is_told_and_made_good(opened: Opened, misfortune: Misfortune) -> None:
    with opened(misfortune.vendor) as engine:
        engine.land(EVERYONE)
        engine.define(targets=misfortune.targets)
        run = engine.start() if misfortune.before else begin(engine)
        misfortune.strike(engine)
        engine.pump()
        run = engine.current(run)
        assert run.state is misfortune.state, run.message
        outcomes = accounted(engine, run)
        assert outcomes.get("add accepted", 0) < len(EVERYONE)
        text = told(engine, run)
        assert [word for word in misfortune.words if word not in text] == [], text
        misfortune.mend(engine)
        recover(engine, rebuild=misfortune.rebuild)
        clean(engine)


def recover(engine: Engine, *, rebuild: bool) -> None:
    """The next run, without anything else; where a list of ours is gone, after a person asked for a new one."""
    run = engine.run()
    if rebuild:
        assert (run.state, "rebuild" in run.message) == (State.BLOCKED, True)
        run = engine.service.start("newsletter", b'{"kind": "rebuild"}').run
        engine.pump()
        run = engine.current(run)
    assert run.state in GOOD, run.message
    accounted(engine, run)
    assert engine.members() == {each.email: {"first": each.first, "city": each.city} for each in EVERYONE}
    assert engine.run().state is State.NOTHING


def test_a_field_that_was_deleted_between_runs_is_made_anew_and_filled_on_request(opened: Opened) -> None:
    """Campaign Monitor's fields belong to the list, so a run makes them; who did not change is not sent by itself."""
    with opened("campaign-monitor") as engine:
        engine.land(EVERYONE)
        engine.define()
        engine.run()
        vendor: Any = engine.simulator.vendor
        for each in vendor.client().lists.values():
            each.fields[:] = [field for field in each.fields if field.name != "City"]
        newcomer = people(1, 50)
        engine.land([*EVERYONE, *newcomer])
        run = engine.run()
        assert run.state in GOOD
        assert "Made the custom fields City" in told(engine, run)
        assert "full_resync" in told(engine, run)
        resync = engine.service.start("newsletter", b'{"kind": "full_resync"}').run
        engine.pump()
        assert engine.current(resync).state in GOOD
        assert {address: row["city"] for address, row in engine.members().items()} == {
            each.email: each.city for each in [*EVERYONE, *newcomer]
        }
