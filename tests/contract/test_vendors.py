"""What every vendor keeps, with no exception for any of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from shared.cloud.settings import StorageAddress
from shared.delivery.account.connecting import open_connection
from shared.delivery.state.records import ENDED, State
from shared.vendors.contract import Kind, TargetFound
from shared.vendors.registry import DEFINITIONS, definition
from tests.contract.outcomes import GOOD, accounted, clean, writes
from tests.contract.prompt import Prompt
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person, people
from tests.kits import KITS, Kit


def calm(engine: Engine) -> None:
    """The trouble is over; two runs at most resolve what it left."""
    engine.simulator.faults.set([])
    for _ in range(2):
        if all(outcome.endswith("accepted") for outcome in accounted(engine, engine.run())):
            break


def test_every_vendor_of_the_registry_is_tested() -> None:
    assert KITS.keys() == DEFINITIONS.keys()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("storage", ["memory", "azurite"], indirect=True)
def test_in_full_the_first_time_and_as_a_difference_the_second(engine: Engine) -> None:
    engine.land([*people(60), Person("bad@@example"), Person(" PERSON1@Example.com ")])
    engine.define()
    first = engine.run()
    assert first.state in GOOD, first.message
    assert accounted(engine, first) == {"add accepted": 60}
    assert engine.members() == {each.email: {"first": each.first, "city": each.city} for each in people(60)}
    before = len(writes(engine))
    engine.land([Person("person7@example.com", "Changed", "City 0"), *people(50, 8), *people(3, 500)])
    second = engine.run()
    assert second.state in GOOD, second.message
    assert accounted(engine, second) == {"add accepted": 3, "change accepted": 1, "remove accepted": 9} | {
        "remove accepted": 9
    }
    assert engine.members().keys() == {each.email for each in [*people(51, 7), *people(3, 500)]}
    assert engine.members()["person7@example.com"]["first"] == "Changed"
    assert 3 <= len(writes(engine)) - before <= 3 + 9
    assert engine.run().state is State.NOTHING
    clean(engine)


def test_an_empty_batch_makes_no_request(engine: Engine) -> None:
    connection = engine.catalog.connection(engine.kit.name).item
    vendor = open_connection(engine.cloud, connection).vendor
    before = len(engine.calls())
    for kind in Kind:
        result = vendor.deliver(TargetFound("1", "Loyal"), kind, [])
        assert (dict(result.others), result.staged) == ({}, None)
    assert len(engine.calls()) == before


@pytest.mark.in_turn("kit", 2)
def test_additions_and_changes_go_before_removals(engine: Engine) -> None:
    engine.land(people(30))
    engine.define()
    engine.run()
    before = len(writes(engine))
    engine.land([*people(20), *people(10, 100), Person("person20@example.com", "Changed")])
    engine.run()
    leavers = {each.email for each in people(9, 21)}
    sent = [{*entry.touched} for entry in writes(engine)[before:] if entry.touched]
    removals = [index for index, touched in enumerate(sent) if touched & leavers]
    others = [index for index, touched in enumerate(sent) if touched - leavers]
    assert removals and others and max(others) < min(removals)


def test_a_refusal_lands_on_the_right_row(engine: Engine) -> None:
    engine.kit.refuse(engine, engine.kit.refused)
    engine.land([*people(10), Person(engine.kit.refused, "Odd"), *people(10, 50)])
    engine.define()
    run = engine.run()
    outcomes = accounted(engine, run)
    assert outcomes.pop("add accepted") == 20
    assert outcomes in ({"add rejected": 1}, {"add skipped": 1})
    [row] = engine.rejected(run)
    assert (row["address"], row["operation"]) == (engine.kit.refused, "add")
    assert row["code"] and row["reason"]
    assert engine.kit.refused not in engine.members()
    clean(engine)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("retry_after", ["absent", "seconds", "http_date"])
def test_a_rate_limit_is_obeyed_and_costs_nobody(engine: Engine, retry_after: str) -> None:
    engine.tell("settings", {"retry_after": retry_after})
    endpoint = engine.kit.adds[0]
    wait: dict[str, Any] = {} if retry_after == "absent" else {"retry_after": 1}
    engine.simulator.faults.set([Fault(endpoint=endpoint, kind="rate_limited", every=1, times=2, **wait)])
    engine.land(people(20))
    engine.define()
    run = engine.run()
    assert run.state in GOOD, run.message
    assert accounted(engine, run) == {"add accepted": 20}
    assert len(engine.members()) == 20
    if retry_after == "seconds":
        asked = [(each.at, each.fault) for each in engine.calls(endpoint)]
        waits = [later - at for (at, fault), (later, _) in pairwise(asked) if fault == "rate_limited"]
        assert len(waits) == 2 and min(waits) >= 1, waits
    clean(engine)


SILENCE = 1.0
"""Seconds without an answer that are too many."""

TROUBLE: dict[str, dict[str, Any]] = {
    "500": {"kind": "error", "status": 500, "every": 1, "times": 1},
    "503": {"kind": "error", "status": 503, "every": 1, "times": 1},
    "HTML with 502": {"kind": "html", "status": 502, "every": 1, "times": 1},
    "HTML with 200": {"kind": "html", "status": 200, "every": 1, "times": 1},
    "JSON of an unknown shape": {"kind": "unknown_json", "every": 1, "times": 1},
    "dropped before the work": {"kind": "drop", "every": 1, "times": 1},
    "dropped after the work": {"kind": "drop", "work": True, "every": 1, "times": 1},
    "truncated answer": {"kind": "truncate", "every": 1, "times": 1},
    "silence before the work": {"kind": "hang", "every": 1, "times": 1},
    "silence after the work": {"kind": "hang", "work": True, "seconds": 30, "every": 1, "times": 1},
    "dropped for a while": {"kind": "drop", "work": True, "every": 1, "times": 4},
    "unknown shape for a while": {"kind": "unknown_json", "every": 1, "times": 4},
}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_never_counts_as_success_and_passes(
    engine: Engine, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the vendor answers, or if it does not: the report is true at once, and the list once that is over."""
    monkeypatch.setattr("shared.transport._timeouts", lambda seconds: (10.0, SILENCE))
    faults = [Fault(endpoint=endpoint, **TROUBLE[trouble]) for endpoint in {*engine.kit.adds, *engine.kit.removes}]
    engine.land(people(20)[10:])
    engine.define()
    engine.run()
    engine.land(people(15))
    engine.simulator.faults.set(faults)
    run = engine.run()
    assert run.state in ENDED, run.message
    outcomes = accounted(engine, run)
    wanted = {each.email for each in people(15)}
    assert outcomes.get("add accepted", 0) <= len(engine.members().keys() & wanted) - 5
    assert outcomes.get("remove accepted", 0) <= 5 - len(engine.members().keys() - wanted)
    calm(engine)
    assert engine.members().keys() == wanted
    clean(engine)


