"""An export with as many targets as one transaction can start; and one that was saved with more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.catalog.models import MAX_TARGETS
from shared.catalog.store import export_store
from shared.delivery.start import starting
from shared.delivery.state.runs import Runs
from shared.errors import Unprocessable
from tests.integration.delivery.engine import Engine, people

HOURLY = {"kind": "cron", "expression": "0 * * * *", "time_zone": "UTC"}


def test_an_export_with_the_most_targets_starts(engine: Engine) -> None:
    engine.define(targets=[{"segments": ["Loyal"], "list_name": f"List {n}"} for n in range(MAX_TARGETS)])
    run = engine.start()
    assert len(Runs(engine.cloud.runs).deliveries(run.export, run.run)) == MAX_TARGETS


def test_one_that_was_saved_with_more_is_refused_in_words(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.land(people(3))
    saved = engine.define(schedule=HOURLY)
    targets = tuple(saved.targets[0].model_copy(update={"list_name": f"List {n}"}) for n in range(MAX_TARGETS + 1))
    held = export_store(engine.cloud.exports).get(saved.name)
    assert held is not None
    export_store(engine.cloud.exports).replace(held.item.model_copy(update={"targets": targets}), held.etag)
    with pytest.raises(Unprocessable) as refused:
        engine.start()
    assert refused.value.code == "too_many_targets"
    assert str(MAX_TARGETS) in refused.value.message and str(len(targets)) in refused.value.message
    later = datetime.now(UTC) + timedelta(hours=2)
    assert starting.tick(engine.cloud, clock=lambda: later, newest=lambda segment: None) == []
    assert f"at most {MAX_TARGETS} targets" in caplog.text
    assert Runs(engine.cloud.runs).active(saved.name) is None
