"""After a delivery the vendor is looked at: what it shows beside the ledger, and what that never does to the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from shared.catalog.models import ConnectionInput
from shared.cloud.events import Event
from shared.cloud.settings import StorageAddress
from shared.cloud.under_way import UnderWay
from shared.control.runs import Verification
from shared.delivery import inbox
from shared.delivery.messages import VerifyMessage, parse
from shared.delivery.state import layout
from shared.delivery.state.records import Run, State, Step
from shared.delivery.verify import verification
from shared.notify.outbox import Notice, Outbox
from tests.contract.hurry import hurry
from tests.contract.prompt import Prompt
from tests.integration.delivery.engine import ADMINISTRATOR, Engine, Person, engine, people
from tests.kits import KITS, Kit

FRESH = {"dotdigital": {"list_count_lag": 0}, "campaign-monitor": {"stats_age": 0}}
"""The simulators' settings that make counts be of this moment."""
STRANGER = {"people": [{"email": "stranger@example.com", "lists": ["Loyal"]}]}


@pytest.fixture(params=["iterable"])
def world(
    request: pytest.FixtureRequest, storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    kit: Kit = KITS[request.param]
    hurry(monkeypatch)
    for name, seconds in kit.waits.items():
        monkeypatch.setattr(name, seconds)
    with engine(storage, unique, kit, verify_seconds=0.01) as made:
        made.cloud.slices = Prompt(storage, f"{unique}-slices")
        made.tell("settings", FRESH.get(kit.name, {}))
        made.connect()
        made.define()
        yield made


every_vendor = pytest.mark.parametrize("world", KITS, indirect=True)
counts_late = pytest.mark.parametrize("world", ["campaign-monitor"], indirect=True)


def found(world: Engine, run: Run) -> Verification | None:
    view = world.service.runs.view(run.export, run.run)
    assert view is not None
    return view.targets[0].verification


def ended(world: Engine, run: Run) -> Verification:
    verification = found(world, run)
    assert verification is not None
    assert world.report(run)["verification"] == json.loads(json.dumps(world.delivery(run).verification))
    assert list(world.cloud.blobs.names(layout.VERIFYING)) == []
    return verification


def step(world: Engine) -> VerifyMessage | None:
    """Carry out one message, unless it is one that verifies: that one is put back and told."""
    message = world.queue.receive_message(visibility_timeout=600)
    while message is None:
        message = world.queue.receive_message(visibility_timeout=600)
    told = parse(message.content)
    if isinstance(told, VerifyMessage):
        world.queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)
        return told
    inbox.receive(world.cloud, message.content.encode())
    world.queue.delete_message(message)
    return None


def deliver(world: Engine) -> tuple[Run, VerifyMessage]:
    """A run that has ended, and the message that is to verify it."""
    run = world.start()
    while (message := step(world)) is None:
        continue
    return world.current(run), message


def look(world: Engine, message: VerifyMessage) -> VerifyMessage | None:
    """One look; the message of the next one, if any."""
    world.queue.clear_messages()
    inbox.receive(world.cloud, json.dumps(message.body()).encode())
    left = world.queue.receive_message(visibility_timeout=1)
    told = parse(left.content) if left else None
    assert told is None or isinstance(told, VerifyMessage)
    return told


def take_off(world: Engine, address: str) -> None:
    """Somebody takes a person off the list in Iterable."""
    project = world.simulator.vendor.project()
    [mailing_list], person = project.lists.values(), project.person(address)
    assert person is not None
    mailing_list.members.pop(person)


@pytest.mark.in_turn("world", 3)
@every_vendor
def test_a_delivery_that_is_as_it_should_be_is_confirmed(world: Engine) -> None:
    world.land(people(30))
    first = world.run()
    verification = ended(world, first)
    assert (verification.verdict, verification.message) == ("agrees", "")
    assert (verification.expected, verification.counted, verification.difference) == (30, 30, 0)
    assert (verification.sample.looked_at, verification.sample.missing) == (10, 0)
    assert {world.kit.first, world.kit.city} <= set(verification.sample.compared)
    assert verification.sample.differing == {}
    assert verification.evidence == {"acknowledged": 0, "confirmed": 30}
    world.land([*people(20, 10), *people(3, 100), Person("person9@example.com", "Changed", "")])
    second = world.run()
    verification = ended(world, second)
    assert (verification.verdict, verification.counted, verification.sample.looked_at) == ("agrees", 24, 3 + 1 + 5)
    assert verification.evidence == {"acknowledged": 0, "confirmed": 3 + 1 + 9}


