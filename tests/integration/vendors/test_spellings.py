"""Omnisend may tell addresses apart by capital letters: whoever said no under one spelling said it."""

from __future__ import annotations

from tests.contract.outcomes import accounted, clean
from tests.integration.delivery.engine import Person
from tests.integration.vendors.conftest import Opened

MATCHING = [{"field": "firstName", "column": "FirstName"}, {"field": "emailConsentAt", "column": "City"}]


def test_nobody_gets_consent_by_a_change_of_case(opened: Opened) -> None:
    with opened("omnisend") as engine:
        engine.tell("people", {"people": [{"email": "Ann.Lee@Example.com", "status": "unsubscribed"}]})
        engine.land([Person("ann.lee@example.com", "Ann", "2020-01-01"), Person("bo@example.com", "Bo", "2020-01-01")])
        engine.define(matching=MATCHING)
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": 1, "add skipped": 1}
        assert [row["code"] for row in engine.rejected(run)] == ["unsubscribed"]
        assert engine.members().keys() == {"bo@example.com"}
        state = engine.inspect("state").json()
        assert (state["people"], state["unsubscribed"]) == (2, ["Ann.Lee@Example.com"])
        clean(engine)
