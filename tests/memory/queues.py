"""Queue Storage in memory: messages that are hidden for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from azure.storage.queue import QueueMessage

from tests.memory.errors import refused


@dataclass(slots=True)
class Message:
    content: str
    visible_at: float
    id: str = field(default_factory=lambda: str(uuid4()))
    pop_receipt: str = field(default_factory=lambda: str(uuid4()))
    received: int = 0


Messages = list[Message]


class MemoryQueueClient:
    """Stands where a QueueClient does. Contents are not encoded on their way."""

    def __init__(
        self, name: str, queues: dict[str, Messages], lock: threading.RLock, clock: Callable[[], float]
    ) -> None:
        self.queue_name = name
        self._queues = queues
        self._lock = lock
        self._clock = clock

    def create_queue(self) -> None:
        with self._lock:
            self._queues.setdefault(self.queue_name, [])

    def get_queue_properties(self) -> Any:
        with self._lock:
            return SimpleNamespace(name=self.queue_name, approximate_message_count=len(self._messages()))

    def send_message(
        self, content: str, *, visibility_timeout: int = 0, time_to_live: int | None = None
    ) -> QueueMessage:
        with self._lock:
            sent = Message(content, self._clock() + visibility_timeout)
            self._messages().append(sent)
            return _told(sent)

    def receive_message(self, *, visibility_timeout: int = 30) -> QueueMessage | None:
        with self._lock:
            message = next(iter(self._visible()), None)
            if message is None:
                return None
            message.received += 1
            self._hide(message, visibility_timeout)
            return _told(message)

    def receive_messages(self, *, max_messages: int, visibility_timeout: int = 30) -> list[QueueMessage]:
        with self._lock:
            found = (self.receive_message(visibility_timeout=visibility_timeout) for _ in range(max_messages))
            return [message for message in found if message is not None]

    def peek_messages(self, max_messages: int = 1) -> list[QueueMessage]:
        with self._lock:
            return [_told(message) for message in self._visible()[:max_messages]]

    def update_message(
        self, message: str, pop_receipt: str | None = None, *, visibility_timeout: int = 0
    ) -> QueueMessage:
        with self._lock:
            found = self._popped(message, pop_receipt)
            self._hide(found, visibility_timeout)
            return _told(found)

    def delete_message(self, message: str | QueueMessage, pop_receipt: str | None = None) -> None:
        popped = (message, pop_receipt) if isinstance(message, str) else (message.id, message.pop_receipt)
        with self._lock:
            self._messages().remove(self._popped(*popped))

    def clear_messages(self) -> None:
        with self._lock:
            self._messages().clear()

    def _messages(self) -> Messages:
        if self.queue_name not in self._queues:
            raise refused(404, "QueueNotFound")
        return self._queues[self.queue_name]

    def _visible(self) -> Messages:
        now = self._clock()
        return sorted((each for each in self._messages() if each.visible_at <= now), key=lambda each: each.visible_at)

    def _popped(self, message: str, pop_receipt: str | None) -> Message:
        found = next((each for each in self._messages() if each.id == message), None)
        if found is None:
            raise refused(404, "MessageNotFound")
        if found.pop_receipt != pop_receipt:
            raise refused(400, "PopReceiptMismatch")
        return found

    def _hide(self, message: Message, seconds: int) -> None:
        message.pop_receipt = str(uuid4())
        message.visible_at = self._clock() + seconds


def _told(message: Message) -> QueueMessage:
    told = QueueMessage(message.content)
    told.id, told.pop_receipt, told.dequeue_count = message.id, message.pop_receipt, message.received
    return told
