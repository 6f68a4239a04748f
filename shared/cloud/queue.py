"""The queue of slices: small JSON messages without people or secrets, which never expire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.cloud.settings import StorageAddress

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

LONGEST_DELAY = 7 * 24 * 3600 - 1


class Queue:
    """Sends; receiving is the Functions host's work."""

    def __init__(self, address: StorageAddress, name: str) -> None:
        self._address = address
        self._name = name

    @cached_property
    def _client(self) -> QueueClient:
        from azure.core.exceptions import ResourceExistsError

        from shared.cloud.storage import queue_client

        client = queue_client(self._address, self._name)
        try:
            client.create_queue()
        except ResourceExistsError:
            return client
        return client

    def prepare(self) -> None:
        """Make the queue now rather than at the first message."""
        self._client.get_queue_properties()

    def send(self, message: Mapping[str, Any], *, delay: float = 0.0) -> None:
        """Enqueue; the message becomes visible after `delay` seconds."""
        text = json.dumps(message, separators=(",", ":"))
        self._client.send_message(text, visibility_timeout=int(min(max(delay, 0.0), LONGEST_DELAY)), time_to_live=-1)
