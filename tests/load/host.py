"""Instances of the Functions host, in threads: they take messages from one queue as `host.json` says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueMessage

from dev.faults.interruptions import Died
from shared.cloud.settings import StorageAddress
from shared.delivery.inbox import MOST_ATTEMPTS
from tests.load.delays import Delayed
from tests.load.leases import turned_away
from tests.memory import receiving

HIDDEN_SECONDS = 600
POLL_SECONDS = 0.02

Function = Callable[[QueueMessage], None]
"""Carries out a message. Raises Died where its worker dies with it, anything else where it fails."""


class Turn(NamedTuple):
    """A message that was taken: when (monotonic seconds) it was visible, was taken and was through."""

    content: str
    visible_at: float
    taken_at: float
    ended_at: float
    error: str
    turned_away: bool
    """Another slice had the account: the message waits for it."""


@dataclass
class Host:
    """`function` carries out a message, `give_up` one that failed too often; `failed` hears of a worker that died
    or failed before its message is visible again."""

    queue: Delayed
    client: QueueClient
    function: Function
    give_up: Function
    failed: Function
    batch: int
    threshold: int
    turns: list[Turn] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def idle(self) -> bool:
        """Is nothing under way, nothing in the queue, and nothing to come?"""
        for _ in range(2):  # a message that is held goes into the queue in between
            with self._lock:
                if self._busy:
                    return False
            waiting = self.client.get_queue_properties().approximate_message_count
            if self.queue.held or waiting:
                return False
        with self._lock:
            return not self._busy

    @contextmanager
    def instances(self, count: int) -> Iterator[None]:
        """Let so many instances work until the block ends; each ends what it has begun."""
        self._stopping.clear()
        threads = [threading.Thread(target=self._listen, name=f"instance-{n}", daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    def _listen(self) -> None:
        running: set[Future[None]] = set()
        with ThreadPoolExecutor(self.batch + self.threshold, thread_name_prefix="worker") as pool:
            while not self._stopping.is_set():
                messages = self._receive()
                running |= {pool.submit(self._process, each) for each in messages}
                while len(running) > self.threshold:
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    for each in ended:
                        each.result()
                if not messages:
                    self._stopping.wait(POLL_SECONDS)

    def _receive(self) -> list[QueueMessage]:
        with self._lock:  # before, since a message that was just taken is neither in the queue nor at work
            self._busy += self.batch
        messages: list[QueueMessage] = []
        try:
            messages = list(self.client.receive_messages(max_messages=self.batch, visibility_timeout=HIDDEN_SECONDS))
        except AzureError:
            return messages
        finally:
            with self._lock:
                self._busy -= self.batch - len(messages)
        return messages

    def _process(self, message: QueueMessage) -> None:
        taken_at = time.monotonic()
        try:
            error, again = turned_away(lambda: self._carry_out(message))
        finally:
            with self._lock:
                self._busy -= 1
        visible_at = self.queue.visible_at.get(message.id, taken_at)
        self.turns.append(Turn(message.content, visible_at, taken_at, time.monotonic(), error, again))

    def _carry_out(self, message: QueueMessage) -> str:
        error = ""
        try:
            self.function(message)
        except Died:
            self.failed(message)
            self._give_back(message)
            return "Died"
        except Exception as raised:  # noqa: BLE001 - whatever a function raises, the host goes on
            error = type(raised).__name__
            self.failed(message)
            if (message.dequeue_count or 0) < MOST_ATTEMPTS:
                self._give_back(message)
                return error
            self.give_up(message)
        self.client.delete_message(message)
        return error

    def _give_back(self, message: QueueMessage) -> None:
        self.queue.visible_at[message.id] = time.monotonic()
        self.client.update_message(message.id, message.pop_receipt, visibility_timeout=0)


def client_of(queue: Delayed, address: StorageAddress, name: str) -> QueueClient:
    """The queue as a host reads it."""
    queue.prepare()
    return receiving(address, name)
