"""Only the message of the current turn goes on with a delivery; lost messages come again, poisoned ones end it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from dev.faults.interruptions import Died, Life, Trouble, When
from dev.faults.seam import VENDOR
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox, slices
from shared.delivery.messages import SliceMessage
from shared.delivery.slices import message_of
from shared.delivery.start import starting
from shared.delivery.state import layout
from shared.delivery.state.records import ENDED, Run, State, now
from shared.delivery.state.transitions import RunKind
from shared.vendors.contract import Kind
from tests.integration.faults import promises, segments
from tests.integration.faults.accounts import done
from tests.integration.faults.failures import busy
from tests.integration.faults.world import World, world

NAME = "news"
POISON = "a-message-id"


@pytest.fixture
def made(storage: StorageAddress, unique: str) -> Iterator[World]:
    """An export with a segment, and slices that send one window each."""
    with world(storage, unique, slice_seconds=0.001) as made:
        made.define(NAME)
        made.land(segments.first(NAME))
        yield made


def body(message: SliceMessage) -> bytes:
    return json.dumps(message.body()).encode()


def begun(made: World, slices: int = 2) -> Run:
    """A run of which so many slices are done."""
    run = made.start(NAME)
    for _ in range(slices):
        assert made.step()
    assert made.delivery(run).value.turn == slices + 1
    return run


def seen(made: World, run: Run) -> tuple[Any, ...]:
    """What a message that is dropped leaves as it is: rows, the vendor, the queue."""
    rows = (made.runs.run(run.export, run.run), *made.runs.deliveries(run.export, run.run))
    return (*rows, len(made.engine.simulator.journal.entries), len(made.asked))


OTHERS = {
    "the first turn": {"turn": 1},
    "the turn before": {"turn": 2},
    "a later turn": {"turn": 4},
    "a run that never was": {"run": "20200101-000000-000-0000"},
    "another delivery": {"delivery": 7},
    "another export": {"export": "nobody"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_a_message_of_another_turn_is_dropped(made: World, other: dict[str, Any]) -> None:
    run = begun(made)
    before = seen(made, run)
    current = SliceMessage(NAME, run.run, 0, 3).body()
    inbox.receive(made.cloud, json.dumps(current | other).encode())
    assert seen(made, run) == before
    made.work()
    promises.kept(made, run, segments.first(NAME))


def test_every_message_delivered_twice_is_carried_out_once(made: World) -> None:
    run = made.start(NAME)
    while (message := made.receive()) is not None:
        for _ in range(2):
            with made.accounts.slice(NAME):
                inbox.receive(made.cloud, message.content.encode())
        made.engine.queue.delete_message(message)
    promises.kept(made, run, segments.first(NAME))
    assert made.accounts.again == 0


def test_a_message_that_was_read_before_another_worker_carried_it_out_changes_nothing(made: World) -> None:
    """Both read the same turn; the slower one gets the account once the faster one has let it go."""
    run = begun(made, 1)
    message = made.receive()
    assert message is not None
    body, after = message.content.encode(), list[Any]()

    def around(name: str, work: Callable[[], Any]) -> Any:
        if name.startswith("blobs.acquire") and not after:
            inbox.receive(made.cloud, body)
            after.append(seen(made, run))
        return work()

    with made.accounts.slice(NAME):
        inbox.receive(made.watched(around), body)
    assert [seen(made, run)] == after
    assert made.delivery(run).value.turn == 3, "the faster one left nothing to do"
    made.engine.queue.delete_message(message)
    made.work()
    promises.kept(made, run, segments.first(NAME))
    assert made.accounts.again == 0


def test_old_messages_in_any_order_change_nothing(made: World) -> None:
    run = made.start(NAME)
    made.work()
    before = seen(made, run)
    for turn in (3, 1, 2, made.delivery(run).value.turn, 4, 1):
        inbox.receive(made.cloud, body(SliceMessage(NAME, run.run, 0, turn)))
    assert seen(made, run) == before
    promises.kept(made, run, segments.first(NAME))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_crash_between_row_and_message_heals_by_the_timer(made: World, number: int) -> None:
    life = Life(number, When.BEFORE, lambda name: name.startswith("slices.send"))
    with pytest.raises(Died):
        made.start(NAME, made.watched(life))
        made.work(made.watched(life))
    made.pass_time()
    assert made.wake() == 1
    assert made.receive() is not None  # lost once more
    assert made.wake() == 1
    made.work()
    run = made.run(NAME)
    assert run is not None
    promises.kept(made, run, segments.first(NAME))


def test_the_timer_leaves_alone_what_is_not_silent(made: World) -> None:
    run = begun(made)
    assert slices.KIND.wake(made.cloud) == 0  # its heartbeat is seconds old
    held = made.delivery(run)
    made.runs.save(held, due_at=now() + timedelta(hours=3))
    assert made.wake() == 0  # it waits for the vendor
    made.runs.save(made.delivery(run), state=State.BLOCKED, due_at=now())
    assert made.wake() == 0  # it waits for a person


def test_a_poisoned_message_of_an_old_turn_changes_nothing(made: World) -> None:
    run = begun(made)
    before = seen(made, run)
    for turn in (1, 2):
        inbox.give_up(made.cloud, body(SliceMessage(NAME, run.run, 0, turn)), POISON)
    assert seen(made, run) == before
    assert made.cloud.blobs.exists(f"poison/{POISON}.json")
    made.work()
    promises.kept(made, run, segments.first(NAME))


def test_poison_of_the_current_turn_fails_the_run_and_keeps_what_was_done(made: World) -> None:
    """Died with requests under way: those people may be on the list, the answered are, the others are not."""
    posts = Life(4, When.AFTER, lambda name: name.startswith(f"{VENDOR}.POST /api/lists/subscribe"))
    made.start(NAME)
    with pytest.raises(Died):
        made.work(made.watched(posts))
    run = made.run(NAME)
    assert run is not None
    inbox.give_up(made.cloud, body(message_of(made.delivery(run).value)), POISON)
    made.pass_time()
    made.work()
    promises.ended_once(made, run, states=(State.FAILED,))
    assert "log has the details" in made.engine.current(run).message
    outcomes = promises.counts_add_up(made, run)["outcomes"]
    assert outcomes["add unknown"] > 0
    assert outcomes["add skipped"] > 0
    ledger = made.ledger(NAME)
    members = {address for address, row in ledger.items() if row.status == "member"}
    perhaps = {address for address, row in ledger.items() if row.status == "maybe"}
    on_the_list = set(made.engine.members(NAME))
    assert members < on_the_list <= members | perhaps
    assert (len(members), len(perhaps)) == (outcomes["add accepted"], outcomes["add unknown"])

    following = made.start(NAME)
    made.work()
    promises.list_is_the_segment(made, NAME, segments.first(NAME))
    promises.ledger_is_what_was_accepted(made, NAME, segments.first(NAME))
    again = {operation.address for operation in made.accounts.sent(following)}
    assert not again & members
    assert perhaps <= again


def test_a_poisoned_commit_is_made_good_by_the_next_run(made: World) -> None:
    run = made.start(NAME)
    failing = Always("blobs.upload ledgers/")
    assert made.work_as_host(made.watched(failing)) == 10  # five attempts at the commit, five more after the poison
    promises.ended_once(made, run, states=(State.FAILED,))
    assert made.memory(NAME)["open"] == {"export": NAME, "run": run.run, "index": 0}
    assert made.engine.service.runs.report(NAME, run.run) is not None
    posts = len(made.engine.calls("POST"))
    following = made.start(NAME)
    made.work()
    promises.ended_once(made, following)
    promises.list_is_the_segment(made, NAME, segments.first(NAME))
    promises.ledger_is_what_was_accepted(made, NAME, segments.first(NAME))
    assert len(made.engine.calls("POST")) == posts, "somebody was sent again"
    memory = made.memory(NAME)
    assert (memory["open"], memory["committed"]) == (None, f"{run.run}-000")


def test_a_poisoned_commit_is_made_good_before_leavers_are_looked_for(made: World) -> None:
    made.start(NAME)
    made.work_as_host(made.watched(Always("blobs.upload ledgers/")))
    made.land(segments.second(NAME))
    following = made.start(NAME)
    made.work()
    promises.kept(made, following, segments.second(NAME))
    left = set(segments.first(NAME).members) - set(segments.second(NAME).members)
    assert {each.address for each in made.accounts.sent(following) if each.kind is Kind.REMOVE} == left


def test_cancelled_between_slices_it_keeps_what_was_done(made: World) -> None:
    run = begun(made)
    starting.cancel(made.cloud, NAME, run.run)
    made.work()
    promises.ended_once(made, run, states=(State.CANCELLED,))
    outcomes = promises.counts_add_up(made, run)["outcomes"]
    assert outcomes["add accepted"] == len(made.engine.members(NAME)) > 0
    assert outcomes["add skipped"] > 0
    following = made.start(NAME)
    made.work()
    promises.list_is_the_segment(made, NAME, segments.first(NAME))
    promises.ended_once(made, following)


def test_cancelled_after_a_death_the_rows_in_flight_are_unknown(made: World) -> None:
    life = Life(3, When.AFTER, lambda name: name.startswith(f"{VENDOR}.POST /api/lists/subscribe"))
    run = made.start(NAME)
    with pytest.raises(Died):
        made.work(made.watched(life))
    starting.cancel(made.cloud, NAME, run.run)
    made.pass_time()
    made.give_back()
    made.work()
    promises.ended_once(made, run, states=(State.CANCELLED,))
    assert promises.counts_add_up(made, run)["outcomes"]["add unknown"] > 0
    did = {each for entry in made.engine.simulator.journal.entries for each in done(entry)}
    known = {address for address, row in made.ledger(NAME).items() if row.status in ("member", "maybe")}
    assert {each.address for each in did} <= known, "somebody is on the list and nobody knows"


def test_a_lost_ledger_and_a_poisoned_commit_are_made_good_by_a_full_resync(made: World) -> None:
    made.start(NAME)
    made.work()
    made.land(segments.second(NAME))
    made.start(NAME)
    made.work_as_host(made.watched(Always("blobs.upload ledgers/")))
    made.cloud.blobs.delete(layout.ledger_manifest(made.memory(NAME)["ledger"]))
    blocked = made.start(NAME)
    made.work()
    assert made.engine.current(blocked).state is State.BLOCKED
    starting.start_run(made.cloud, made.engine.catalog.export(NAME).item, "test", kind=RunKind.FULL_RESYNC)
    made.work()
    assert {each.state for each in made.runs.history(NAME)} <= ENDED
    assert made.ledger(NAME).keys() >= set(segments.second(NAME).members)


def test_an_export_that_gets_another_list_during_its_run_ends(made: World) -> None:
    run = begun(made)
    made.define(NAME, targets=[{"segments": ["Loyal"], "list_name": "another"}])
    made.work()
    assert made.engine.current(run).state in ENDED
    following = made.start(NAME)
    made.work()
    assert made.engine.current(following).state in promises.GOOD
    assert made.engine.members("another").keys() == set(segments.first(NAME).members)


def test_asked_for_twice_there_is_one_run(made: World) -> None:
    run = begun(made)
    again = made.engine.service.start(NAME)
    assert (again.run.run, again.new) == (run.run, False)
    made.work()
    assert [each.run for each in made.runs.history(NAME)] == [run.run]
    promises.kept(made, run, segments.first(NAME))


class Always(Trouble):
    """Every call with such a name fails."""

    def __init__(self, name: str) -> None:
        super().__init__(busy)
        self._name = name

    def __call__(self, name: str, work: Any) -> Any:
        if name.startswith(self._name):
            raise busy()
        return work()
