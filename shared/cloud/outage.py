"""What does not answer is left alone for half a minute, so that not everyone waits for it in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.errors import RetryAfter

SECONDS = 30.0


class Outage:
    """One thing that may be out of reach; its user holds a lock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._reason = ""

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """Ask in the block. Raises RetryAfter, without asking, where that was raised less than SECONDS ago."""
        if (left := self._until - self._clock()) > 0:
            raise RetryAfter(left, self._reason)
        try:
            yield
        except RetryAfter as error:
            self._until, self._reason = self._clock() + SECONDS, error.reason
            raise

    def over(self) -> None:
        """It answered after all."""
        self._until = float("-inf")
