"""Rules, a holdout, people who move and people who opt out, in whatever order: the list is what twenty lines say."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.cloud.settings import StorageAddress
from shared.delivery.state.records import State
from tests.contract.hurry import hurry
from tests.contract.outcomes import GOOD
from tests.contract.prompt import Prompt
from tests.contract.test_opt_outs import collect, opt_out, wanted
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person
from tests.kits import KITS
from tests.sampling import EVERY

AWAY = "away@example.com"
CONSENT, FIRST, HELD, SHARE = "Rome", 5, "spring", 0.25
IDS = st.integers(0, 9)
EXAMPLES = 60 if EVERY else 3

steps = st.lists(
    st.one_of(
        st.tuples(st.just("land"), st.dictionaries(IDS, st.sampled_from([CONSENT, CONSENT, "Oslo", ""]), max_size=9)),
        st.tuples(st.just("moves"), st.sets(IDS, max_size=3)),
        st.tuples(st.just("suppressed"), st.sets(IDS, max_size=3)),
        st.tuples(st.just("opts out"), IDS),
        st.tuples(st.just("run"), st.just(None)),
    ),
    min_size=2,
    max_size=8,
)


@dataclass
class World:
    """The segment (id -> city), which address each id has, and what became of people so far."""

    segment: dict[int, str] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=lambda: {AWAY})
    opted_out: set[str] = field(default_factory=set)
    sent: dict[int, set[str]] = field(default_factory=dict)
    """Addresses by which a person was on the list."""

    def address(self, who: int) -> str:
        return f"person{who}v{self.moved.get(who, 0)}@example.com"

    def members(self) -> dict[str, int]:
        """The specification: address -> id of everyone who is to be on the list."""
        excluded = self.suppressed | self.opted_out
        allowed = [
            who
            for who, city in sorted(self.segment.items())
            if city == CONSENT and not excluded & {self.address(who), *self.sent.get(who, ())}
        ]
        return {self.address(who): who for who in allowed[:FIRST] if not held_out(self.address(who))}


def held_out(address: str) -> bool:
    digest = hashlib.md5(f"{HELD}:{address}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) < SHARE * 2**32


def land(engine: Engine, world: World) -> None:
    people = [Person(world.address(who), f"{who}", city, str(who)) for who, city in world.segment.items()]
    engine.land(people or [Person(AWAY, "9", "Oslo", "none")])


def take(engine: Engine, world: World, step: tuple[str, Any]) -> None:
    match step:
        case ("land", cities):
            world.segment = cities
            land(engine, world)
        case ("moves", whom):
            world.moved.update({who: world.moved.get(who, 0) + 1 for who in whom})
            land(engine, world)
        case ("suppressed", whom):
            world.suppressed = {AWAY, *map(world.address, whom)}
            engine.land([Person(each) for each in sorted(world.suppressed)], "Suppressed")
        case ("opts out", who):
            on_list = sorted(engine.members().keys() & world.sent.get(who, set()))
            opt_out(engine, *on_list)
            collect(engine)
            world.opted_out.update(on_list)
        case ("run", _):
            check(engine, world)


def check(engine: Engine, world: World) -> None:
    run = engine.run()
    assert run.state in (*GOOD, State.NOTHING), (run.state, run.message)
    expected = world.members()
    assert engine.members().keys() == expected.keys()
    for address, who in expected.items():
        world.sent.setdefault(who, set()).add(address)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
@example([("run", None), ("opts out", 1), ("moves", {1, 2}), ("run", None), ("moves", {2}), ("run", None)])
@example(
    [("run", None), ("suppressed", {0, 1, 2}), ("moves", {0}), ("run", None), ("suppressed", set()), ("run", None)]
)
def test_the_list_is_what_the_specification_says(storage: StorageAddress, taken: list[tuple[str, Any]]) -> None:
    unique = "t" + secrets.token_hex(6)
    with pytest.MonkeyPatch.context() as patch, engines.engine(storage, unique, KITS["klaviyo"]) as engine:
        hurry(patch)
        engine.cloud.slices = Prompt(storage, f"{unique}-slices")
        engine.tell("settings", engine.kit.unlimited)
        world = World()
        take(engine, world, ("suppressed", set()))
        take(engine, world, ("land", dict.fromkeys(range(8), CONSENT)))
        engine.connect(opt_outs=wanted(engine, exclude=True))
        engine.define(
            id_column="CustomerId",
            rules={
                "exclude": [{"segment": "Suppressed"}],
                "require": [{"column": "City", "one_of": [CONSENT]}],
                "limit": {"first": FIRST, "by": "FirstName", "read_as": "text", "order": "least"},
                "holdout": {"name": HELD, "share": SHARE},
            },
            guards={"max_removed_share": None, "max_removed_people": None, "max_removed_times": None},
        )
        for step in [*taken, ("run", None)]:
            take(engine, world, step)
