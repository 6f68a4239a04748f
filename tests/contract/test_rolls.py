"""Rolls of people who said no, at vendors that are asked for them page by page: they change between any two pages."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from shared.transport import Wire
from tests.contract.outcomes import accounted, clean
from tests.integration.delivery.engine import Engine, people
from tests.kits import KITS

PEOPLE = [each.email for each in people(45)]
OPPOSED = PEOPLE[5:]
SUBSCRIBERS = people(5)


@contextmanager
def after_each_question(then: Callable[[], None]) -> Iterator[None]:
    """Something happens at the vendor after each answer to a GET."""
    send = Wire.__call__

    def watched(wire: Wire, method: str, *rest: Any) -> Any:
        answer = send(wire, method, *rest)
        if method == "GET":
            then()
        return answer

    with mock.patch.object(Wire, "__call__", watched):
        yield


class Crowd:
    """People who said no, of whom now and then one changes their mind, and another says no instead."""

    def __init__(self, engine: Engine, how: str) -> None:
        self.engine = engine
        self.how = how
        self.opposed = list(OPPOSED)
        self.newcomers = iter(range(1000))
        self.random = random.Random(how)
        self.busy = 0

    def say(self, body: Any) -> None:
        self.engine.tell("people", body)

    def oppose(self, *addresses: str) -> None:
        name = self.engine.kit.list_name("Loyal")
        for address in addresses:
            self.say(self.engine.kit.oppose(address, name))

    def change(self) -> None:
        if self.busy >= 60 or len(self.opposed) < 20:
            return
        self.busy += 1
        place = 0 if self.how == "first" else self.random.randrange(len(self.opposed))
        address = self.opposed.pop(place)
        self.say(self.engine.kit.resubscribed(address, self.engine.kit.list_name("Loyal")))
        if self.how == "swap":
            self.oppose(f"newcomer{next(self.newcomers)}@example.com")
        elif self.how == "return":
            self.opposed.append(address)
            self.oppose(address)


@pytest.fixture
def crowd(engine: Engine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    """Everyone was added; then most of them said no, whose roll is read by short pages."""
    for name, size in engine.kit.pages.items():
        monkeypatch.setattr(name, size)
    engine.land(people(len(PEOPLE)))
    engine.define()
    engine.run()
    made = Crowd(engine, request.param)
    made.oppose(*OPPOSED)
    return made


@pytest.mark.sampled(3)
@pytest.mark.parametrize("crowd", ["first", "swap", "return"], indirect=True)
def test_nobody_is_missed_who_said_no_whatever_changes_while_their_roll_is_read(engine: Engine, crowd: Crowd) -> None:
    """They leave the segment, and come back to it."""
    for present in (SUBSCRIBERS, people(len(PEOPLE))):
        engine.land(present)
        with after_each_question(crowd.change):
            accounted(engine, engine.run())
        assert engine.kit.opted_out(engine) >= len(crowd.opposed)
        clean(engine)
    if engine.kit.pages:
        assert crowd.busy > 3, "the roll was not read page by page"


def test_every_vendor_that_is_read_by_number_or_place_says_how_long_its_pages_are() -> None:
    """Those whose answers are whole, or that lead from page to page by a cursor, cannot miss anybody."""
    assert {name for name, kit in KITS.items() if kit.pages} == {"dotdigital", "campaign-monitor", "mailchimp"}