def test_odd_addresses_arrive_as_they_are(engine: Engine) -> None:
    odd = ["plus+tag@example.com", "o'hara@example.com", "UPPER.Case@Example.COM", "under_score@example.org"]
    engine.land([Person(each, "Odd") for each in odd])
    engine.define()
    run = engine.run()
    assert accounted(engine, run) == {"add accepted": 4}, engine.rejected(run)
    assert engine.members().keys() == {each.lower() for each in odd}
    engine.land([Person("other@example.com")])
    assert accounted(engine, engine.run()) == {"add accepted": 1, "remove accepted": 4}
    assert engine.members().keys() == {"other@example.com"}
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_unicode_values_arrive_as_they_are(engine: Engine) -> None:
    names = ["Zoë", "李雷", "Ștefănescu", 'He said "hi"', "Ann\\b", "O'Hara"]
    engine.land([Person(f"u{number}@example.com", name, "São Paulo") for number, name in enumerate(names)])
    engine.define()
    engine.run()
    assert [engine.members()[f"u{number}@example.com"]["first"] for number in range(len(names))] == names


def test_an_empty_cell_is_kept_or_cleared_as_chosen(engine: Engine) -> None:
    engine.land([Person("ana@example.com", "Ana", "Rome")])
    engine.define()
    engine.run()
    engine.land([Person("ana@example.com", "", "")])
    run = engine.run()
    assert accounted(engine, run) == {"change accepted": 1}, engine.rejected(run)
    city = {} if definition(engine.kit.name).clears(engine.kit.city) else {"city": "Rome"}  # then nobody could choose
    assert engine.members() == {"ana@example.com": {"first": "Ana", **city}}