def test_who_was_not_written_to_is_not_looked_at(world: Engine) -> None:
    world.land(people(3))
    world.run()
    calls = len(world.calls())
    again = world.run()
    assert again.state is State.NOTHING
    assert found(world, again) is None
    assert not [entry for entry in world.calls()[calls:] if "size" in entry.endpoint or "getByEmail" in entry.endpoint]


def test_people_who_lack_are_a_warning_and_never_a_failure(world: Engine) -> None:
    world.land(people(12))
    run, message = deliver(world)
    before = run.state
    assert before is State.WARNINGS, "it made new fields"
    for number in range(12):
        take_off(world, f"person{number}@example.com")
    following = look(world, message)
    assert following is not None, "it may be late: it is looked at again"
    world.pump()
    verification = ended(world, run)
    assert (verification.verdict, verification.difference, verification.looks) == ("differs", -12, 3)
    assert verification.sample.missing == 10
    assert "let a repair mend what that finds" in verification.message
    assert verification.message in world.delivery(run).warnings
    assert verification.message in world.report(run)["warnings"]
    assert world.current(run).state is before
    assert "@" not in verification.model_dump_json()
    assert verification.sample.different == 10


def differences_told(world: Engine) -> list[Notice]:
    pending = Outbox(world.cloud.runs).pending(UnderWay(world.cloud.underway).exports())
    return [each.notice for each in pending if each.notice.event is Event.VERIFICATION_DIFFERS]


def test_a_difference_is_told_with_its_numbers(world: Engine) -> None:
    world.land(people(12))
    run, _ = deliver(world)
    for number in range(12):
        take_off(world, f"person{number}@example.com")
    world.pump()
    [notice] = differences_told(world)
    assert (notice.export, notice.run, notice.state) == ("newsletter", run.run, str(run.state))
    assert notice.message == ended(world, run).message
    assert notice.counts == {"expected": 12, "counted": 0, "difference": -12, "looked_at": 10, "different": 10}


