"""A row of which no request can be built: it is refused by name, and everybody else is served, at any vendor."""

from __future__ import annotations

import pytest

from shared.delivery.account.connecting import open_connection
from shared.delivery.send.isolating import NOT_BUILT, Isolating
from shared.vendors.contract import BatchResult, FieldType, Kind, Outcome, Receipt, Row, TargetFound, TargetWanted
from tests.contract.outcomes import clean
from tests.integration.delivery.engine import Engine

UNWRITABLE = "half\ud800@example.com"
"""Half a character, which neither JSON nor the address of a request can hold."""


def delivered(engine: Engine, kind: Kind, rows: list[Row]) -> list[Receipt]:
    """What becomes of the rows of a batch, as the engine sends it."""
    opened = open_connection(engine.cloud, engine.catalog.connection(engine.kit.name).item)
    target: TargetFound = opened.vendor.prepare(TargetWanted(None, "Loyal"), None, {engine.kit.first: FieldType.STRING})
    batches = Isolating(opened.vendor, target, beforehand=opened.definition.most_jobs > 0)
    result: BatchResult = batches.deliver(kind, rows)
    while result.staged is not None:
        engine.settled()
        result = batches.settle(kind, rows, result.staged) or result
    return [result.others.get(index, result.default) for index in range(len(rows))]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("unsure", [None, 1.0], ids=["known", "unsure"])
def test_a_row_that_cannot_be_built_is_refused_alone(engine: Engine, unsure: float | None) -> None:
    good = [Row(f"one{number}@example.com", f'{{"{engine.kit.first}": "One"}}') for number in range(5)]
    for kind in (Kind.ADD, Kind.CHANGE, Kind.REMOVE):
        removed = [Row(row.address, unsure_since=unsure) for row in good]
        rows = removed if kind is Kind.REMOVE else good
        bad = Row(UNWRITABLE, unsure_since=unsure if kind is Kind.REMOVE else None)
        found = delivered(engine, kind, [*rows[:2], bad, *rows[2:]])
        assert found[2] == NOT_BUILT, kind
        assert {each.outcome for place, each in enumerate(found) if place != 2} == {Outcome.ACCEPTED}, (kind, found)
        members = set() if kind is Kind.REMOVE else {row.address for row in rows}
        assert engine.members().keys() == members
    clean(engine)
