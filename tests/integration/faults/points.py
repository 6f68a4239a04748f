"""Which points of a run are tried: some of them in everyday tests, others each day; all of them in `make faults`.

`FAULTS=every` tries every call, `FAULTS_SEED=<number>` those of another day.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from dev.faults.interruptions import When, any_call, has_effect

EVERY = os.environ.get("FAULTS") == "every"
SEED = int(os.environ.get("FAULTS_SEED", datetime.now(UTC).toordinal()))

SIDES = list(When) if EVERY else [When.BEFORE]
"""Dying after a call leaves what dying before the next one leaves."""

counted = any_call if EVERY else has_effect
"""Calls that are points."""

CHUNKS = 16 if EVERY else 4
"""Tests that share the points of one kind, so that they can run at once."""


def points(chunk: int, one_in: int) -> Iterator[int]:
    """One chunk's points, without end: whoever asks stops at the first that is not reached any more."""
    share = 1 if EVERY else one_in
    return count(chunk * share + SEED % share + 1, CHUNKS * share)


def rotating(chunk: int, one_in: int) -> Iterator[int]:
    """One chunk's points where every point of a vendor is tried, else one in so many: others each day."""
    return points(chunk, 1) if EVERY else count(SEED % one_in + 1, one_in)


@dataclass
class Tally:
    """What one test tried: points, those survived, and the rows that were sent a second time."""

    kind: str = ""
    tried: int = 0
    survived: int = 0
    sent_again: int = 0

    @contextmanager
    def point(self, *, reached: Callable[[], object]) -> Iterator[None]:
        """Try one point; it counts if it was reached."""
        try:
            yield
        finally:
            self.tried += bool(reached())
        self.survived += bool(reached())
