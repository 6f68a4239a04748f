"""Klaviyo's people from one run to the next: found by their id, left alone where they said no, and nobody's consent
touched."""

from __future__ import annotations

from typing import Any

import pytest

from shared.delivery.state.records import State
from tests.contract.outcomes import GOOD, accounted, clean
from tests.integration.delivery.engine import Engine, Person, people
from tests.integration.vendors.conftest import Opened

WHO = "person3@example.com"
OTHERS = [each for each in people(5) if each.email != WHO]


def begin(engine: Engine) -> None:
    engine.land(people(5))
    engine.define()
    assert engine.run().state in (State.SUCCEEDED, State.WARNINGS)


def profiles(engine: Engine) -> dict[str, str]:
    vendor: Any = engine.simulator.vendor
    return {each.email: str(each.attributes.get("first_name", "")) for each in vendor.account().people()}


@pytest.mark.parametrize("present", ["changes", "leaves"])
def test_who_was_deleted_is_not_made_anew(opened: Opened, present: str) -> None:
    with opened("klaviyo") as engine:
        begin(engine)
        engine.tell("people", {"erased": [WHO]})
        engine.land([*OTHERS, Person(WHO, "Changed")] if present == "changes" else OTHERS)
        run = engine.run()
        assert WHO not in profiles(engine)
        expected = {"change rejected": 1} if present == "changes" else {"remove accepted": 1}
        assert accounted(engine, run) == expected


@pytest.mark.parametrize("present", ["changes", "leaves"])
def test_whose_address_was_changed_there_is_found_by_the_id(opened: Opened, present: str) -> None:
    with opened("klaviyo") as engine:
        begin(engine)
        engine.tell("people", {"renamed": {WHO: "new@example.com"}})
        engine.land([*OTHERS, Person(WHO, "Changed")] if present == "changes" else OTHERS)
        run = engine.run()
        assert WHO not in profiles(engine)
        if present == "changes":
            assert accounted(engine, run) == {"change accepted": 1}
            assert profiles(engine)["new@example.com"] == "Changed"
        else:
            assert accounted(engine, run) == {"remove accepted": 1}
            assert "new@example.com" not in engine.members()


def test_who_left_the_list_by_themselves_is_not_put_back_and_is_counted(opened: Opened) -> None:
    with opened("klaviyo") as engine:
        begin(engine)
        engine.tell("people", {"people": [{"email": WHO, "unsubscribedFrom": ["Loyal"]}]})
        engine.land(OTHERS)
        engine.run()
        engine.land(people(5))
        run = engine.run()
        assert accounted(engine, run) == {"add skipped": 1}
        assert WHO not in engine.members()
        clean(engine)


def test_who_is_suppressed_stays_so_and_the_change_arrives(opened: Opened) -> None:
    with opened("klaviyo") as engine:
        begin(engine)
        engine.tell("people", {"people": [{"email": WHO, "suppressions": ["HARD_BOUNCE"]}]})
        engine.land([*OTHERS, Person(WHO, "Changed")])
        assert accounted(engine, engine.run()) == {"change accepted": 1}
        assert profiles(engine)[WHO] == "Changed"
        assert WHO in engine.inspect("state").json()["unsubscribed"]
        clean(engine)


def test_a_number_that_is_none_is_left_out_and_counted_and_one_without_its_country_is_completed(opened: Opened) -> None:
    matching = [{"field": "phone_number", "column": "FirstName"}]
    with opened("klaviyo") as engine:
        engine.land([Person("a@example.com", "01632 960000"), Person("b@example.com", "call me")])
        engine.define(matching=matching, phone_country="GB")
        run = engine.run()
        assert accounted(engine, run) == {"add accepted": 2}
        assert engine.delivery(run).left_out == {"phone_number": 1}
        vendor: Any = engine.simulator.vendor
        numbers = {each.email: each.attributes.get("phone_number") for each in vendor.account().people()}
        assert numbers == {"a@example.com": "+441632960000", "b@example.com": None}


@pytest.mark.parametrize("original_payload", ["flat", "nested", "null"])
@pytest.mark.parametrize("error_pointer", ["job", "row"])
def test_somebody_with_another_persons_number_is_refused_alone(
    opened: Opened, original_payload: str, error_pointer: str
) -> None:
    with opened("klaviyo") as engine:
        engine.tell("settings", {"original_payload": original_payload, "error_pointer": error_pointer})
        taken = {"email": "owner@example.com", "dataFields": {"phone_number": "+441632960000"}}
        engine.tell("people", {"people": [taken, {"email": "1@example.com"}]})
        engine.land([Person(f"{n}@example.com", "01632 960000" if n == 1 else "") for n in range(3)])
        engine.define(matching=[{"field": "phone_number", "column": "FirstName"}], phone_country="GB")
        outcomes = accounted(engine, engine.run())
        named = (original_payload, error_pointer) != ("null", "job")
        assert outcomes == {"add accepted": 2, "add rejected" if named else "add unknown": 1}
        assert engine.members().keys() == {"0@example.com", "2@example.com"}


@pytest.mark.parametrize("absent_removal", [204, 400])
def test_who_was_taken_off_by_hand_keeps_nobody_else_on_the_list(opened: Opened, absent_removal: int) -> None:
    with opened("klaviyo") as engine:
        engine.tell("settings", {"absent_removal": absent_removal})
        begin(engine)
        vendor: Any = engine.simulator.vendor
        account = vendor.account()
        [listed] = [each for each in account.lists.values() if each.name == "Loyal"]
        listed.leave(account.by("email", WHO), 0.0)
        engine.land(people(1))
        run = engine.run()
        assert run.state in GOOD, run.message
        assert accounted(engine, run) == {"remove accepted": 4}
        assert engine.members().keys() == {"person0@example.com"}
