"""What several contract tests ask of a run."""

from __future__ import annotations

from typing import Any

from shared.delivery.state.records import Run, State
from tests.integration.delivery.engine import Engine

GOOD = (State.SUCCEEDED, State.WARNINGS)


def accounted(engine: Engine, run: Run) -> dict[str, int]:
    """A run's outcomes, after checking that every row and every operation has exactly one end."""
    report = engine.report(run)
    rows, outcomes = report["rows"], report["outcomes"]
    ends = ("add", "change", "unchanged", "held", "outside", "duplicates", "refused_here", "kept_back", "later")
    assert rows["rows_read"] == sum(rows[name] for name in ends)
    assert rows["add"] + rows["change"] + rows["remove"] == sum(outcomes.values())
    return dict(outcomes)


def clean(engine: Engine) -> None:
    """Nobody was deleted, unsubscribed, suppressed or resubscribed."""
    for entry in engine.calls():
        assert not any(word in entry.endpoint for word in engine.kit.forbidden), entry.endpoint
    state = engine.inspect("state").json()
    assert {name: state[name] for name in engine.kit.consent_counts if state[name]} == {}


def writes(engine: Engine) -> list[Any]:
    """The simulator's journal of the calls that carry operations."""
    kit = engine.kit
    known = {*kit.adds, *kit.changes, *kit.removes}
    return [entry for entry in engine.calls() if entry.endpoint in known]
