"""A rate's share is used to the full and never exceeded, over threads, slices and workers."""

from __future__ import annotations

import bisect
import itertools
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.vendors.answers import RateLimited
from shared.vendors.contract import Rate
from shared.vendors.limits import INTERACTIVE_SHARE, Limiter
from tests.unit.vendors.loopback import Clock


def limiter(clock: Clock, *rates: Rate, patience: float = 1e9, **options: float) -> Limiter:
    return Limiter(rates, clock=clock, wait=clock.wait, patience=patience, **options)  # type: ignore[arg-type]  # floats only


def most_in_any_window(times: list[float], seconds: float) -> int:
    """The largest number of times within any half-open window."""
    return max(bisect.bisect_left(times, start + seconds) - index for index, start in enumerate(times))


def run_for(limits: Limiter, clock: Clock, seconds: float, endpoint: str = "e") -> list[float]:
    end, times = clock.now + seconds, []
    while clock.now < end:
        limits.acquire(endpoint)
        times.append(clock.now)
    return [time for time in times if time < end]


@pytest.mark.parametrize(
    ("requests", "seconds", "budget", "allowed"),
    [(4, 1.0, 1.0, 3), (100, 1.0, 0.75, 75), (35, 60.0, 0.75, 26), (2000, 3600.0, 0.75, 1500), (5, 1.0, 0.75, 3)],
)
def test_a_busy_sender_gets_the_whole_share_and_no_more(
    requests: float, seconds: float, budget: float, allowed: int
) -> None:
    clock = Clock()
    times = run_for(limiter(clock, Rate(("e",), requests, seconds), budget=budget), clock, 60 * seconds)
    assert most_in_any_window(times, seconds) <= allowed
    assert len(times) >= 0.97 * 60 * allowed


@settings(deadline=None, max_examples=150)
@given(
    st.floats(0.2, 20.0),
    st.sampled_from([1.0, 10.0, 60.0]),
    st.floats(0.1, 1.0),
    st.lists(st.floats(0.0, 30.0) | st.just(0.0), min_size=1, max_size=80),
)
def test_no_arrival_pattern_exceeds_the_share(
    requests: float, seconds: float, budget: float, gaps: list[float]
) -> None:
    clock = Clock()
    limits = limiter(clock, Rate(("e",), requests, seconds), budget=budget)
    times = []
    for gap in gaps:
        clock.now += gap
        limits.acquire("e")
        times.append(clock.now)
    share = requests * min(budget, 0.9)
    assert most_in_any_window(times, seconds if share >= 1 else seconds / share) <= max(1, int(share + 1e-9))


def test_an_unpublished_rate_is_not_multiplied_and_can_be_set() -> None:
    clock = Clock()
    rate = Rate(("e",), 4, 1.0, published=False, setting="subscribe_rate")
    assert most_in_any_window(run_for(limiter(clock, rate, budget=0.5), clock, 20), 1.0) == 4
    chosen = Limiter([rate], settings={"subscribe_rate": 7.0}, clock=clock, wait=clock.wait, patience=1e9)
    assert most_in_any_window(run_for(chosen, clock, 20), 1.0) == 7


def test_a_rate_below_one_per_window_stretches_the_window() -> None:
    clock = Clock()
    limits = limiter(clock, Rate(("e",), 0.1, 1.0, published=False))
    times = run_for(limits, clock, 100)
    assert all(after - before >= 10 for before, after in itertools.pairwise(times))
    assert len(times) >= 9


def test_interactive_calls_have_a_tenth_of_the_limit_which_deliveries_never_touch() -> None:
    clock = Clock()
    limits = limiter(clock, Rate(("e",), 100, 1.0), share=INTERACTIVE_SHARE)
    assert most_in_any_window(run_for(limits, clock, 10), 1.0) == 10
    greedy = limiter(clock, Rate(("e",), 100, 1.0), budget=1.0)
    assert most_in_any_window(run_for(greedy, clock, 10), 1.0) == 90


def test_endpoints_share_a_window_and_an_endpoint_may_have_several() -> None:
    clock = Clock()
    limits = limiter(
        clock, Rate(("a", "b"), 2, 1.0, published=False), Rate(("b",), 3, 60.0, published=False), patience=5
    )
    limits.acquire("a")
    limits.acquire("b")
    assert clock.waits == []
    assert limits.acquire("a") > 0
    limits.acquire("b")
    limits.acquire("b")
    with pytest.raises(RateLimited):
        limits.acquire("b")
    limits.acquire("a")


def test_an_endpoint_without_a_rate_is_free() -> None:
    clock = Clock()
    limits = limiter(clock, Rate(("e",), 1, 1.0))
    assert [limits.acquire("other") for _ in range(100)] == [0.0] * 100


def test_a_wait_beyond_the_patience_ends_at_once_and_says_how_long() -> None:
    clock = Clock()
    limits = limiter(clock, Rate(("e",), 1, 60.0, published=False), patience=20)
    limits.acquire("e")
    with pytest.raises(RateLimited) as error:
        limits.acquire("e")
    assert 59 < error.value.seconds < 62
    assert clock.waits == []
    clock.now += error.value.seconds
    assert limits.acquire("e") == 0.0


