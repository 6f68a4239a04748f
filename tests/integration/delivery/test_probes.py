"""A probe from the request to the answers with the connection, on real storage and a simulated vendor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from shared.catalog.issues import Invalid, NotFound, NotNow
from shared.catalog.models import ConnectionInput, Probed, ProbeState
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox, probes
from shared.delivery.account.lease import AccountLease
from shared.delivery.account.waiting import all_waiting
from shared.delivery.state import layout
from shared.errors import Unprocessable
from shared.vendors import probing
from shared.vendors.canaries import is_ours
from shared.vendors.contract import Told
from tests.integration.delivery.engine import ADMINISTRATOR, Engine, FixedSecrets, engine
from tests.kits import KITS

BASE = "ann@example.com"
BLOB = layout.probe("campaign-monitor")


@pytest.fixture
def world(storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A connection to Campaign Monitor, whose probe looks again after a moment."""
    monkeypatch.setattr(probing, "LOOK_SECONDS", 0.0)
    with engine(storage, unique, KITS["campaign-monitor"]) as made:
        made.connect()
        yield made


def begin(world: Engine, base: str = BASE) -> Probed:
    return world.service.start_probe("campaign-monitor", base, "ann")


def probed(world: Engine) -> Probed:
    probe = world.catalog.connection("campaign-monitor").item.probe
    assert probe is not None
    return probe


def lists(world: Engine) -> list[str]:
    return [each["name"] for each in world.inspect("state").json()["lists"] if is_ours(each["name"])]


def messages(world: Engine) -> list[str]:
    return [str(message.content) for message in world.queue.peek_messages(32)]


def test_answers_are_kept_with_the_connection(world: Engine) -> None:
    started = begin(world)
    assert (started.state, probed(world)) == (ProbeState.RUNNING, started)
    world.pump()
    ended = probed(world)
    assert (ended.state, ended.started_by, ended.message) == (ProbeState.ENDED, "ann", "")
    assert ended.finished_at is not None
    answers = {each.id: (each.told, each.answer) for each in ended.answers}
    assert answers["name_omitted"] == (Told.ANSWERED, "yes")
    assert answers["refusals_told"][0] is Told.NOT_TRIED
    assert len(answers) == len(probing.questions("campaign-monitor"))
    assert lists(world) == []


def test_the_address_is_in_no_message_and_in_nothing_that_stays(world: Engine) -> None:
    begin(world)
    assert [BASE in message for message in messages(world)] == [False]
    world.pump()
    assert world.cloud.blobs.read(BLOB) is None
    stored = world.cloud.connections.get("definitions", "campaign-monitor")
    assert stored is not None
    assert "example.com" not in json.dumps(stored.entity, default=str)


def test_a_second_request_gets_the_probe_that_is_under_way(world: Engine) -> None:
    first = begin(world)
    assert begin(world) == first
    assert len(messages(world)) == 1
    world.pump()
    assert begin(world).mark != first.mark


def test_an_account_has_one_probe_at_a_time(world: Engine) -> None:
    held = world.catalog.connection("campaign-monitor")
    world.catalog.connections.insert(held.item.model_copy(update={"name": "second"}))
    begin(world)
    with pytest.raises(NotNow):
        world.service.start_probe("second", BASE, "ann")
    world.pump()
    assert world.service.start_probe("second", BASE, "ann").state is ProbeState.RUNNING


def test_a_probe_that_went_silent_is_started_anew_and_its_late_message_dropped(world: Engine) -> None:
    first = begin(world)
    [late] = messages(world)
    old_clock = _clock(seconds=-2 * world.cloud.settings.stale_seconds)
    course = probes.KIND.read(world.cloud, BLOB)
    assert course is not None
    probes.KIND.write(world.cloud, probes.KIND.alive(course, old_clock))
    second = begin(world)
    assert second.mark != first.mark
    inbox.receive(world.cloud, late.encode())
    assert probed(world).answers == ()
    world.pump()
    assert probed(world).mark == second.mark


def test_the_timer_wakes_a_silent_probe_and_ends_one_that_is_a_day_old(world: Engine) -> None:
    begin(world)
    world.queue.clear_messages()
    probes.KIND.wake(world.cloud)
    assert messages(world) == []
    probes.KIND.wake(world.cloud, clock=_clock(seconds=2 * world.cloud.settings.stale_seconds))
    assert len(messages(world)) == 1
    world.queue.clear_messages()
    probes.KIND.wake(world.cloud, clock=_clock(days=2))
    assert (probed(world).state, messages(world), world.cloud.blobs.read(BLOB)) == (ProbeState.FAILED, [], None)


