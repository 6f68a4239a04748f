"""What people and other programs do while a run is under way: definitions go, messages are forged, blobs are touched,
storage refuses writes, and an instance's clock is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from dev.host.azurite import Azurite
from shared.cloud.cloud import Cloud
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox, jobs, messages, slices
from shared.delivery.account.lease import LEASE_SECONDS
from shared.delivery.messages import BadMessage, SliceMessage
from shared.delivery.state import layout
from shared.delivery.state.records import Run, State, now
from tests.integration.delivery.engine import ADMINISTRATOR
from tests.integration.faults import promises, segments
from tests.integration.faults.segments import FEW
from tests.integration.faults.world import World, world

NAME, OTHER = "news", "other"
SMALL = {"rows_per_file": 40, "slice_seconds": 0.001}


@pytest.fixture
def made(storage: StorageAddress, unique: str) -> Iterator[World]:
    """Two exports on one account, both delivered once."""
    with world(storage, unique, **SMALL) as made:
        for name in (NAME, OTHER):
            made.define(name)
            made.land(segments.first(name, FEW))
            made.start(name)
            made.work()
            made.pass_time()
        yield made


def begun(made: World, slices: int = 2) -> Run:
    """A second run, with removals, of which so many slices are done."""
    made.land(segments.second(NAME, FEW))
    run = made.start(NAME)
    for _ in range(slices):
        assert made.step()
    return run


def writes(made: World, before: int) -> list[str]:
    """What the vendor was asked to change since it had so many requests."""
    return [each.endpoint for each in entries(made)[before:] if each.method != "GET"]


def entries(made: World) -> Sequence[Any]:
    """All requests that the vendor had."""
    return made.engine.simulator.journal.entries


def good_again(made: World, name: str = NAME) -> None:
    """The next run makes the list the segment."""
    made.pass_time()
    made.land(segments.third(name, FEW))
    run = made.start(name)
    made.work_as_host(made.cloud)
    promises.ended_once(made, run)
    promises.list_is_the_segment(made, name, segments.third(name, FEW))


# Definitions


@pytest.mark.parametrize("slices", [1, 2])
def test_an_export_that_is_deleted_in_the_middle_stops_before_it_touches_what_it_gave_up(
    made: World, slices: int
) -> None:
    """The pages refuse it while a run is under way; somebody may be faster."""
    run = begun(made, slices)
    catalog, held = made.engine.catalog, made.engine.catalog.export(NAME)
    catalog.delete_export(held, ADMINISTRATOR)
    before = len(entries(made))
    made.work_as_host(made.cloud)
    ended, delivery = made.engine.current(run), made.delivery(run).value
    assert (ended.state, delivery.code) == (State.FAILED, "target_owned")
    assert ended.message
    assert not writes(made, before)
    made.define(NAME)
    good_again(made)
    good_again(made, OTHER)


@pytest.mark.parametrize("slices", [1, 2])
def test_a_connection_that_is_disabled_in_the_middle_stops_its_runs_until_it_is_enabled(
    made: World, slices: int
) -> None:
    run = begun(made, slices)
    made.engine.connect(settings=made.engine.catalog.connection("iterable").item.settings, disabled=True)
    before = len(entries(made))
    made.work_as_host(made.cloud)
    ended, delivery = made.engine.current(run), made.delivery(run).value
    assert (ended.state, delivery.code) == (State.FAILED, "connection_disabled")
    assert entries(made)[before:] == []
    made.engine.connect(settings=made.engine.catalog.connection("iterable").item.settings)
    good_again(made)


# Messages

FORGED: dict[str, Callable[[Run], dict[str, Any]]] = {
    "a turn to come": lambda run: {"turn": 99},
    "a turn that was": lambda run: {"turn": 1},
    "a delivery more": lambda run: {"delivery": 1},
    "the other's name": lambda run: {"export": OTHER},
    "a verification of what runs": lambda run: {"kind": "verify"},
    "a check-up that nobody asked for": lambda run: {
        "kind": "doctor",
        "target": 0,
        "mark": "0a1b2c",
        "run": None,
        "delivery": None,
        "turn": None,
    },
    "a probe that nobody began": lambda run: {
        "kind": "probe",
        "connection": "iterable",
        "mark": "0a1b2c",
        "export": None,
        "run": None,
        "delivery": None,
    },
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("gave_up", [False, True], ids=["received", "given up"])
def test_a_forged_message_moves_nothing(made: World, name: str, gave_up: bool) -> None:
    run = begun(made)
    current = SliceMessage(NAME, run.run, 0, made.delivery(run).value.turn).body()
    forged = {key: value for key, value in (current | FORGED[name](run)).items() if value is not None}
    before, requests = made.delivery(run), len(entries(made))
    if gave_up:
        inbox.give_up(made.cloud, json.dumps(forged).encode(), "an-id")
    else:
        inbox.receive(made.cloud, json.dumps(forged).encode())
    assert made.delivery(run) == before
    assert len(entries(made)) == requests
    made.work()
    promises.kept(made, run, segments.second(NAME, FEW))


def test_a_message_of_another_version_is_set_aside_and_the_timer_sends_its_own(made: World) -> None:
    run = begun(made)
    message = made.receive()
    assert message is not None
    made.engine.queue.delete_message(message)
    later = json.dumps(json.loads(message.content) | {"version": 2}).encode()
    with pytest.raises(BadMessage):
        inbox.receive(made.cloud, later)
    inbox.give_up(made.cloud, later, "an-id")
    assert made.cloud.blobs.exists("poison/an-id.json")
    assert made.wake() == 1
    made.work()
    promises.kept(made, run, segments.second(NAME, FEW))


# Storage that refuses writes

READ_ONLY = {
    "read-only": (403, "AuthorizationPermissionMismatch"),
    "frozen": (409, "BlobImmutableDueToPolicy"),
    "full": (507, "InsufficientStorage"),
}
WRITES = ("write", "create", "append", "upload", "compose", "delete", "replace", "insert", "transaction", "send")


def refusing(status: int, code: str) -> Callable[[str, Callable[[], Any]], Any]:
    def around(name: str, work: Callable[[], Any]) -> Any:
        part, _, call = name.partition(" ")[0].partition(".")
        if part != "vendor" and call in WRITES:
            error = HttpResponseError(code)
            error.status_code, error.error_code = status, code  # type: ignore[attr-defined]
            raise error
        return work()

    return around


@pytest.mark.sampled(3)
@pytest.mark.parametrize("slices", [0, 1, 2])
@pytest.mark.parametrize("way", READ_ONLY)
def test_storage_that_refuses_writes_sends_nobody_and_is_made_good_when_it_takes_them(
    made: World, way: str, slices: int
) -> None:
    run = begun(made, slices)
    before = len(entries(made))
    _attempts(made, made.watched(refusing(*READ_ONLY[way])))
    assert not writes(made, before)
    made.pass_time()
    made.wake()
    made.work()
    ended = made.engine.current(run)
    assert ended.state in (*promises.GOOD, State.FAILED)
    assert ended.state in promises.GOOD or ended.message
    good_again(made)


def _attempts(made: World, cloud: Cloud) -> None:
    """The host's five, and five more of the poison queue's; then the message is nobody's."""
    message = made.receive()
    assert message is not None
    body = message.content.encode()
    for attempt in [inbox.receive] * 5 + [lambda cloud, body: inbox.give_up(cloud, body, "an-id")] * 5:
        with pytest.raises(HttpResponseError):
            attempt(cloud, body)
    made.engine.queue.delete_message(message)


