"""The vendor is busy, breaks down, hangs up or answers nonsense: every row is accounted for. Promises 1, 6 and 10."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from dev.simulators.common.faults import Fault
from dev.simulators.iterable import Settings as IterableSettings
from shared.cloud.settings import StorageAddress
from shared.delivery.state.records import Run, State
from shared.vendors import http
from shared.vendors.contract import Kind
from shared.vendors.registry import definition
from tests.integration.faults import promises, segments
from tests.integration.faults.segments import Segment, person, segment
from tests.integration.faults.world import BATCH_ROWS, World, world
from tests.memory import in_memory

NAME = "news"
SUBSCRIBE = "POST /api/lists/subscribe"
UPDATE = "POST /api/users/bulkUpdate"
UNSUBSCRIBE = "POST /api/lists/unsubscribe"
ATTEMPTS = 4
"""Of one call whose connection is broken off."""


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    """What fails here is the vendor, and never storage."""
    with in_memory() as address:
        yield address


@pytest.fixture
def made(storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Without pauses between attempts."""
    monkeypatch.setattr(http, "backoff", lambda disposition, attempt: 0.0)
    with world(storage, unique) as made:
        made.define(NAME)
        yield made


def deliver(made: World, wanted: Segment, *faults: Fault) -> Run:
    """A run on the segment while the vendor has these faults; delayed messages have their time."""
    made.land(wanted)
    made.pass_time()
    made.engine.simulator.faults.set(faults)
    run = made.start(NAME)
    assert made.work_as_host(made.cloud) == 0, "the function failed"
    made.engine.simulator.faults.set([])
    return run


STORMS: dict[str, dict[str, Any]] = {
    "too many requests": {"kind": "rate_limited", "retry_after": 0},
    "too many requests, untold": {"kind": "rate_limited"},
    "come back in an hour": {"kind": "rate_limited", "retry_after": 3000},
    "server errors": {"kind": "error", "status": 500},
    "unavailable": {"kind": "error", "status": 503},
    "errors after the work": {"kind": "error", "status": 500, "work": True},
    "hang-ups": {"kind": "drop"},
    "hang-ups after the work": {"kind": "drop", "work": True},
    "half answers": {"kind": "truncate"},
    "web pages": {"kind": "html", "status": 502},
    "nonsense": {"kind": "unknown_json"},
    "nonsense after the work": {"kind": "unknown_json", "work": True},
}


@pytest.mark.in_turn("storm", 5)
@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
def test_in_a_storm_every_row_is_accounted_for_and_the_next_run_makes_it_good(
    made: World, storm: dict[str, Any]
) -> None:
    """A third of all calls, reads too."""
    made.land(segments.first(NAME))
    made.start(NAME)
    made.work()
    run = deliver(made, segments.second(NAME), Fault(chance=0.35, seed=7, **storm))
    made.wake()
    made.work()
    promises.ended_once(made, run)
    outcomes = promises.counts_add_up(made, run)["outcomes"]
    accepted, asked = promises.vendors_word(made, run)
    for kind in Kind:
        done = len([each for each in accepted if each.kind is kind])
        assert outcomes.get(f"{kind} accepted", 0) <= done, "accepted what was not done"
        assert done <= outcomes.get(f"{kind} accepted", 0) + outcomes.get(f"{kind} unknown", 0)
        assert outcomes.get(f"{kind} rejected", 0) <= len([each for each in asked if each.kind is kind])
    following = deliver(made, segments.second(NAME))
    promises.ended_once(made, following)
    promises.list_is_the_segment(made, NAME, segments.second(NAME))
    promises.ledger_is_what_was_accepted(made, NAME, segments.second(NAME))


def test_done_and_not_heard_is_accepted_when_it_is_asked_again(made: World) -> None:
    run = deliver(made, segments.first(NAME), Fault(endpoint=SUBSCRIBE, kind="drop", work=True, call=2))
    promises.kept(made, run, segments.first(NAME))
    twice = [each for each, times in made.accounts.sent(run).items() if times == 2]
    assert len(twice) == made.accounts.again == BATCH_ROWS


