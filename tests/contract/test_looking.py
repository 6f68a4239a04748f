"""What every vendor that tells a count, or shows single people, tells and shows."""

from __future__ import annotations

import json

import pytest

from shared.delivery.account.connecting import open_connection
from shared.vendors.contract import Row, TargetFound, Vendor
from tests.integration.delivery.engine import Engine, people
from tests.integration.delivery.test_verifying import FRESH

ABSENT = "nobody@example.com"


@pytest.fixture
def vendor(engine: Engine) -> Vendor:
    """Of an engine that has delivered six people and taken one of them off again."""
    engine.tell("settings", FRESH.get(engine.kit.name, {}))
    engine.define()
    for count in (6, 5):
        engine.land(people(count))
        engine.run()
    engine.settled()
    connection = engine.catalog.connection(engine.kit.name).item
    return open_connection(engine.cloud, connection).vendor


def target(engine: Engine) -> TargetFound:
    [run] = [*engine.service.runs.page("newsletter", top=1, continuation=None).runs]
    found = engine.service._runs.delivery("newsletter", run.run, 0)
    assert found is not None
    kept = found.value.target
    return TargetFound(str(kept["list_id"]), str(kept["name"]), details=kept["details"])


def row(engine: Engine, address: str, first: str = "First1") -> Row:
    return Row(address, json.dumps({engine.kit.first: first, engine.kit.city: "City 1"}))


def test_people_on_the_target_are_counted_and_shown_as_they_are(engine: Engine, vendor: Vendor) -> None:
    """All that only looks, at one delivery's people."""
    nobody_costs_no_request(engine, vendor)
    the_count_is_the_people_on_the_target(engine, vendor)
    single_people_are_shown_as_they_are(engine, vendor)


def the_count_is_the_people_on_the_target(engine: Engine, vendor: Vendor) -> None:
    count = vendor.count(target(engine))
    assert count is None or count.people == len(engine.members()) == 5


def single_people_are_shown_as_they_are(engine: Engine, vendor: Vendor) -> None:
    rows = [
        row(engine, "person1@example.com"),
        row(engine, "person1@example.com", "Changed"),
        row(engine, "person5@example.com"),
        row(engine, ABSENT),
    ]
    seen = vendor.look_at(target(engine), rows)
    if not seen:
        return  # this vendor shows nobody
    assert [each.on_target for each in seen] == [True, True, False, False]
    assert not any(each.inactive for each in seen)
    assert {engine.kit.first, engine.kit.city} <= seen[0].compared
    assert (set(seen[0].differing), set(seen[1].differing)) == (set(), {engine.kit.first})


def nobody_costs_no_request(engine: Engine, vendor: Vendor) -> None:
    found, before = target(engine), len(engine.calls())
    assert vendor.look_at(found, []) == []
    assert len(engine.calls()) == before
