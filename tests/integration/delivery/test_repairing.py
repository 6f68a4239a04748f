"""Repairs: those that an export starts by itself, within the guards, and those that cannot be started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.catalog.issues import Invalid
from shared.cloud.blobs import Blobs
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox
from shared.delivery.messages import RepairMessage
from shared.delivery.start import repairing
from shared.delivery.state import found, layout
from shared.delivery.state.records import Run, State, now
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.delivery.verify import doctor, values
from shared.errors import Unprocessable
from shared.vendors import registry
from tests.contract.hurry import hurry
from tests.contract.prompt import Prompt
from tests.contract.test_opt_outs import wanted
from tests.integration.delivery.engine import Engine, Person, engine, people

GOOD = (State.SUCCEEDED, State.WARNINGS)
BY_ITSELF = {"repair": "when_it_differs"}


@pytest.fixture
def world(storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Thirty people on a list, of an export that is verified at once, at a vendor that tells its counts at any time."""
    hurry(monkeypatch)
    with engine(storage, unique, verify_seconds=0.01, rows_per_file=40) as made:
        made.tell("settings", {"rates": dict.fromkeys(made.simulator.vendor.settings.rates)})
        made.cloud.slices = Prompt(storage, f"{unique}-slices")
        made.connect()
        made.define(**BY_ITSELF)
        made.land(people(30))
        assert made.run().state in GOOD
        yield made


def runs(world: Engine) -> list[Run]:
    """Newest first."""
    return list(Runs(world.cloud.runs).history("newsletter"))


def lose(world: Engine, *addresses: str) -> None:
    world.tell("people", {"erased": list(addresses)})


def deliver_and_lose(world: Engine) -> None:
    """Ten people join, and the vendor loses them all before the delivery is verified."""
    world.land(people(40))
    run = world.start()
    while world.current(run).state not in GOOD:
        message = world.queue.receive_message(visibility_timeout=600)
        if message is not None:
            inbox.receive(world.cloud, message.content.encode())
            world.queue.delete_message(message)
    lose(world, *(each.email for each in people(10, 30)))
    world.pump()


def check(world: Engine, *, mends: bool = False) -> doctor.CheckUp:
    export = world.catalog.export("newsletter").item
    doctor.start(world.cloud, export, 0, full=True, by="ann", mends=mends)
    world.pump()
    made = doctor.read(world.cloud, "newsletter", 0)
    assert made is not None
    return made


def repair(world: Engine) -> Run:
    run = world.service.begin("newsletter", RunKind.REPAIR).run
    world.pump()
    return world.current(run)


def test_a_list_that_differs_after_a_delivery_is_mended_by_itself(world: Engine) -> None:
    deliver_and_lose(world)
    [repair, delivery, _] = runs(world)
    assert (repair.kind, repair.trigger, repair.started_by) == (RunKind.REPAIR, "verification", "")
    assert repair.state in GOOD
    assert world.report(repair)["outcomes"] == {"add accepted": 10}
    assert world.members().keys() == {each.email for each in people(40)}
    assert world.delivery(delivery).verification["verdict"] == "differs"
    assert world.delivery(repair).verification["verdict"] == "agrees"


def test_an_export_that_does_not_want_it_is_left_as_it_is(world: Engine) -> None:
    world.define()
    deliver_and_lose(world)
    assert [each.kind for each in runs(world)] == [RunKind.DELIVERY] * 2
    assert doctor.read(world.cloud, "newsletter", 0) is None


