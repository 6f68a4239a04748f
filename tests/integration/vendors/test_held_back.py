"""Who may not be written to is held back: told once, and not tried again at every run."""

from __future__ import annotations

from typing import Any

import pytest

from shared.delivery.state.records import State
from tests.contract.outcomes import accounted, clean
from tests.integration.delivery.engine import Person, people
from tests.integration.vendors.conftest import Opened

WHO = "person3@example.com"
SAID_NO: dict[str, dict[str, Any]] = {
    "suppressed": {"suppressed": [WHO]},
    "unsubscribed": {"people": [{"email": WHO, "lists": ["Loyal"], "state": "Unsubscribed"}]},
    "bounced": {"people": [{"email": WHO, "lists": ["Loyal"], "state": "Bounced"}]},
}


@pytest.mark.parametrize("how", SAID_NO)
def test_whom_campaign_monitor_keeps_off_is_told_once(opened: Opened, how: str) -> None:
    with opened("campaign-monitor") as engine:
        engine.tell("people", {"lists": [{"name": "Loyal"}], **SAID_NO[how]})
        engine.land(people(5))
        engine.define()
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": 4, "add rejected": 1}
        assert [row["code"] for row in engine.rejected(run)] == [how]
        again = engine.run()
        assert again.state is State.NOTHING
        assert engine.report(again)["rows"]["held"] == 1
        changed = [each for each in people(5) if each.email != WHO]
        engine.land([*changed, Person(WHO, "Changed")])
        assert accounted(engine, engine.run()) == {"add rejected": 1}
        clean(engine)
