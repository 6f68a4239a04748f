"""Batches that the vendor finds too large, or that name a person twice."""

from __future__ import annotations

from typing import Any

import pytest

from shared.delivery.account.connecting import open_connection
from shared.vendors.contract import BatchResult, FieldType, Kind, Outcome, Receipt, Row, TargetFound, TargetWanted
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.integration.delivery.engine import Engine, Person, people

MOST_BYTES = 2500
"""Of a request, by the simulator; a dozen people or so."""


def test_a_batch_that_is_too_large_is_halved_until_it_fits(engine: Engine) -> None:
    engine.tell("settings", {"most_bytes": MOST_BYTES})
    engine.land(people(60))
    engine.define()
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"add accepted": 60}
    assert engine.members().keys() == {each.email for each in people(60)}
    sent = writes(engine)
    assert any(entry.status in (400, 413) and not entry.worked for entry in sent), "nothing was too large"
    assert all(entry.body_bytes <= MOST_BYTES for entry in sent if entry.worked)
    assert len(sent) < 60, "they were not halved but sent one by one"
    clean(engine)


def test_a_person_who_is_too_large_alone_keeps_nobody_else_off_the_list(engine: Engine) -> None:
    engine.tell("settings", {"most_bytes": 600})
    large = Person("large@example.com", "é" * 250, "ö" * 250)
    engine.land([*people(9), large, *people(9, 50)])
    engine.define()
    run = engine.run()
    assert accounted(engine, run) == {"add accepted": 18, "add rejected": 1}
    [row] = engine.rejected(run)
    assert row["address"] == "large@example.com"
    assert "too large" in row["reason"]
    assert engine.members().keys() == {each.email for each in [*people(9), *people(9, 50)]}


def receipts(result: BatchResult, rows: int) -> list[Receipt]:
    return [result.others.get(index, result.default) for index in range(rows)]


def delivered(engine: Engine, kind: Kind, rows: list[Row], fields: dict[str, FieldType]) -> list[Receipt]:
    """What becomes of rows that are given to the vendor's client without the engine, which would not let it happen."""
    vendor: Any = open_connection(engine.cloud, engine.catalog.connection(engine.kit.name).item).vendor
    target: TargetFound = vendor.prepare(TargetWanted(None, "Loyal"), None, fields)
    result: BatchResult = vendor.deliver(target, kind, rows)
    while result.staged is not None:
        engine.settled()
        result = vendor.settle(target, kind, rows, result.staged) or result
    return receipts(result, len(rows))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("second", ["twice@example.com", "TWICE@Example.com"])
def test_a_person_who_is_twice_in_a_batch_gets_a_word_each_time_and_disturbs_nobody(
    engine: Engine, second: str
) -> None:
    first = f'"{engine.kit.first}"'
    rows = [Row(f"one{number}@example.com", f'{{{first}: "One"}}') for number in range(4)]
    rows += [Row("twice@example.com", f'{{{first}: "A"}}'), Row(second, f'{{{first}: "B"}}')]
    found = delivered(engine, Kind.ADD, rows, {engine.kit.first: FieldType.STRING})
    assert [each.outcome for each in found[:4]] == [Outcome.ACCEPTED] * 4
    assert len(found) == 6
    members = {address.lower() for address in engine.members()}
    assert members >= {row.address for row in rows[:4]}
    if Outcome.ACCEPTED in (found[4].outcome, found[5].outcome):
        assert "twice@example.com" in members
    assert all(each.code and each.reason for each in found[4:] if each.outcome is not Outcome.ACCEPTED)
    clean(engine)


def test_a_person_who_is_twice_in_the_segments_is_sent_once(engine: Engine) -> None:
    engine.land([*people(20), Person(" PERSON3@example.com", "Double"), Person("person4@EXAMPLE.com", "Double")])
    engine.define()
    run = engine.run()
    assert accounted(engine, run) == {"add accepted": 20}
    assert engine.report(run)["rows"]["duplicates"] == 2
    for endpoint in engine.kit.adds:
        touched = [address for entry in engine.calls() if entry.endpoint == endpoint for address in entry.touched]
        assert sorted(touched) == sorted(each.email for each in people(20))
    assert engine.members()["person3@example.com"]["first"] == "First3"