def test_what_is_in_the_way_of_mending_by_itself_is_said(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = registry.definition("iterable")
    monkeypatch.setattr(doctor, "definition", lambda name: replace(vendor, most_members=10))
    deliver_and_lose(world)
    [delivery, _] = runs(world)
    warnings = world.delivery(delivery).warnings
    assert "It was not repaired by itself: Iterable allows 10 people" in warnings[-1]
    assert "full resync" in warnings[-1]


def test_a_repair_that_no_run_can_begin_is_asked_for_once(world: Engine) -> None:
    world.connect(opt_outs=wanted(world, exclude=True))
    world.cloud.blobs.write(layout.opt_outs(world.kit.name), b"{}")
    lose(world, people(1)[0].email)
    assert check(world, mends=True).mends is False
    assert len(runs(world)) == 1


def test_a_repair_that_does_not_help_is_not_repeated(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver_and_lose(world)
    before = len(runs(world))
    world.define()
    lose(world, people(1)[0].email)
    check(world)
    world.define(**BY_ITSELF)
    run = world.service.begin("newsletter", RunKind.REPAIR).run
    while world.current(run).state not in GOOD:
        message = world.queue.receive_message(visibility_timeout=600)
        if message is not None:
            inbox.receive(world.cloud, message.content.encode())
            world.queue.delete_message(message)
    lose(world, people(1)[0].email)
    world.pump()
    assert world.delivery(run).verification["verdict"] == "differs"
    assert len(runs(world)) == before + 1


def test_guards_look_at_a_repair_too(world: Engine) -> None:
    world.land(people(20))
    assert world.run().state in GOOD
    world.define(**BY_ITSELF, guards={"max_removed_share": 0.1, "max_removed_people": 0})
    world.land([*people(20), Person("one@example.com"), Person("two@example.com")])
    assert world.run().state in GOOD
    world.tell("people", {"people": [{"email": each.email, "lists": ["Loyal"]} for each in people(10, 20)]})
    assert check(world, mends=True).lost == 10
    [repair, *_] = runs(world)
    assert (repair.kind, repair.state) == (RunKind.REPAIR, State.BLOCKED)
    assert "would remove 10 of 22" in repair.message
    assert len(world.members()) == 32
    plan = world.delivery(repair).plan
    [sample, *_] = world.service.runs.sample("newsletter", repair.run, 0) or ()
    assert (sample["operation"], str(sample["reason"])) == (
        "remove",
        "Put on the list by this export, and not in the segment any more.",
    )
    world.service.decide("newsletter", repair.run, plan=plan, decision="deliver", by="ann")
    world.pump()
    assert len(world.members()) == 22


def test_a_run_that_waits_for_a_decision_is_left_in_peace(world: Engine) -> None:
    world.define(**BY_ITSELF, guards={"max_removed_share": 0.1, "max_removed_people": 0})
    lose(world, people(1)[0].email)
    world.land(people(15))
    blocked = world.run()
    assert blocked.state is State.BLOCKED
    made = check(world, mends=True)
    assert (made.missing, made.mends) == (1, False)
    assert world.current(blocked).state is State.BLOCKED


def test_a_repair_is_asked_for_once_and_again_where_nobody_heard(world: Engine) -> None:
    lose(world, people(1)[0].email)
    world.define()
    made = check(world)
    doctor.KIND.write(world.cloud, replace(made, mends=True))
    doctor.KIND.wake(world.cloud)
    doctor.KIND.wake(world.cloud)
    world.pump()
    assert [each.kind for each in runs(world)] == [RunKind.REPAIR, RunKind.DELIVERY]
    assert repairing.repair_by_itself(world.cloud, RepairMessage("newsletter", 0, "other")) is None


def test_what_was_found_is_kept_for_a_day_and_goes_with_whoever_is_forgotten(world: Engine) -> None:
    lose(world, people(1)[0].email)
    check(world)
    later = now() + timedelta(hours=25)
    export = world.catalog.export("newsletter").item
    assert [each.total for _, each in repairing.findings(world.cloud, export)] == [1]
    assert list(repairing.findings(world.cloud, export, clock=lambda: later)) == []
    with pytest.raises(Unprocessable, match="check the list first"):
        repairing.require(world.cloud, export, clock=lambda: later)
    doctor.KIND.wake(world.cloud, clock=lambda: later)
    assert list(world.cloud.blobs.names(layout.FOUND)) == []
    check(world)
    world.forget(people(1)[0].email)
    assert list(world.cloud.blobs.names(layout.FOUND)) == []
    with pytest.raises(Unprocessable):
        repair(world)


def test_what_a_repair_of_one_list_would_mend_is_told_without_a_look_at_the_others(
    world: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looked_at = found.read, list[int]()

    def counted(blobs: Blobs, export: str, target: int) -> found.Findings | None:
        looked_at.append(target)
        return read(blobs, export, target)

    lose(world, people(1)[0].email)
    check(world)
    world.define(targets=[{"segments": ["Loyal"]}, {"segments": ["Loyal"], "list_name": "Beside it"}])
    monkeypatch.setattr(found, "read", counted)
    assert [world.service.doctor("newsletter", number).repair.missing for number in (0, 1)] == [1, 0]
    assert looked_at == [0, 1]


def test_findings_that_cannot_be_read_are_none(world: Engine) -> None:
    lose(world, people(1)[0].email)
    check(world)
    world.cloud.blobs.write(layout.found_manifest("newsletter", 0), b'{"commit": 1}')
    assert found.read(world.cloud.blobs, "newsletter", 0) is None
    check(world)
    [(_, known)] = repairing.findings(world.cloud, world.catalog.export("newsletter").item)
    for each in known.files:
        world.cloud.blobs.delete(each.file.name)
    run = repair(world)
    assert (run.state, world.delivery(run).code) == (State.FAILED, "check_first")


def test_a_target_that_was_not_checked_is_left_alone(world: Engine) -> None:
    world.land(people(5), "Second")
    world.define(targets=[{"segments": ["Loyal"]}, {"segments": ["Second"], "list_name": "Second"}])
    assert world.run().state in GOOD
    lose(world, people(1)[0].email)
    check(world)
    run = repair(world)
    assert world.report(run)["outcomes"] == {"add accepted": 1}
    other = world.delivery(run, 1)
    assert (other.state, "check the list first" in other.message) == (State.NOTHING, True)


def test_values_are_not_compared_one_by_one_for_too_many_people(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MOST_LOOKED_AT", 29)
    made = check(world)
    assert (made.compared, made.differs) == (0, 0)
    assert "full resync" in made.without_values and made.without_values in made.advice
    cost = world.service.doctor("newsletter", 0).cost
    assert (cost.full_requests, cost.without_values) == (2, made.without_values)


def test_a_person_is_told_what_a_check_found_of_them(world: Engine) -> None:
    who = people(1)[0].email
    lose(world, who)
    check(world)

    def told() -> list[str]:
        return [str(each["text"]) for each in world.service.explain("newsletter", who)["targets"][0]["story"]]

    assert "A check of the list did not find the person there; a repair adds them again." in told()
    repair(world)
    assert not any("A check of the list" in each for each in told())


def test_saving_refuses_it_where_nothing_is_ever_verified(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = replace(registry.definition("iterable"), verifiable=False)
    monkeypatch.setitem(world.service.catalog.definitions, "iterable", vendor)
    world.define()
    with pytest.raises(Invalid) as refused:
        world.define(**BY_ITSELF)
    assert [each.pointer for each in refused.value.issues] == ["/repair"]
