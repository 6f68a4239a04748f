"""A sliding-window-log limiter: a vendor's rates, kept over threads, slices and workers."""

from __future__ import annotations

import bisect
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.vendors.answers import RateLimited
from shared.vendors.contract import Rate
from shared.wording import say

BATCH_SHARE = 0.9
INTERACTIVE_SHARE = 0.1
DEFAULT_BUDGET = 0.75

WINDOW_SLACK = 0.025
"""Seconds that each window is longer than the vendor says: a request may reach it later than the one after it."""
_SLOWER, _FASTER, _SLOWEST = 0.7, 1.1, 0.05
_LONGEST_HOLD = 3600.0
_SHORTEST = 0.001
"""Seconds of a sleep; less might not move a clock at all."""


class Limiter:
    """Never lets more than a rate's share start in any of its windows, first come, first served.

    `budget` is the connection's rate budget; it holds for published rates only. `share` is the most of any rate that
    the caller may have: BATCH_SHARE for slices, INTERACTIVE_SHARE for connection checks and pickers, so that both
    together never exceed it. `settings` are the connection's
    settings, for rates whose `setting` overrides them. `clock` tells wall-clock seconds, since windows move between
    workers. Thread safe.
    """

    def __init__(
        self,
        rates: Sequence[Rate],
        *,
        budget: float = DEFAULT_BUDGET,
        share: float = BATCH_SHARE,
        settings: Mapping[str, str | float | bool] | None = None,
        patience: float = 20.0,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._windows = [_Window(rate, _allowed(rate, budget, share, settings or {})) for rate in rates]
        self._patience = patience
        self._wait = wait
        self._clock = clock
        self._lock = threading.Lock()

    def acquire(self, endpoint: str) -> float:
        """Wait until a request to `endpoint` may start; returns the seconds waited.

        Raises RateLimited when that takes longer than the patience, and whatever `wait` raises. An endpoint that no
        rate names is free.
        """
        windows = self._of(endpoint)
        ticket, waited = object(), 0.0
        with self._lock:
            for window in windows:
                window.queue.append(ticket)
        try:
            while (delay := self._take(windows, ticket)) > 0:
                if waited + delay > self._patience:
                    raise RateLimited(delay, say("Requests to %(endpoint)s have to wait.", endpoint=endpoint))
                self._wait(delay)
                waited += delay
        except BaseException:
            with self._lock:
                for window in windows:
                    window.queue.remove(ticket)
            raise
        return waited

    def throttled(self, endpoint: str) -> None:
        """The vendor said that this was too much (429): slow down, at most once per window."""
        with self._lock:
            now = self._clock()
            for window in self._of(endpoint):
                window.slow_down(now)

    def hold(self, endpoint: str, seconds: float) -> None:
        """Nobody calls `endpoint` for so many seconds: the vendor said so (`Retry-After`), or it is in trouble."""
        with self._lock:
            until = self._clock() + min(seconds, _LONGEST_HOLD)
            for window in self._of(endpoint):
                window.until = max(window.until, until)

    def seconds_for(self, endpoint: str, requests: int) -> float:
        """What the rates make so many requests take that follow one another, from a quiet start."""
        with self._lock:
            return max((window.seconds_for(requests) for window in self._of(endpoint)), default=0.0)

    def state(self) -> dict[str, Any]:
        """The windows as JSON: for each rate the recent request times, the adaptive factor, and a hold."""
        with self._lock:
            now = self._clock()
            return {window.name: window.state(now) for window in self._windows}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Carry on within the windows of an earlier `state()`, maybe another worker's."""
        with self._lock:
            now = self._clock()
            for window in self._windows:
                if window.name in state:
                    window.restore(state[window.name], now)

    def _of(self, endpoint: str) -> list[_Window]:
        return [window for window in self._windows if endpoint in window.endpoints]

    def _take(self, windows: list[_Window], ticket: object) -> float:
        """Take the slot and return 0, or return how long to wait for it."""
        with self._lock:
            now = self._clock()
            slot = max((window.slot(now, window.queue.index(ticket)) for window in windows), default=now)
            if slot > now:
                return max(slot - now, _SHORTEST)
            for window in windows:  # at once, or those behind would count the request twice
                window.times.append(now)
                window.queue.remove(ticket)
            return 0.0


class _Window:
    """One rate's log. Only touched under the limiter's lock."""

    def __init__(self, rate: Rate, allowed: float) -> None:
        self.name = "+".join(rate.endpoints)
        self.endpoints = rate.endpoints
        self.seconds = rate.seconds
        self.queue: list[object] = []
        self.times: list[float] = []
        self.until = 0.0
        self._allowed = allowed
        self._factor = 1.0
        self._slowed = 0.0
        self._quiet = 0.0

    def slot(self, now: float, ahead: int) -> float:
        """When the request may start that has `ahead` others before it."""
        self._recover(now)
        self._tidy(now)
        requests, seconds = self._shape()
        turns, place = divmod(ahead, requests)
        index = len(self.times) - requests + place
        free = self.times[index] + seconds if index >= 0 else now
        return max(free, now, self.until) + turns * seconds

    def seconds_for(self, requests: int) -> float:
        """Until the last of so many may start, the first ones at once."""
        return until_last(requests, self._shape())

    def slow_down(self, now: float) -> None:
        self._recover(now)
        if now - self._slowed >= self.seconds:
            self._factor = max(self._factor * _SLOWER, _SLOWEST)
            self._slowed = now
        self._quiet = now

    def state(self, now: float) -> dict[str, Any]:
        self._tidy(now)
        return {
            "times": [round(moment, 3) for moment in self.times],
            "until": self.until,
            "factor": self._factor,
            "slowed": self._slowed,
            "quiet": self._quiet,
        }

    def restore(self, state: Mapping[str, Any], now: float) -> None:
        self.times = sorted([*self.times, *map(float, state.get("times", ()))])
        self.until = max(self.until, min(float(state.get("until", 0.0)), now + _LONGEST_HOLD))
        self._factor = min(self._factor, max(float(state.get("factor", 1.0)), _SLOWEST))
        self._slowed = max(self._slowed, min(float(state.get("slowed", 0.0)), now))
        self._quiet = max(self._quiet, min(float(state.get("quiet", 0.0)), now))

    def _shape(self) -> tuple[int, float]:
        return shape(self._allowed * self._factor, self.seconds)

    def _tidy(self, now: float) -> None:
        # The clock was set back, or the last worker's was ahead: its future is our now, and costs one window at most.
        if self.times and self.times[-1] > now:
            self.times = [min(moment, now) for moment in self.times]
        _, seconds = self._shape()
        del self.times[: bisect.bisect_right(self.times, now - seconds)]

    def _recover(self, now: float) -> None:
        """A tenth faster for every two windows without a complaint."""
        self._slowed, self._quiet = min(self._slowed, now), min(self._quiet, now)
        while self._factor < 1.0 and now - self._quiet >= 2 * self.seconds:
            self._factor = min(1.0, self._factor * _FASTER)
            self._quiet += 2 * self.seconds


def shape(allowed: float, seconds: float) -> tuple[int, float]:
    """So many requests in so many seconds; below one request per window the window grows instead."""
    requests = int(allowed + 1e-9)
    return (requests, seconds + WINDOW_SLACK) if requests else (1, seconds / allowed + WINDOW_SLACK)


def until_last(requests: int, window: tuple[int, float]) -> float:
    """Seconds until the last of so many requests may start, the first ones at once."""
    size, seconds = window
    return max(math.ceil(requests / size) - 1, 0) * seconds


def allowed(rate: Rate, budget: float, settings: Mapping[str, str | float | bool]) -> float:
    """Requests per window that a delivery may make, maybe a fraction."""
    return _allowed(rate, budget, BATCH_SHARE, settings)


def _allowed(rate: Rate, budget: float, share: float, settings: Mapping[str, str | float | bool]) -> float:
    """Requests per window that are ours, maybe a fraction."""
    requests = float(settings.get(rate.setting or "", rate.requests))
    if rate.published:
        return requests * min(budget, share)
    # A rate of our own choice needs no head room for the interactive share, which comes on top.
    return requests if share >= BATCH_SHARE else requests * share