def test_a_difference_is_told_once_however_often_it_is_written_down(
    world: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.land(people(3))
    run, _ = deliver(world)
    take_off(world, "person1@example.com")
    with monkeypatch.context() as patch:
        patch.setattr(world.cloud.blobs, "delete", lambda name: None)  # it died before its blob was gone
        world.pump()
    assert found(world, run) is not None
    verification.KIND.wake(world.cloud, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    world.pump()
    assert ended(world, run).verdict == "differs"
    assert len(differences_told(world)) == 1


def test_what_agrees_or_is_explained_is_not_told(world: Engine) -> None:
    world.land(people(5))
    deliver(world)
    world.tell("people", STRANGER)
    world.pump()
    assert differences_told(world) == []


def test_strangers_on_the_list_are_an_explanation(world: Engine) -> None:
    world.land(people(5))
    run, _ = deliver(world)
    world.tell("people", STRANGER)
    world.pump()
    verification = ended(world, run)
    assert (verification.verdict, verification.difference, verification.looks) == ("explained", 1, 1)
    assert verification.message == "1 person on the list is not from this export."
    assert verification.message not in world.delivery(run).warnings


def test_a_stranger_does_not_hide_that_somebody_lacks(world: Engine) -> None:
    world.land(people(5))
    run, _ = deliver(world)
    world.tell("people", STRANGER)
    take_off(world, "person3@example.com")
    world.pump()
    verification = ended(world, run)
    assert (verification.verdict, verification.difference, verification.sample.missing) == ("differs", 0, 1)


def test_a_removal_that_did_not_happen_is_found(world: Engine) -> None:
    world.land(people(6))
    world.run()
    world.land(people(5))
    run, _ = deliver(world)
    world.tell("people", {"people": [{"email": "person5@example.com", "lists": ["Loyal"]}]})
    world.pump()
    verification = ended(world, run)
    assert (verification.verdict, verification.sample.still_there) == ("differs", 1)
    assert "still on the list" in verification.message and "full_resync" not in verification.message


def test_a_field_that_somebody_else_writes_is_named(world: Engine) -> None:
    world.land(people(4))
    run, _ = deliver(world)
    for person in people(3):
        known = world.simulator.vendor.project().person(person.email)
        assert known is not None
        known.store({**known.fields, world.kit.city: "Elsewhere"})
    world.pump()
    verification = ended(world, run)
    assert (verification.verdict, verification.sample.differing) == ("differs", {world.kit.city: 3})
    assert f"{world.kit.city} (3)" in verification.message


@counts_late
def test_a_count_that_lags_behind_is_asked_for_again(world: Engine) -> None:
    world.tell("settings", {"stats_age": 1000})
    world.land(people(5))
    world.run()
    world.land(people(9))
    run, message = deliver(world)
    later = look(world, message)
    assert later is not None and found(world, run) is None
    world.tell("settings", {"stats_age": 0})
    assert look(world, later) is None
    verification = ended(world, run)
    assert (verification.verdict, verification.counted, verification.looks) == ("agrees", 9, 2)


@counts_late
def test_who_unsubscribed_meanwhile_is_an_explanation(world: Engine) -> None:
    world.land(people(5))
    run, _ = deliver(world)
    world.tell("people", world.kit.unsubscribed("person1@example.com", "Loyal"))
    world.pump()
    verification = ended(world, run)
    assert (verification.verdict, verification.difference) == ("explained", -1)
    assert "unsubscribed or bounced" in verification.message


def test_a_vendor_in_trouble_delays_it_and_nothing_else(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.vendors.http.backoff", lambda disposition, attempt: 0.0)
    world.land(people(5))
    run, message = deliver(world)
    world.simulator.faults.set([Fault(endpoint="GET /api/lists/{listId}/size", kind="error", status=503, every=1)])
    later = look(world, message)
    assert later is not None and found(world, run) is None
    monkeypatch.setattr(type(verification.KIND), "patience", timedelta(0))
    assert look(world, later) is None
    outcome = ended(world, run)
    assert (outcome.verdict, outcome.counted) == ("not verified", None)
    assert outcome.message
    assert world.current(run) == run


def test_a_newer_run_makes_it_pointless(world: Engine) -> None:
    world.land(people(5))
    first, message = deliver(world)
    world.queue.clear_messages()
    world.land(people(6))
    second, _ = deliver(world)
    look(world, message)
    early, late = found(world, first), found(world, second)
    assert early is not None and late is None
    assert (early.verdict, early.message) == ("not verified", "A newer run came before this one was verified.")


def test_a_connection_that_was_disabled_is_left_alone(world: Engine) -> None:
    world.land(people(5))
    run, message = deliver(world)
    held = world.catalog.connection("iterable")
    changed = ConnectionInput.model_validate({**held.item.model_dump(), "disabled": True})
    world.catalog.save_connection("iterable", changed, ADMINISTRATOR, held)
    calls = len(world.calls())
    look(world, message)
    assert ended(world, run).verdict == "not verified"
    assert len(world.calls()) == calls


def test_a_message_that_came_twice_or_failed_too_often_ends_it_once(world: Engine) -> None:
    world.land(people(5))
    run, message = deliver(world)
    body = json.dumps(message.body()).encode()
    inbox.give_up(world.cloud, body, "poison-1")
    first = ended(world, run)
    assert first.verdict == "not verified"
    inbox.receive(world.cloud, body)
    inbox.give_up(world.cloud, body, "poison-2")
    assert ended(world, run) == first


class Died(BaseException):
    """The worker was stopped here."""


@pytest.mark.parametrize("step_name", ["begin", "send"])
def test_a_worker_that_dies_around_the_end_of_a_delivery_leaves_it_to_the_timer(
    world: Engine, step_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.land(people(5))
    real = getattr(verification, step_name)

    def dying(*arguments: Any) -> None:
        if step_name == "begin":
            real(*arguments)
        raise Died

    monkeypatch.setattr(verification, step_name, dying)
    run = world.start()
    with pytest.raises(Died):
        world.pump()
    monkeypatch.setattr(verification, step_name, real)
    done = world.delivery(run).step is Step.DONE
    assert done is (step_name == "send")
    silent = datetime.now(UTC) + timedelta(seconds=2 * world.cloud.settings.stale_seconds)
    if not done:
        # Woken before the commit was repeated, it waits for that.
        verification.KIND.wake(world.cloud, clock=lambda: silent)
        assert found(world, run) is None
        inbox.receive(world.cloud, _slice(world, run))
    world.queue.clear_messages()
    verification.KIND.wake(world.cloud, clock=lambda: silent)
    world.pump()
    assert ended(world, run).verdict == "agrees"
    verification.KIND.wake(world.cloud, clock=lambda: silent)
    assert world.queue.peek_messages() == []


def _slice(world: Engine, run: Run) -> bytes:
    turn = world.delivery(run).turn
    body = {"version": 1, "kind": "slice", "export": run.export, "run": run.run, "delivery": 0, "turn": turn}
    return json.dumps(body).encode()
