"""How Mailchimp says that it is too much: ten calls at once over all of a login's accounts, also other programs'.

Only a 429 says so plainly. A 403 without JSON, a web page with status 503 and a connection that is reset say the same
(contract, section 8), so fewer calls are under way at once after each of them.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from shared.transport import Failure, Transport
from shared.vendors.answers import Answer
from shared.vendors.mailchimp import errors
from shared.vendors.mailchimp.definition import DEFINITION
from shared.vendors.retrying import retry_after

FIRST_SECONDS, LONGEST_SECONDS = 10.0, 300.0
"""To wait where Mailchimp says that it is too much, which it never does for how long: doubled each time."""
STILL_SECONDS = 120.0
"""So long a call without an answer may go on at Mailchimp, and keep its place among the ten."""
PASSING_SECONDS = 1.0
"""To wait where something before Mailchimp took offence at a call, as it does now and then."""
CALM_ANSWERS = 50
"""Answers in a row after which one more call may be under way at once."""

_EDGE = frozenset({400, 414})


class Lanes:
    """At most so many calls at once, fewer after trouble. Thread safe."""

    def __init__(self, most: int = DEFINITION.concurrency) -> None:
        self._most = self._open = most
        self._under_way = self._calm = 0
        self._changed = threading.Condition()

    @property
    def open(self) -> int:
        return self._open

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._under_way < self._open)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def narrow(self) -> None:
        with self._changed:
            self._open, self._calm = max(self._open // 2, 1), 0

    def note_calm(self) -> None:
        with self._changed:
            self._calm += 1
            if self._calm >= CALM_ANSWERS and self._open < self._most:
                self._open, self._calm = self._open + 1, 0
                self._changed.notify_all()


class Throttling:
    """The same transport, whose answers say "too much" in one way: as a 429 with a `retry-after`. `hold` is told
    for how long a call without an answer keeps its place."""

    def __init__(self, transport: Transport, lanes: Lanes, hold: Callable[[float], None]) -> None:
        self._transport = transport
        self._lanes = lanes
        self._hold = hold
        self._throttled = 0
        """Times in a row."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        with self._lanes.one():
            outcome = self._transport(method, url, headers, body, seconds)
        if isinstance(outcome, Failure):
            if outcome is not Failure.UNREACHABLE:
                self._lanes.narrow()
            if outcome is Failure.TIMEOUT:
                self._hold(STILL_SECONDS)
            return outcome
        if _is_too_much(outcome):
            self._lanes.narrow()
            wait = max(self._wait(), retry_after(outcome) or 0.0)  # Mailchimp names none; what stands before it may
            return replace(outcome, status=429, headers={**outcome.headers, "retry-after": f"{wait:.1f}"})
        self._throttled = 0
        self._lanes.note_calm()
        if outcome.status in _EDGE and not errors.is_problem(outcome):
            return replace(outcome, status=503, headers={**outcome.headers, "retry-after": f"{PASSING_SECONDS}"})
        return outcome

    def _wait(self) -> float:
        wait = min(FIRST_SECONDS * 2.0**self._throttled, LONGEST_SECONDS)
        self._throttled = min(self._throttled + 1, 10)
        return wait * random.uniform(1.0, 1.2)


def _is_too_much(answer: Answer) -> bool:
    return answer.status == 429 or (answer.status in (403, 503) and not errors.is_problem(answer))
