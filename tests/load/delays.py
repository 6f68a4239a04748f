"""The queue with its delays shortened, which remembers when each message became visible."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

from shared.cloud.queue import Queue
from shared.cloud.settings import StorageAddress


class Asked(NamedTuple):
    """A message as it was sent, and the delay (seconds) that was asked for."""

    message: Mapping[str, Any]
    delay: float


class Delayed(Queue):
    """Holds a message back for `delay / pace` seconds, which need not be whole ones, then puts it into the real queue.

    `visible_at` tells by message id when (monotonic seconds) it could be taken first.
    """

    def __init__(self, address: StorageAddress, name: str, pace: float) -> None:
        super().__init__(address, name)
        self.pace = pace
        self.asked: list[Asked] = []
        self.visible_at: dict[str, float] = {}
        self._held: list[tuple[float, int, str]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._release, name="delays", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    @property
    def held(self) -> int:
        """Messages that are not visible yet."""
        with self._changed:
            return len(self._held)

    def send(self, message: Mapping[str, Any], *, delay: float = 0.0) -> None:
        text = json.dumps(message, separators=(",", ":"))
        self.asked.append(Asked(dict(message), delay))
        if delay <= 0:
            self._put(text)
            return
        with self._changed:
            heapq.heappush(self._held, (time.monotonic() + delay / self.pace, next(self._numbers), text))
            self._changed.notify()

    def _put(self, text: str) -> None:
        at = time.monotonic()
        self.visible_at[self._client.send_message(text, time_to_live=-1).id] = at

    def _release(self) -> None:
        while True:
            with self._changed:
                if self._ended:
                    return
                wait = self._held[0][0] - time.monotonic() if self._held else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                text = self._held[0][2]
            self._put(text)
            with self._changed:  # only now, so that it is never neither held nor in the queue
                self._held = [each for each in self._held if each[2] is not text]
                heapq.heapify(self._held)
