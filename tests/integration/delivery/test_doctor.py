"""A check-up of a target: the ledger beside everyone at the vendor, which nothing is changed at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from shared.catalog.issues import NotFound, NotNow
from shared.catalog.targets import TargetStore, target_key
from shared.cloud.blobs import Blobs
from shared.cloud.settings import StorageAddress
from shared.control.check_ups import CheckUpView
from shared.delivery import inbox
from shared.delivery.account.lease import AccountLease
from shared.delivery.account.waiting import WaitingRow
from shared.delivery.state import layout
from shared.delivery.state.records import now
from shared.delivery.verify import doctor
from shared.errors import Unprocessable
from shared.vendors import registry
from tests.contract.hurry import hurry
from tests.contract.prompt import Prompt
from tests.integration.delivery.engine import Engine, Person, engine, people
from tests.integration.delivery.test_verifying import FRESH
from tests.kits import KITS, Kit
from tests.memory import follow

CSV, COUNT = layout.differences("newsletter", 0), "GET /api/lists/{listId}/size"


@pytest.fixture(params=["iterable"])
def world(
    request: pytest.FixtureRequest, storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An export that has delivered twelve people of twenty once, and then the other way round."""
    kit: Kit = KITS[request.param]
    hurry(monkeypatch)
    for name, seconds in kit.waits.items():
        monkeypatch.setattr(name, seconds)
    with engine(storage, unique, kit, rows_per_file=40) as made:
        made.cloud.slices = Prompt(storage, f"{unique}-slices")
        made.tell("settings", FRESH.get(kit.name, {}))
        made.connect()
        made.define()
        for start in (0, 8):
            made.land(people(12, start))
            made.run()
        made.settled()
        yield made


every_vendor = pytest.mark.parametrize("world", KITS, indirect=True)


def start(world: Engine, *, full: bool = True) -> CheckUpView:
    return world.service.start_check_up("newsletter", 0, full=full, by="ann")


def check(world: Engine, *, full: bool = True) -> CheckUpView:
    assert start(world, full=full).state == "running"
    world.pump()
    return latest(world)


def latest(world: Engine) -> CheckUpView:
    found = world.service.doctor("newsletter", 0).latest
    assert found is not None
    return found


def differences(world: Engine) -> list[str]:
    link = world.service.differences_link("newsletter", 0)
    assert link is not None
    content = follow(world.cloud.settings.state_storage, link.url)
    return content.decode("utf-8-sig").splitlines()[1:]


def put_on(world: Engine, *addresses: str) -> None:
    name = world.kit.list_name("Loyal")
    world.tell("people", {"people": [{"email": address, "lists": [name]} for address in addresses]})


@pytest.mark.in_turn("world", 3)
@every_vendor
def test_a_target_that_is_as_the_record_says_agrees(world: Engine) -> None:
    found = check(world)
    assert (found.state, found.message, found.started_by) == ("ended", "", "ann")
    assert (found.members, found.counted, found.listed, found.missing, found.strangers) == (12, 12, 12, 0, 0)
    assert len(found.advice) == 1 and "agree" in found.advice[0]
    assert differences(world) == []


@pytest.mark.in_turn("world", 3)
@every_vendor
def test_whoever_differs_is_counted_and_listed_and_nobody_is_touched(world: Engine) -> None:
    put_on(world, "stranger@example.com", "person0@example.com")
    before = world.members()
    found = check(world)
    assert (found.listed, found.missing, found.strangers, found.returned) == (14, 0, 2, 1)
    told = ["person0@example.com,not from this export,removed", "stranger@example.com,not from this export,"]
    assert sorted(differences(world)) == told
    assert world.members() == before
    assert "@" not in found.model_dump_json()


def test_people_who_are_gone_are_found_and_told_what_to_do(world: Engine) -> None:
    project = world.simulator.vendor.project()
    [mailing_list], person = project.lists.values(), project.person("person9@example.com")
    assert person is not None
    mailing_list.members.pop(person)
    found = check(world)
    assert (found.members, found.counted, found.missing, found.strangers) == (12, 11, 1, 0)
    assert "repair" in found.advice[1]
    assert differences(world) == ["person9@example.com,not on the list,member"]
    sent = [entry for entry in world.calls() if entry.endpoint.startswith(("POST", "PUT", "DELETE"))]
    assert check(world, full=False).advice[0].startswith("Iterable counts 11 people, the record has 12")
    assert world.service.differences_link("newsletter", 0) is None, "an older file would not fit the newer check-up"
    assert sent == [entry for entry in world.calls() if entry.endpoint.startswith(("POST", "PUT", "DELETE"))]


def test_an_address_is_no_formula_in_the_file(world: Engine) -> None:
    put_on(world, "=cmd@example.com")
    check(world)
    assert differences(world) == ["'=cmd@example.com,not from this export,"]


