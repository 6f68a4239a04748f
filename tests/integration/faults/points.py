"""Which points of a run are tried: a share of them in everyday tests, all of them in `make faults`.

The share is the same each day and spread over a whole run. `FAULTS=every` tries every call, `FAULTS_SEED=<number>`
another share.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from dev.faults.interruptions import When, any_call, has_effect
from tests import sampling

EVERY = sampling.EVERY
SEED = int(os.environ.get("FAULTS_SEED", "0"))

SIDES = list(When) if EVERY else [When.BEFORE]
"""Dying after a call leaves what dying before the next one leaves."""

counted = any_call if EVERY else has_effect
"""Calls that are points."""

CHUNKS = 16 if EVERY else 1
"""Tests that share the points of one kind, so that they can run at once."""


def points(chunk: int, one_in: int, begin: int = 0) -> Iterator[int]:
    """One chunk's points, without end: whoever asks stops at the first that is not reached any more. An odd share has
    every other of its points at an even number, so that what goes by that happens both ways."""
    share = 1 if EVERY else one_in
    return count(chunk * share + (SEED + begin) % share + 1, CHUNKS * share)


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