def test_a_wait_that_raises_gives_the_place_back() -> None:
    class Cancelled(Exception):
        pass

    def wait(seconds: float) -> None:
        raise Cancelled

    clock = Clock()
    limits = Limiter([Rate(("e",), 1, 1.0, published=False)], clock=clock, wait=wait)
    limits.acquire("e")
    with pytest.raises(Cancelled):
        limits.acquire("e")
    clock.now += 1.5
    assert limits.acquire("e") == 0.0


def test_the_windows_go_on_in_the_next_worker() -> None:
    clock = Clock()
    rate = Rate(("e",), 3, 60.0, published=False)
    first = limiter(clock, rate)
    for _ in range(3):
        first.acquire("e")
    carried = json.loads(json.dumps(first.state()))
    second = limiter(clock, rate, patience=20)
    second.restore(carried)
    with pytest.raises(RateLimited):
        second.acquire("e")
    clock.now += 61
    assert second.acquire("e") == 0.0
    limiter(clock, rate).restore({})


def test_another_workers_fast_clock_costs_one_window_at_most() -> None:
    clock = Clock()
    rate = Rate(("e",), 2, 60.0, published=False)
    ahead = Clock(clock.now + 86_400)
    fast = limiter(ahead, rate)
    fast.acquire("e")
    fast.acquire("e")
    fast.hold("e", 1e9)
    state = fast.state()
    state["e"]["until"] = 0.0
    limits = limiter(clock, rate)
    limits.restore(state)
    assert 59 < limits.acquire("e") < 62


def test_a_hold_is_obeyed_by_everybody_and_carried_on() -> None:
    clock = Clock()
    rate = Rate(("e", "f"), 100, 1.0)
    limits = limiter(clock, rate, patience=20)
    limits.hold("e", 10)
    assert limits.acquire("f") == pytest.approx(10)
    limits.hold("e", 30)
    later = limiter(clock, rate, patience=20)
    later.restore(limits.state())
    with pytest.raises(RateLimited) as error:
        later.acquire("e")
    assert error.value.seconds == pytest.approx(30)


def test_a_clock_that_is_set_back_blocks_nobody_for_long() -> None:
    clock = Clock()
    limits = limiter(clock, Rate(("e",), 1, 1.0, published=False))
    limits.acquire("e")
    clock.now -= 86_400
    assert limits.acquire("e") < 1.1


def test_429_slows_down_once_per_window_and_quiet_windows_speed_up_again() -> None:
    clock = Clock()
    limits = limiter(clock, Rate(("e",), 10, 1.0, published=False))

    def factor() -> float:
        return float(limits.state()["e"]["factor"])

    for _ in range(5):
        limits.throttled("e")
    assert factor() == pytest.approx(0.7)
    clock.now += 1.5
    limits.throttled("e")
    assert factor() == pytest.approx(0.49)
    assert most_in_any_window(run_for(limits, clock, 0.5), 1.0) == 4
    clock.now += 1.5
    assert factor() == pytest.approx(0.49)
    clock.now += 0.5
    limits.acquire("e")
    assert factor() == pytest.approx(0.49 * 1.1)
    run_for(limits, clock, 30)
    assert factor() == 1.0
    assert most_in_any_window(run_for(limits, clock, 5), 1.0) == 10


def test_the_slower_pace_is_carried_on() -> None:
    clock = Clock()
    rate = Rate(("e",), 10, 60.0, published=False)
    limits = limiter(clock, rate)
    limits.throttled("e")
    later = limiter(clock, rate)
    later.restore(json.loads(json.dumps(limits.state())))
    assert most_in_any_window(run_for(later, clock, 60), 60.0) == 7


def test_threads_lose_no_request_from_the_log() -> None:
    """Nor is one counted twice, while it leaves the queue: then the last of a window would wait for the next."""
    clock = Clock()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads meet at every step
    try:
        for _ in range(20):
            limits = limiter(clock, Rate(("e",), 200, 1e6, published=False), patience=20)
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _, limits=limits: limits.acquire("e"), range(200)))
            assert len(limits.state()["e"]["times"]) == 200
            with pytest.raises(RateLimited):
                limits.acquire("e")
    finally:
        sys.setswitchinterval(interval)


def test_who_comes_later_does_not_overtake() -> None:
    clock = Clock()
    told: list[float] = []

    def wait(seconds: float) -> None:
        if not told:
            with pytest.raises(RateLimited) as error:
                limits.acquire("e")
            told.append(error.value.seconds)
        clock.wait(seconds)

    limits = Limiter([Rate(("e",), 1, 10.0, published=False)], clock=clock, wait=wait, patience=15)
    limits.acquire("e")
    limits.acquire("e")
    assert told == [pytest.approx(20, rel=0.05)]
