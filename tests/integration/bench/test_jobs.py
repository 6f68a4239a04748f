"""An account has room for so many jobs of its vendor's, and others need some of it."""

from __future__ import annotations

from shared.cloud.settings import StorageAddress
from shared.vendors.dotdigital.definition import DEFINITION
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import people
from tests.kits import DOTDIGITAL

BATCHES = DEFINITION.most_jobs + 5


def test_no_more_jobs_are_open_than_a_delivery_may_have(storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, DOTDIGITAL) as engine:
        engine.connect(settings={**DOTDIGITAL.settings, "batch_rows": 1})
        engine.define()
        engine.tell("settings", {"most_imports": DEFINITION.most_jobs, "latency_fixed": 0.02})
        engine.land(people(BATCHES))
        run = engine.run()
        assert engine.delivery(run).counts["add accepted"] == BATCHES
        imports = engine.calls("PUT /contacts/v3/import")
        assert [entry.status for entry in imports] == [202] * BATCHES
