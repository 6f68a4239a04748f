"""Queue triggers and queue output bindings, with the semantics of the host's storage queue extension.

A message is hidden for ten minutes while its function runs; then it is deleted, or made visible again after a
failure, or copied to NAME-poison after the last attempt. A failure on a poison queue just leaves the message hidden.
Unlike Azure's, this host does not renew the ten minutes: functions end sooner (functionTimeout).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from dev.host.activity import Activity
from dev.host.queue_messages import decode, open_queue, send
from dev.host.runner import Run
from dev.host.settings import QueueOptions
from dev.host.worker import Function

HIDDEN_WHILE_RUNNING = 600
MINIMUM_POLLING_INTERVAL = 0.1
POISON = "-poison"

_log = logging.getLogger(__name__)


class QueueListener:
    """Feeds one function from its queue until it is told to stop.

    `connection` is a connection string, `name` the queue's name, and `run` calls the function.
    """

    def __init__(
        self, function: Function, connection: str, name: str, options: QueueOptions, run: Run, activity: Activity
    ) -> None:
        self.queue = open_queue(connection, name)
        self._poison = None if name.endswith(POISON) else open_queue(connection, name + POISON)
        self._function = function
        self._options = options
        self._run = run
        self._activity = activity
        self._running: set[asyncio.Task[None]] = set()

    async def listen(self, stopping: asyncio.Event) -> None:
        """Poll until `stopping` is set; then return when the functions that are running have ended."""
        stop = asyncio.ensure_future(stopping.wait())
        pause = MINIMUM_POLLING_INTERVAL
        while not stopping.is_set():
            messages = await asyncio.to_thread(self._receive)
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if messages:
                pause = MINIMUM_POLLING_INTERVAL
                await self._wait_for_room(stop)
            else:
                await asyncio.wait([stop], timeout=min(pause, self._options.max_polling_interval))
                pause *= 2
        if self._running:
            await asyncio.wait(self._running)

    def close(self) -> None:
        """Close the connections to the storage."""
        for queue in filter(None, (self.queue, self._poison)):
            queue.close()

    def waiting(self) -> int:
        """How many messages the queue has, hidden ones included."""
        try:
            return self.queue.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    async def _wait_for_room(self, stop: asyncio.Future[Any]) -> None:
        while len(self._running) > self._options.new_batch_threshold and not stop.done():
            await asyncio.wait([stop, *self._running], return_when=asyncio.FIRST_COMPLETED)

    def _receive(self) -> list[QueueMessage]:
        pages: Iterator[Iterator[QueueMessage]] = self.queue.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=HIDDEN_WHILE_RUNNING
        ).by_page()
        try:
            return list(next(pages, iter(())))
        except ResourceNotFoundError:
            return []  # the host does not create the queues that it listens to
        except AzureError as error:
            _log.warning("cannot read the queue %s: %s", self.queue.queue_name, type(error).__name__)
            return []

    async def _process(self, message: QueueMessage) -> None:
        with self._activity.busy():
            body = decode(message.content, self._options.base64)
            if body is None or (message.dequeue_count or 0) > self._options.max_dequeue_count:
                finish = self._move_to_poison
            else:
                inputs = {self._function.trigger["name"]: body}
                outcome = await self._run(self._function, inputs, _metadata(message))
                finish = self._delete if outcome.ok else self._give_back
            await asyncio.to_thread(self._finish, finish, message)

    def _finish(self, finish: Callable[[QueueMessage], None], message: QueueMessage) -> None:
        try:
            finish(message)
        except HttpResponseError as error:
            # Whoever took the message over (another pop receipt) or deleted it is in charge of it now.
            _log.debug("a message of %s is no longer ours: %s", self.queue.queue_name, error.reason)
        except AzureError as error:
            _log.warning("cannot finish a message of %s: %s", self.queue.queue_name, type(error).__name__)

    def _delete(self, message: QueueMessage) -> None:
        self.queue.delete_message(message)

    def _give_back(self, message: QueueMessage) -> None:
        if self._poison is None:
            return
        if (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            self._move_to_poison(message)
        else:
            self.queue.update_message(message, visibility_timeout=int(self._options.visibility_timeout))

    def _move_to_poison(self, message: QueueMessage) -> None:
        if self._poison:
            _log.warning("a message of %s goes to %s", self.queue.queue_name, self._poison.queue_name)
            send(self._poison, message.content)
            self._delete(message)


def _metadata(message: QueueMessage) -> dict[str, Any]:
    def moment(time: datetime | None) -> str | None:
        return time.isoformat() if time else None

    return {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "PopReceipt": message.pop_receipt,
        "InsertionTime": moment(message.inserted_on),
        "ExpirationTime": moment(message.expires_on),
        "NextVisibleTime": moment(message.next_visible_on),
    }