class Died(BaseException):
    """The worker was stopped here."""


def test_a_worker_that_dies_in_the_middle_leaves_nothing_behind_in_the_end(
    world: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(world)
    writes = {"count": 0}
    write = probes.KIND.write

    def dying(*arguments: Any) -> None:
        writes["count"] += 1
        if writes["count"] == 9:
            raise Died
        write(*arguments)

    monkeypatch.setattr(probes.KIND, "write", dying)
    # The lease of a dead worker would be waited out; here it lets go.
    [message] = messages(world)
    with pytest.raises(Died):
        inbox.receive(world.cloud, message.encode())
    assert lists(world) != []
    world.pump()
    assert probed(world).state is ProbeState.ENDED
    assert lists(world) == []


def test_a_probe_waits_for_the_account(world: Engine) -> None:
    begin(world)
    account = world.catalog.connection("campaign-monitor").item.account
    [message] = messages(world)
    world.queue.clear_messages()
    calls = len(world.calls())
    with AccountLease(world.cloud.blobs, str(account), quiet_seconds=0.0, look=lambda: None):
        inbox.receive(world.cloud, message.encode())
        assert len(world.calls()) == calls
    [waiting] = all_waiting(world.cloud.waiting)
    assert waiting.message == json.loads(message)


def test_what_the_account_lease_carries_is_carried_on(world: Engine) -> None:
    begin(world)
    account = str(world.catalog.connection("campaign-monitor").item.account)
    with AccountLease(world.cloud.blobs, account, quiet_seconds=0.0, look=lambda: None) as lease:
        lease.state = lambda: {"jobs": {"newsletter/1/0": [2, datetime.now(UTC).timestamp()]}}
    world.pump()
    stored = world.cloud.blobs.read(layout.lease(account))
    assert stored is not None
    carried = json.loads(stored[0])["carried"]
    assert carried["jobs"]["newsletter/1/0"][0] == 2
    assert carried["windows"]


def test_a_connection_that_does_not_work_fails_its_probe_and_says_why(world: Engine) -> None:
    cast(FixedSecrets, world.cloud.secrets).values["api-key"] = "wrong"
    begin(world)
    world.pump()
    failed = probed(world)
    assert failed.state is ProbeState.FAILED
    assert "does not know this API key" in failed.message
    assert Told.ANSWERED not in {each.told for each in failed.answers}


def test_a_secret_of_the_app_itself_is_not_sent_to_the_vendor(world: Engine) -> None:
    named = world.catalog.connection("campaign-monitor").item.secrets.values()
    before = len(world.calls())
    begin(world)
    world.cloud.settings = replace(world.cloud.settings, own_secrets=frozenset(named))
    world.pump()
    assert probed(world).state is ProbeState.FAILED
    assert "belongs to the app itself" in probed(world).message
    assert len(world.calls()) == before


def test_a_message_that_failed_too_often_ends_the_probe(world: Engine) -> None:
    begin(world)
    [message] = messages(world)
    inbox.give_up(world.cloud, message.encode(), "poison-1")
    assert probed(world).state is ProbeState.FAILED
    assert world.cloud.blobs.read(BLOB) is None


def test_a_connection_that_leads_elsewhere_keeps_no_answers_and_no_address(world: Engine) -> None:
    begin(world)
    held = world.catalog.connection("campaign-monitor")
    changed = ConnectionInput.model_validate({**held.item.model_dump(), "secrets": {"api_key": "another"}})
    world.catalog.save_connection("campaign-monitor", changed, ADMINISTRATOR, held)
    world.pump()
    assert world.catalog.connection("campaign-monitor").item.probe is None
    assert world.cloud.blobs.read(BLOB) is None


def test_what_cannot_be_probed_is_refused(world: Engine) -> None:
    with pytest.raises(NotFound):
        world.service.start_probe("none", BASE, "ann")
    for base in ("ann", "ann@", "a b@example.com", "@example.com", f"{'x' * 60}@example.com"):
        with pytest.raises(Invalid) as refused:
            begin(world, base)
        assert base not in str(refused.value)
    held = world.catalog.connection("campaign-monitor")
    world.catalog.connections.replace(held.item.model_copy(update={"account": None}), held.etag)
    with pytest.raises(Unprocessable, match="Check the connection first"):
        begin(world)


def _clock(**ahead: float) -> Any:
    return lambda: datetime.now(UTC) + timedelta(**ahead)
