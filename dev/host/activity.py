"""What ran: invocations and failures by function, and how much is running now. All on one event loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Activity:
    """Counts that can be waited for. `version` changes with every change of a count."""

    def __init__(self) -> None:
        self.version = 0
        self.running: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._busy = 0
        self._news = asyncio.Event()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Mark work around an invocation, such as the deletion of its message."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self.changed()

    @contextmanager
    def invocation(self, function: str) -> Iterator[None]:
        """Mark one running invocation."""
        self.running[function] += 1
        self.changed()
        try:
            yield
        finally:
            self.running[function] -= 1
            self.changed()

    def ended(self, function: str, *, ok: bool) -> None:
        """Count one invocation that ended."""
        (self.succeeded if ok else self.failed)[function] += 1
        self.changed()

    async def wait_for_news(self, seen: int, patience: float) -> None:
        """Return when `version` is no longer `seen`, or after `patience` seconds."""
        if self.version == seen:
            try:
                await asyncio.wait_for(self._news.wait(), patience)
            except TimeoutError:
                return

    def report(self) -> dict[str, Any]:
        """The counts as JSON: version, idle, and by function running, succeeded and failed."""
        return {
            "version": self.version,
            "idle": not self._busy and not +self.running,
            "running": dict(+self.running),
            "succeeded": dict(self.succeeded),
            "failed": dict(self.failed),
        }

    def changed(self) -> None:
        """Wake whoever waits for news."""
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()
