"""A connection that goes with all of its exports: one decision, a few exports at a time, and nothing stored beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from shared.catalog.models import Export
from shared.control import clearing, several
from shared.control.clearing import AT_ONCE, Clearing, ForAll
from shared.control.runs import RunView
from shared.delivery.start.starting import Started
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.errors import Forbidden
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import ADMIN, CONTRIBUTOR

MANY = 104


@dataclass
class Lists(FakeService):
    """Remembers people on lists by export, and which runs were begun."""

    people: dict[str, int] = field(default_factory=dict)
    counted: list[str] = field(default_factory=list)
    begun: list[tuple[str, RunKind]] = field(default_factory=list)

    def members(self, export: Export) -> Mapping[str, int]:
        self.counted.append(export.name)
        return {"list": self.people.get(export.name, 0)}

    def begin(self, name: str, kind: RunKind = RunKind.DELIVERY, *, by: str = "") -> Started:
        self.begun.append((name, kind))
        made = super().begin(name, kind, by=by)
        self.past.insert(0, withdrawal(name, State.RUNNING))
        return made


def withdrawal(export: str, state: State) -> RunView:
    return run("r1", state, export).model_copy(update={"kind": RunKind.WITHDRAW})


@pytest.fixture
def service() -> Lists:
    made = Lists()
    made.world.connect()
    for number in range(MANY):
        made.world.save(f"e{number:03}", targets=[{"segments": ["blob/ci:VIP"], "list_name": f"List {number}"}])
    made.people = {f"e{number:03}": 10 for number in range(0, MANY, 2)}
    return made


def step(service: FakeService, decision: ForAll) -> Clearing:
    return clearing.step(service, service.catalog.connection("marketing"), ADMIN, decision)


def steps(service: FakeService, decision: ForAll, most: int = 20) -> list[Clearing]:
    """Until it is over, or nothing moves."""
    found = [step(service, decision)]
    while not found[-1].removed and found[-1].left > len(found[-1].refused) and len(found) < most:
        found.append(step(service, decision))
    return found


def test_the_numbers_are_told_before_anything_is_decided(service: Lists) -> None:
    assert clearing.look(service, "marketing") == Clearing(removed=False, left=104, people=520, withdrawing=0)
    assert len(service.catalog.exports_on("marketing")) == MANY


def test_a_hundred_exports_are_detached_in_steps_and_the_connection_goes_with_the_last(service: Lists) -> None:
    found = steps(service, ForAll.DETACH)
    assert [each.left for each in found] == [84, 64, 44, 24, 4, 0]
    assert [each.removed for each in found] == [False] * 5 + [True]
    assert service.catalog.connections.get("marketing") is None
    assert all(held.item.detached for held in service.catalog.exports.all())


def test_a_step_counts_the_people_of_each_export_once(service: Lists) -> None:
    step(service, ForAll.DETACH)
    assert len(service.counted) == len(set(service.counted)) == MANY


def test_all_are_removed_and_people_stay(service: Lists) -> None:
    assert steps(service, ForAll.REMOVE)[-1].removed
    assert list(service.catalog.exports.all()) == []
    assert service.begun == []


def test_people_are_taken_off_first_and_only_then_exports_go(service: Lists) -> None:
    daily = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "UTC"}
    service.world.save("e000", targets=[{"segments": ["blob/ci:VIP"], "list_name": "List 0"}], schedule=daily)
    found = steps(service, ForAll.WITHDRAW, most=4)
    assert {kind for _, kind in service.begun} == {RunKind.WITHDRAW}
    assert sorted(name for name, _ in service.begun) == sorted(service.people), "each once"
    assert service.catalog.export("e000").item.paused, "its schedule would put people back"
    assert (found[-1].left, found[-1].withdrawing, found[-1].refused) == (52, 52, ())
    service.people.clear()
    service.past = [each.model_copy(update={"state": State.SUCCEEDED}) for each in service.past]
    assert steps(service, ForAll.WITHDRAW)[-1].removed
    assert list(service.catalog.exports.all()) == []


def test_a_withdrawal_that_left_people_is_named_and_never_started_again_by_itself(service: Lists) -> None:
    service.past = [withdrawal("e000", State.FAILED)]
    found = step(service, ForAll.WITHDRAW)
    assert [each.export for each in found.refused] == ["e000"]
    assert "10 people still on the list" in found.refused[0].message
    assert "e000" not in [name for name, _ in service.begun]
    assert service.catalog.exports.get("e000") is not None


def test_an_export_that_runs_stays_and_keeps_no_other(service: Lists) -> None:
    service.past = [run("r1", State.RUNNING, "e007")]
    found = steps(service, ForAll.DETACH)[-1]
    assert (found.removed, found.left, [each.export for each in found.refused]) == (False, 1, ["e007"])
    assert service.catalog.connections.get("marketing") is not None
    service.past = [run("r1", State.SUCCEEDED, "e007")]
    assert step(service, ForAll.DETACH).removed


def test_it_goes_on_where_it_was_after_a_crash(service: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    class Died(Exception):
        pass

    def die(*_: object) -> None:
        raise Died

    step(service, ForAll.REMOVE)
    with monkeypatch.context() as broken:
        broken.setattr(several, "carry_out", die)
        with pytest.raises(Died):
            step(service, ForAll.REMOVE)
    assert len(service.catalog.exports_on("marketing")) == MANY - AT_ONCE
    assert steps(service, ForAll.REMOVE)[-1].removed


@pytest.mark.parametrize("decision", ForAll)
def test_only_administrators_decide(service: Lists, decision: ForAll) -> None:
    with pytest.raises(Forbidden):
        clearing.step(service, service.catalog.connection("marketing"), CONTRIBUTOR, decision)
    assert len(service.catalog.exports_on("marketing")) == MANY
    assert service.begun == []


def test_each_export_is_in_the_audit_trail(service: Lists) -> None:
    step(service, ForAll.DETACH)
    changes, _ = service.trail.page(200, None)
    assert len({each.subject for each in changes if each.outcome == "done"}) == AT_ONCE
