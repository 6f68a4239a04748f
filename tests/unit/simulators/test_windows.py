"""Rates: at most so many calls in any window, counted for each account by itself."""

from __future__ import annotations

from dev.simulators.common.clock import ManualClock
from dev.simulators.common.windows import Rate, Windows

FIVE_A_MINUTE = [("size", Rate(calls=5, seconds=60))]


def test_a_call_over_the_rate_is_told_how_long_to_wait() -> None:
    clock = ManualClock()
    windows = Windows(clock)
    for _ in range(5):
        assert windows.take("a", FIVE_A_MINUTE) == 0
        clock.advance(10)
    assert windows.take("a", FIVE_A_MINUTE) == 10


def test_the_window_slides() -> None:
    clock = ManualClock()
    windows = Windows(clock)
    clock.advance(59)
    for _ in range(5):
        windows.take("a", FIVE_A_MINUTE)
    clock.advance(2)
    assert windows.take("a", FIVE_A_MINUTE) == 58
    clock.advance(58)
    assert windows.take("a", FIVE_A_MINUTE) == 0


def test_a_refused_call_does_not_count() -> None:
    clock = ManualClock()
    windows = Windows(clock)
    for _ in range(20):
        windows.take("a", FIVE_A_MINUTE)
    clock.advance(60)
    assert [windows.take("a", FIVE_A_MINUTE) for _ in range(5)] == [0] * 5


def test_accounts_do_not_share_a_rate() -> None:
    windows = Windows(ManualClock())
    for _ in range(5):
        windows.take("a", FIVE_A_MINUTE)
    assert windows.take("b", FIVE_A_MINUTE) == 0


def test_a_call_counts_for_no_rate_unless_it_fits_all_of_them() -> None:
    clock = ManualClock()
    windows = Windows(clock)
    both = [("any", Rate(calls=1, seconds=1)), ("size", Rate(calls=2, seconds=60))]
    assert windows.take("a", both) == 0
    assert windows.take("a", both) == 1
    clock.advance(1)
    assert windows.take("a", both) == 0
    clock.advance(1)
    assert windows.take("a", both) == 58
