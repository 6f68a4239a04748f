"""People of whom it is not known whether they were ever added: taking them off makes nobody, at any vendor."""

from __future__ import annotations

import json
import time

import pytest

from dev.simulators.common.faults import Fault
from shared.delivery.account.connecting import open_connection
from shared.delivery.state.records import Run
from shared.vendors.contract import BatchResult, Kind, Outcome, Row, TargetFound
from tests.contract.outcomes import accounted, clean
from tests.integration.delivery.engine import Engine, Person, people

OURS = {"campaign-monitor", "dotdigital", "iterable", "klaviyo", "mailchimp", "omnisend"}
NOBODY = Row("never-there@example.com", unsure_since=1.0)
MEMBER = Row("person1@example.com", unsure_since=1.0)


def deliver(engine: Engine, run: Run, kind: Kind, rows: list[Row]) -> list[Outcome]:
    """One batch for the list that a run wrote to, to its end."""
    told = engine.delivery(run).target
    target = TargetFound(str(told["list_id"]), str(told["name"]), details=told["details"])
    vendor = open_connection(engine.cloud, engine.catalog.connection(engine.kit.name).item).vendor
    result = vendor.deliver(target, kind, rows)
    while result.staged is not None:
        result = _settled(vendor.settle(target, kind, rows, result.staged), result)
    return [result.others.get(index, result.default).outcome for index in range(len(rows))]


def take_off(engine: Engine, run: Run, rows: list[Row]) -> list[Outcome]:
    return deliver(engine, run, Kind.REMOVE, rows)


def _settled(found: BatchResult | None, before: BatchResult) -> BatchResult:
    time.sleep(0 if found else 0.02)
    return found or before


def _people(engine: Engine) -> int:
    """Of whom the vendor knows; the vendor that was made up does not tell."""
    return int(engine.inspect("state").json().get("people", 0))


def test_whom_the_vendor_does_not_have_is_taken_off_without_becoming_anybody(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    run = engine.run()
    known = _people(engine)
    assert take_off(engine, run, [NOBODY, MEMBER]) == [Outcome.ACCEPTED] * 2
    assert engine.members().keys() == {"person0@example.com", "person2@example.com"}
    assert _people(engine) == known
    clean(engine)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("others", [0, 30], ids=["alone", "among many"])
def test_whom_the_vendor_does_not_have_is_changed_without_becoming_anybody(engine: Engine, others: int) -> None:
    engine.land(people(3 + others))
    engine.define()
    run = engine.run()
    known, members = _people(engine), engine.members().keys()
    values = json.dumps({engine.kit.first: "Changed"})
    crowd = [Row(each.email, values) for each in people(3 + others)]
    outcomes = deliver(engine, run, Kind.CHANGE, [NOBODY._replace(values=values, unsure_since=None), *crowd])
    # A vendor whose changes make nobody may take them in silence.
    assert outcomes[0] is Outcome.REJECTED or engine.kit.name not in OURS
    assert outcomes[1:] == [Outcome.ACCEPTED] * len(crowd)
    assert engine.members().keys() == members
    assert _people(engine) == known
    clean(engine)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("address", ["name@refused", "two words@example.com", "no-address"])
def test_an_address_that_the_vendor_does_not_take_keeps_nobody_on_the_list(engine: Engine, address: str) -> None:
    engine.land(people(3))
    engine.define()
    run = engine.run()
    assert take_off(engine, run, [Row(address, unsure_since=1.0), MEMBER])[1] is Outcome.ACCEPTED
    assert engine.members().keys() == {"person0@example.com", "person2@example.com"}


def test_who_was_perhaps_added_and_leaves_is_off_the_list_and_nobody_is_made(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    engine.run()
    engine.land(people(8))
    faults = [Fault(endpoint=endpoint, kind="drop", every=1, times=4) for endpoint in {*engine.kit.adds}]
    engine.simulator.faults.set(faults)
    unsure = accounted(engine, engine.run())
    engine.simulator.faults.set([])
    known = _people(engine)
    engine.land([*people(3), Person("new@example.com")])
    accounted(engine, engine.run())
    assert engine.members().keys() == {"new@example.com", *(each.email for each in people(3))}, unsure
    assert _people(engine) <= known + 1
    clean(engine)
