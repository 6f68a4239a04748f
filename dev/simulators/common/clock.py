"""Time as a simulator sees it: the machine's, or one that a test moves by hand."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """The machine's time."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()

    def epoch(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock(Clock):
    """Time that stands still until `advance` is called; sleeping advances it at once."""

    def __init__(self, epoch: float = 1_763_805_600.0) -> None:
        self._epoch = epoch
        self._passed = 0.0

    def advance(self, seconds: float) -> None:
        self._passed += seconds

    def monotonic(self) -> float:
        return self._passed

    def epoch(self) -> float:
        return self._epoch + self._passed

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)
