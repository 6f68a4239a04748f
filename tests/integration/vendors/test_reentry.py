"""Campaign Monitor keeps whoever was taken off a list as deleted (code 205), and wants to be told to take them back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.outcomes import accounted
from tests.integration.delivery.engine import Engine, people
from tests.integration.vendors.conftest import Opened

WHO = "person3@example.com"
OTHERS = [each for each in people(6) if each.email != WHO]


def counts(engine: Engine) -> dict[str, int]:
    state = engine.inspect("state").json()
    return {name: state[name] for name in ("reentries", "resubscribes", "refusals_deleted")}


def leave(engine: Engine) -> None:
    """Everyone is added, and one of them leaves the segment: we take them off."""
    engine.land(people(6))
    engine.define()
    engine.run()
    engine.land(OTHERS)
    assert accounted(engine, engine.run()) == {"remove accepted": 1}
    assert WHO not in engine.members()


def test_whoever_we_took_off_comes_back_when_they_are_in_the_segment_again(opened: Opened) -> None:
    with opened("campaign-monitor") as engine:
        leave(engine)
        engine.land(people(6))
        assert accounted(engine, engine.run()) == {"add accepted": 1}
        assert WHO in engine.members()
        assert counts(engine) == {"reentries": 1, "resubscribes": 0, "refusals_deleted": 0}


SAID_NO: dict[str, dict[str, Any]] = {
    "unsubscribed": {"people": [{"email": WHO, "lists": ["Loyal"], "state": "Unsubscribed"}]},
    "bounced": {"people": [{"email": WHO, "lists": ["Loyal"], "state": "Bounced"}]},
    "suppressed": {"suppressed": [WHO]},
}


@pytest.mark.parametrize("how", SAID_NO)
def test_whoever_said_no_meanwhile_is_not_taken_back(opened: Opened, how: str) -> None:
    with opened("campaign-monitor") as engine:
        leave(engine)
        engine.tell("people", SAID_NO[how])
        engine.land(people(6))
        assert accounted(engine, engine.run()) == {"add rejected": 1}
        assert WHO not in engine.members()
        assert counts(engine) == {"reentries": 0, "resubscribes": 0, "refusals_deleted": 0}


@pytest.mark.parametrize("how", SAID_NO)
def test_whoever_said_no_and_leaves_the_segment_is_left_as_they_are(opened: Opened, how: str) -> None:
    """Deleting them would make them look as if they had never said it."""
    with opened("campaign-monitor") as engine:
        engine.land(people(6))
        engine.define()
        engine.run()
        engine.tell("people", SAID_NO[how])
        engine.land(OTHERS)
        assert accounted(engine, engine.run()) == {"remove skipped": 1}
        assert not [each for each in engine.calls("DELETE") if each.rows]
        engine.land(people(6))
        engine.run()
        assert counts(engine) == {"reentries": 0, "resubscribes": 0, "refusals_deleted": 0}


def test_whoever_somebody_else_deleted_is_not_taken_back(opened: Opened) -> None:
    with opened("campaign-monitor") as engine:
        engine.land(OTHERS)
        engine.define()
        engine.run()
        engine.tell("people", {"people": [{"email": WHO, "lists": ["Loyal"], "state": "Deleted"}]})
        engine.land(people(6))
        run = engine.run()
        assert accounted(engine, run) == {"add rejected": 1}
        assert "not overruled" in engine.rejected(run)[0]["reason"]
        assert counts(engine) == {"reentries": 0, "resubscribes": 0, "refusals_deleted": 0}