def test_what_it_takes_is_told_beforehand_and_too_much_is_refused(
    world: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.service.doctor("newsletter", 0).cost.full_requests == 2 + 12, "Iterable shows values one by one"
    vendor = registry.definition("iterable")
    monkeypatch.setattr(doctor, "definition", lambda name: replace(vendor, most_members=10, members_page=5))
    cost = world.service.doctor("newsletter", 0).cost
    assert (cost.count_requests, cost.full_requests) == (1, 4 + 12)
    assert "10 people" in cost.not_in_full
    assert "full resync" in cost.not_in_full
    with pytest.raises(Unprocessable, match="only their number"):
        start(world)
    assert check(world, full=False).counted == 12


def test_one_at_a_time_and_none_while_a_run_is_under_way(world: Engine) -> None:
    first = start(world)
    assert start(world) == first
    assert len(world.queue.peek_messages(5)) == 1
    _open(world, {"export": "newsletter", "run": "r", "index": 0})
    world.pump()
    assert latest(world).state == "failed"
    assert "A run of the export is under way" in latest(world).message
    with pytest.raises(NotNow):
        start(world)


def _open(world: Engine, delivery: dict[str, Any]) -> None:
    export = world.catalog.export("newsletter").item
    key = target_key(export.targets[0])
    TargetStore(world.cloud.targets).remember(
        export.account, key, "newsletter", {"open": delivery}, now(), still=lambda: None
    )


def test_what_cannot_be_checked_is_refused(world: Engine) -> None:
    with pytest.raises(NotFound):
        world.service.start_check_up("newsletter", 3, full=True, by="ann")
    with pytest.raises(NotFound):
        world.service.start_check_up("none", 0, full=True, by="ann")
    world.define("fresh", targets=[{"segments": ["Loyal"], "list_name": "Fresh"}])
    with pytest.raises(Unprocessable, match="Nothing was delivered"):
        world.service.start_check_up("fresh", 0, full=True, by="ann")


def test_it_waits_for_the_account(world: Engine) -> None:
    start(world)
    account = world.catalog.export("newsletter").item.account
    [message] = world.queue.peek_messages()
    world.queue.clear_messages()
    calls = len(world.calls())
    row = WaitingRow(world.cloud.waiting, world.cloud.slices, account)
    with AccountLease(world.cloud.blobs, account, quiet_seconds=0.0, look=lambda: None, row=row):
        inbox.receive(world.cloud, str(message.content).encode())
        assert len(world.calls()) == calls
    world.pump()
    assert latest(world).state == "ended"


def test_a_vendor_in_trouble_makes_it_wait_and_in_the_end_fail(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.vendors.http.backoff", lambda disposition, attempt: 0.0)
    world.simulator.faults.set([Fault(endpoint=COUNT, kind="error", status=503, every=1)])
    start(world)
    [message] = world.queue.peek_messages()
    world.queue.clear_messages()
    body = str(message.content).encode()
    inbox.receive(world.cloud, body)
    assert (latest(world).state, latest(world).message[:8]) == ("running", "Waiting:")
    monkeypatch.setattr(type(doctor.KIND), "patience", timedelta(0))
    inbox.receive(world.cloud, body)
    assert (latest(world).state, bool(latest(world).message)) == ("failed", True)


def test_a_message_of_another_check_up_is_dropped_and_one_that_failed_too_often_ends_it(world: Engine) -> None:
    start(world)
    [message] = world.queue.peek_messages()
    body = json.loads(str(message.content))
    world.queue.clear_messages()
    inbox.receive(world.cloud, json.dumps({**body, "mark": "ffff0000"}).encode())
    assert latest(world).state == "running"
    inbox.give_up(world.cloud, json.dumps(body).encode(), "poison-1")
    assert latest(world).state == "failed"


def test_the_timer_wakes_a_silent_one_and_drops_the_file_after_a_day(world: Engine) -> None:
    start(world)
    world.queue.clear_messages()
    doctor.KIND.wake(world.cloud)
    assert world.queue.peek_messages() == []
    doctor.KIND.wake(world.cloud, clock=_later(seconds=2 * world.cloud.settings.stale_seconds))
    world.pump()
    assert latest(world).state == "ended"
    doctor.KIND.wake(world.cloud, clock=_later(hours=12))
    assert world.cloud.blobs.exists(CSV)
    doctor.KIND.wake(world.cloud, clock=_later(hours=25))
    assert not world.cloud.blobs.exists(CSV)
    assert latest(world).state == "ended"


def test_a_check_up_whose_files_are_gone_costs_a_tick_one_read(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    check(world)
    doctor.KIND.wake(world.cloud, clock=_later(hours=25))
    assert [name for name in world.cloud.blobs.names("") if name.startswith((layout.FOUND, CSV))] == []
    asked = list[str]()

    def telling(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            asked.append(name)
            return real(*given, **named)

        return call

    for name in ("names", "read", "write", "delete"):
        monkeypatch.setattr(Blobs, name, telling(name, getattr(Blobs, name)))
    doctor.KIND.wake(world.cloud, clock=_later(hours=26))
    assert asked == ["names", "read"]


def test_forgetting_somebody_drops_the_file(world: Engine) -> None:
    put_on(world, "stranger@example.com")
    check(world)
    world.forget("stranger@example.com")
    assert not world.cloud.blobs.exists(CSV)


def test_addresses_at_the_vendor_may_be_odd(world: Engine) -> None:
    put_on(world, 'a"b@example.com', "o'hara@example.com", "Some.One@Example.COM")
    world.land([*people(12, 8), Person("some.one@example.com")])
    world.run()
    found = check(world)
    assert (found.members, found.listed, found.missing, found.strangers) == (13, 15, 0, 2)


def _later(**ahead: float) -> Any:
    return lambda: datetime.now(UTC) + timedelta(**ahead)