def test_who_unsubscribed_stays_so_also_by_leaving_and_returning(engine: Engine) -> None:
    engine.land(people(10))
    engine.define()
    engine.run()
    engine.tell("people", engine.kit.unsubscribed("person3@example.com", engine.kit.list_name("Loyal")))
    for present in (people(2), people(10), [Person(each.email, "Changed") for each in people(10)]):
        engine.land(present)
        accounted(engine, engine.run())
        assert engine.kit.is_unsubscribed(engine, "person3@example.com")
    clean(engine)


def test_who_unsubscribed_before_we_ever_add_them_is_not_subscribed_by_it(engine: Engine) -> None:
    """Nothing of ours knows of them: they are on no list of ours, and the segment has them."""
    other = engine.kit.list_name("Other")
    engine.tell("people", {"lists": [{"name": other}]})
    engine.tell("people", engine.kit.unsubscribed("person3@example.com", other))
    engine.land(people(5))
    engine.define()
    for changed in ("Ann", "Bo"):
        accounted(engine, engine.run())
        assert engine.kit.is_unsubscribed(engine, "person3@example.com")
        engine.land([Person(each.email, changed) for each in people(5)])
    clean(engine)


@pytest.mark.in_turn("kit", 3)
def test_people_on_the_list_who_are_not_ours_stay(engine: Engine) -> None:
    engine.land(people(5))
    engine.define()
    engine.run()
    engine.tell("people", {"people": [{"email": "stranger@example.com", "lists": [engine.kit.list_name("Loyal")]}]})
    engine.land(people(2, 100))
    engine.run()
    assert engine.members().keys() == {"stranger@example.com", *(each.email for each in people(2, 100))}
    clean(engine)


@pytest.mark.in_turn("kit", 2)
def test_a_slice_goes_on_where_the_last_one_stopped(kit: Kit, storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, kit, slice_seconds=0.001) as engine:
        engine.cloud.slices = Prompt(storage, f"{unique}-slices")
        engine.connect()
        engine.land(people(40))
        engine.define()
        run = engine.run()
        assert run.state in GOOD, run.message
        assert accounted(engine, run) == {"add accepted": 40}
        assert len(engine.members()) == 40


@pytest.mark.in_turn("kit", 3)
def test_a_rotated_secret_is_picked_up_on_the_way(engine: Engine) -> None:
    engine.land(people(5))
    engine.define()
    engine.run()
    for credential, value in engine.kit.new_secret(engine).items():
        secrets: Any = engine.cloud.secrets
        secrets.rotated[engines.secret_name(credential)] = value
    engine.land(people(6))
    run = engine.run()
    assert run.state in GOOD, run.message
    assert len(engine.members()) == 6


def test_a_wrong_secret_says_what_to_do(engine: Engine) -> None:
    engine.kit.new_secret(engine)
    checked = engine.service.check_connection(engine.kit.name)
    assert not checked.ok and checked.code and len(checked.message) > 20
    engine.land(people(5))
    connection = engine.catalog.connection(engine.kit.name).item
    assert connection.account is not None
    engine.define()
    run = engine.run()
    assert run.state is State.FAILED
    assert run.message


def test_the_account_is_known_and_names_no_secret(engine: Engine) -> None:
    connection = engine.catalog.connection(engine.kit.name).item
    assert connection.check_code == "ok", connection.check_message
    assert connection.account
    assert not any(value in connection.model_dump_json() for value in engine.kit.secrets.values())