# Clocks


@pytest.mark.parametrize("ahead", [-120, 120])
def test_two_instances_with_clocks_two_minutes_apart_carry_out_one_run(made: World, ahead: int) -> None:
    made.land(segments.second(NAME, FEW))
    run = made.start(NAME)
    clocks: list[Callable[[], Any]] = [now, lambda: now() + timedelta(seconds=ahead)]
    turn = 0
    while (message := made.receive()) is not None:
        parsed = messages.parse(message.content)
        assert isinstance(parsed, SliceMessage)
        with made.accounts.slice(NAME):
            jobs.carry_out(slices.KIND, made.cloud, parsed, clock=clocks[turn % 2])
        made.engine.queue.delete_message(message)
        assert slices.KIND.wake(made.cloud, clock=clocks[(turn + 1) % 2]) == 0, "it seemed silent to the other"
        turn += 1
    assert turn > 2
    assert made.accounts.again == 0
    promises.kept(made, run, segments.second(NAME, FEW))


# Blobs that others touch


@pytest.fixture
def on_azurite(azurite: Azurite, unique: str) -> Iterator[World]:
    """As `made`, where blobs have kinds and snapshots."""
    with world(StorageAddress(connection_string=azurite.connection_string), unique, **SMALL) as made:
        made.define(NAME)
        made.land(segments.first(NAME, FEW))
        made.start(NAME)
        made.work()
        made.pass_time()
        yield made


