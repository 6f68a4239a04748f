"""Queue messages as the host writes and reads them."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient

from dev.host.protos import TypedData

_log = logging.getLogger(__name__)


def open_queue(connection_string: str, name: str) -> QueueClient:
    """A client that fails at once: whoever polls tries again anyway, and nobody should wait for a stopped storage."""
    return QueueClient.from_connection_string(connection_string, name, retry_total=0)


def send(queue: QueueClient, content: str) -> None:
    """Send a message, raw, and create the queue where it does not exist."""
    try:
        queue.send_message(content)
    except ResourceNotFoundError:
        try:
            queue.create_queue()
        except ResourceExistsError:
            _log.debug("the queue %s was created by someone else", queue.queue_name)
        queue.send_message(content)


def decode(content: str, is_base64: bool) -> TypedData | None:
    """The body of a message as a function gets it, or None where it is not base64 but should be."""
    if not is_base64:
        return TypedData(string=content)
    try:
        body = base64.b64decode(content, validate=True)
    except binascii.Error:
        return None
    try:
        return TypedData(string=body.decode())
    except UnicodeDecodeError:
        return TypedData(bytes=body)


def encode(output: TypedData, is_base64: bool) -> list[str]:
    """The messages that a function's output binding asks for: one, or one for every item of a list."""
    value = vars(output)[output.WhichOneof("data") or "string"]
    bodies = json.loads(value) if output.WhichOneof("data") == "json" else [value]
    return [_encode(body, is_base64) for body in (bodies if isinstance(bodies, list) else [bodies])]


def _encode(body: Any, is_base64: bool) -> str:
    # A QueueMessage arrives as {"id": ..., "body": ...}.
    text = body.get("body", "") if isinstance(body, dict) else body
    raw = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(raw).decode() if is_base64 else raw.decode()