def unheard(endpoint: str, *, work: bool) -> Fault:
    """The first batch of an endpoint gets no answer, however often it is asked."""
    return Fault(endpoint=endpoint, kind="drop", work=work, times=ATTEMPTS)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("work", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("stays", [True, False], ids=["stays", "leaves"])
def test_an_addition_whose_outcome_is_unknown_is_settled_by_the_next_run(made: World, work: bool, stays: bool) -> None:
    wanted = segment(NAME, [person(NAME, number) for number in range(BATCH_ROWS - 1)])  # and the odd one: one batch
    run = deliver(made, wanted, unheard(SUBSCRIBE, work=work))
    assert promises.counts_add_up(made, run)["outcomes"] == {"add unknown": BATCH_ROWS}
    assert made.engine.current(run).state is State.WARNINGS
    assert Counter(row.status for row in made.ledger(NAME).values()) == {"maybe": BATCH_ROWS}
    assert len(made.engine.members(NAME)) == (BATCH_ROWS - 1 if work else 0)
    others = segment(NAME, [person(NAME, number) for number in range(20, 23)])
    following = deliver(made, wanted if stays else others)
    promises.ended_once(made, following)
    promises.list_is_the_segment(made, NAME, wanted if stays else others)
    promises.ledger_is_what_was_accepted(made, NAME, wanted if stays else others)


@pytest.mark.parametrize("work", [True, False], ids=["done", "not done"])
def test_a_change_whose_outcome_is_unknown_is_sent_again_by_the_next_run(made: World, work: bool) -> None:
    deliver(made, segments.first(NAME))
    run = deliver(made, segments.second(NAME), unheard(UPDATE, work=work))
    assert promises.counts_add_up(made, run)["outcomes"]["change unknown"] == 4
    following = deliver(made, segments.second(NAME))
    assert made.engine.report(following)["outcomes"] == {"change accepted": 4}
    promises.kept(made, following, segments.second(NAME))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("work", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("returns", [True, False], ids=["returns", "stays away"])
def test_a_removal_whose_outcome_is_unknown_is_settled_by_the_next_run(made: World, work: bool, returns: bool) -> None:
    fewer = segment(NAME, [person(NAME, number) for number in range(BATCH_ROWS, 38)])
    deliver(made, segments.first(NAME))
    run = deliver(made, fewer, unheard(UNSUBSCRIBE, work=work))
    assert promises.counts_add_up(made, run)["outcomes"] == {"remove unknown": BATCH_ROWS}
    wanted, kind = (segments.first(NAME), Kind.ADD) if returns else (fewer, Kind.REMOVE)
    following = deliver(made, wanted)
    assert made.engine.report(following)["outcomes"] == {f"{kind} accepted": BATCH_ROWS}
    promises.kept(made, following, wanted)


def test_a_vendor_that_is_down_for_good_ends_the_run_after_a_day(made: World) -> None:
    """Waiting is delayed messages; in the end the run fails, and the next one begins where it stood."""
    made.land(segments.first(NAME))
    made.engine.simulator.faults.set([Fault(endpoint=SUBSCRIBE, kind="rate_limited", retry_after=3600)])
    run = made.start(NAME)
    made.step()
    held = made.delivery(run)
    assert held.value.stalled_since is not None
    assert "Waiting" in held.value.message
    assert 3500 <= made.asked[-1][1] <= 3600
    made.runs.save(held, stalled_since=held.value.stalled_since.replace(year=2025))
    made.work_as_host(made.cloud)
    promises.ended_once(made, run, states=(State.FAILED,))
    assert promises.counts_add_up(made, run)["outcomes"] == {"add skipped": 39}
    promises.kept(made, deliver(made, segments.first(NAME)), segments.first(NAME))


def test_rates_hold_from_slice_to_slice(storage: StorageAddress, unique: str) -> None:
    """Changes may go out five a second; our share of that is three. Each slice sends one window of four."""
    documented = IterableSettings().rates
    share = int(
        next(rate.requests for rate in definition("iterable").rates if "users/bulkUpdate" in rate.endpoints) * 0.75
    )
    with world(storage, unique, slice_seconds=0.001) as made:
        made.define(NAME)
        made.land(segment(NAME, [person(NAME, number) for number in range(60)]))
        made.start(NAME)
        made.work()
        made.engine.simulator.change_settings({"rates": documented})
        wanted = segment(NAME, [person(NAME, number, first="New") for number in range(60)])
        made.land(wanted)
        run = made.start(NAME)
        made.work()
        promises.kept(made, run, wanted)
        assert made.delivery(run).value.turn > 3
        told = made.engine.simulator.journal.summary()["by_endpoint"][UPDATE]
        assert (told["calls"], told["by_status"]) == (12, {"200": 12})
        assert told["max_per_second"] == share