def _snapshots(made: World) -> None:
    """As backups take them of everything."""
    for name in list(made.cloud.blobs.names("")):
        made.container.get_blob_client(name).create_snapshot()


def _strangers(made: World) -> None:
    """Blobs of other kinds in every folder of ours."""
    for folder in {name.rpartition("/")[0] for name in made.cloud.blobs.names("")}:
        made.container.get_blob_client(f"{folder}/disk.vhd").create_page_blob(512)
        made.container.get_blob_client(f"{folder}/log").create_append_blob()
    for folder in (layout.VERIFYING, layout.PROBES, layout.DOCTOR):
        made.container.get_blob_client(f"{folder}log.json").create_append_blob()


def _leases(made: World) -> None:
    """Somebody holds every blob of the last run and of the ledger, as tools do that copy them."""
    for name in [*made.cloud.blobs.names("runs/"), *made.cloud.blobs.names("ledgers/")]:
        if not name.endswith("manifest.json"):
            with suppress(ResourceExistsError):  # it is held already
                made.container.get_blob_client(name).acquire_lease(LEASE_SECONDS)


@pytest.mark.parametrize("touch", [_snapshots, _strangers, _leases])
def test_what_others_do_with_blobs_keeps_no_run_from_its_end(on_azurite: World, touch: Callable[[World], None]) -> None:
    made = on_azurite
    touch(made)
    run = begun(made, 1)
    touch(made)
    made.work_as_host(made.cloud)
    promises.ended_once(made, run)
    promises.list_is_the_segment(made, NAME, segments.second(NAME, FEW))
    good_again(made)


KINDS: dict[str, tuple[Callable[[World, Run], str], State, str]] = {
    "the lease": (lambda made, run: layout.lease(made.engine.catalog.export(NAME).item.account), State.WARNINGS, ""),
    "the ledger's manifest": (
        lambda made, run: layout.ledger_manifest(made.memory(NAME)["ledger"]),
        State.BLOCKED,
        "ledger_damaged",
    ),
    "a plan's manifest": (
        lambda made, run: layout.plan_manifest(layout.delivery_folder(NAME, run.run, 0)),
        State.BLOCKED,
        "plan_unreadable",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_page_blob_in_place_of_ours_is_told_or_written_over(on_azurite: World, name: str) -> None:
    made = on_azurite
    run = begun(made, 1)
    where, state, code = KINDS[name]
    place = where(made, run)
    made.cloud.blobs.delete(place)
    made.container.get_blob_client(place).create_page_blob(512)
    made.work_as_host(made.cloud)
    ended = made.engine.current(run)
    assert (ended.state, made.delivery(run).value.code) == (state, code)
    assert ended.message or not code


def test_a_journal_that_nobody_can_append_to_fails_its_run_before_anybody_is_sent(on_azurite: World) -> None:
    made = on_azurite
    run = begun(made, 1)
    turn = made.delivery(run).value.turn
    place, before = layout.journal(layout.delivery_folder(NAME, run.run, 0), turn), len(entries(made))
    made.cloud.blobs.write(place, b"")
    made.work_as_host(made.cloud)
    assert made.engine.current(run).state is State.FAILED
    assert made.engine.current(run).message
    assert not [each for each in writes(made, before) if "subscribe" in each]
    good_again(made)


def test_a_ledger_that_somebody_holds_fails_the_run_in_words_and_the_next_one_commits_it(on_azurite: World) -> None:
    made = on_azurite
    run = begun(made, 1)
    place = layout.ledger_manifest(made.memory(NAME)["ledger"])
    theirs = made.container.get_blob_client(place).acquire_lease()
    made.work_as_host(made.cloud)
    ended = made.engine.current(run)
    assert (ended.state, bool(ended.message)) == (State.FAILED, True)
    theirs.release()
    good_again(made)
