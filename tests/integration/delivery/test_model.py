"""Whatever happens in whatever order, the truth fits on a page: the list is what the model says."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dev.simulators.common.faults import Fault
from dev.simulators.iterable import PROJECT
from shared.cloud.settings import StorageAddress
from shared.delivery.state.records import ENDED, State
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person
from tests.sampling import EVERY

WRITES = ("POST /api/lists/subscribe", "POST /api/users/bulkUpdate", "POST /api/lists/unsubscribe")
NUMBERS = st.integers(0, 7)
EXAMPLES = 100 if EVERY else 3

steps = st.lists(
    st.one_of(
        st.tuples(st.just("land"), st.dictionaries(NUMBERS, st.sampled_from(["Rome", "Oslo", ""]), max_size=8)),
        st.tuples(st.just("run"), st.just(None)),
        st.tuples(st.just("run twice"), st.just(None)),
        st.tuples(
            st.just("faults"),
            st.lists(
                st.tuples(st.sampled_from(WRITES), st.sampled_from(["drop", "drop after", "error"]), st.integers(1, 3)),
                max_size=2,
            ),
        ),
        st.tuples(st.just("stranger"), NUMBERS),
    ),
    max_size=7,
)


@dataclass
class Truth:
    """Who should be on the list once everything has calmed down: address -> city."""

    segment: dict[str, str] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)

    def members(self) -> set[str]:
        return self.segment.keys() | self.strangers


def address(number: int) -> str:
    return f"person{number}@example.com"


def take(engine: Engine, truth: Truth, step: tuple[str, Any]) -> None:
    match step:
        case ("land", cities):
            truth.segment = {address(number): city for number, city in cities.items()}
            engine.land([Person(each, "First", city) for each, city in truth.segment.items()])
        case ("run", _):
            check(engine)
        case ("run twice", _):
            engine.start()
            check(engine)
        case ("faults", faults):
            engine.simulator.faults.set([fault(*each) for each in faults])
        case ("stranger", number):
            add_stranger(engine, truth, f"stranger{number}@example.com")


def fault(endpoint: str, kind: str, times: int) -> Fault:
    if kind == "error":
        return Fault(endpoint=endpoint, kind="error", status=500, every=1, times=times)
    return Fault(endpoint=endpoint, kind="drop", work=kind == "drop after", every=1, times=times)


def add_stranger(engine: Engine, truth: Truth, who: str) -> None:
    project = engine.simulator.vendor.project(PROJECT)
    if any(each.name == "Loyal" for each in project.lists.values()):
        body = {"people": [{"email": who, "lists": ["Loyal"]}]}
        assert requests.post(f"{engine.simulator.url}/_simulator/people", json=body, timeout=10).ok
        truth.strangers.add(who)


def check(engine: Engine) -> None:
    """Run, deliver what a guard stopped, and hold the run's report against itself."""
    run = engine.run()
    if run.state is State.BLOCKED:  # an empty snapshot waits for a person, and here it is meant
        plan = engine.delivery(run).plan
        engine.service.decide(run.export, run.run, plan=plan, decision="deliver", by="admin")
        engine.pump()
        run = engine.current(run)
    assert run.state in ENDED, run.message
    report = engine.report(run)
    rows = report["rows"]
    ends = ("add", "change", "unchanged", "held", "outside", "duplicates", "refused_here", "kept_back", "later")
    assert rows["rows_read"] == sum(rows[name] for name in ends)
    assert rows["add"] + rows["change"] + rows["remove"] == sum(report["outcomes"].values())


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
@example([("land", {}), ("run", None), ("land", {0: "Oslo"})])
@example([("faults", [(WRITES[0], "drop after", 3)]), ("run", None), ("land", {0: "Rome"})])
def test_the_list_is_what_the_model_says(storage: StorageAddress, taken: list[tuple[str, Any]]) -> None:
    with engines.engine(storage, "t" + secrets.token_hex(6)) as engine:
        engine.connect()
        engine.define(guards={"max_removed_share": None, "max_invalid_share": None})
        truth = Truth()
        take(engine, truth, ("land", {0: "Rome", 1: "Oslo"}))
        for step in taken:
            take(engine, truth, step)
        engine.simulator.faults.set([])
        for _ in range(2):  # what stayed unknown or was refused for now is resolved by the next run
            check(engine)
        assert engine.members().keys() == truth.members()
        project = engine.simulator.vendor.project(PROJECT)
        for who, city in truth.segment.items():
            person = project.person(who)
            assert person is not None and person.fields.get("city", "") == city
        assert project.channel_unsubscribe_calls == 0
        assert engine.run().state is State.NOTHING
