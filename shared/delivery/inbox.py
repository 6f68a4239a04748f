"""What the queue triggers hand over: read the message, and call what it asks for."""

from __future__ import annotations

import json
import logging

from shared.cloud.cloud import Cloud
from shared.delivery import segments, slices
from shared.delivery.messages import BadMessage, CountMessage, SliceMessage, parse

log = logging.getLogger(__name__)


def receive(cloud: Cloud, body: bytes) -> None:
    """Carry out a message. Raises BadMessage for what is not one: it ends in the poison queue."""
    match parse(body):
        case SliceMessage() as message:
            slices.carry_out(cloud, message)
        case CountMessage(segment=segment):
            segments.count(cloud, segment)


def give_up(cloud: Cloud, body: bytes, message_id: str) -> None:
    """A message was tried too often: keep it, and fail its delivery if its turn is the current one."""
    kept = {"id": message_id, "body": body.decode("utf-8", "replace")}
    cloud.blobs.write(f"poison/{message_id}.json", json.dumps(kept).encode())
    try:
        message = parse(body)
    except BadMessage as error:
        log.error("A poison message was kept and not acted on: %s", error)
        return
    log.error("A message of kind %s failed too often.", type(message).__name__)
    if isinstance(message, SliceMessage):
        slices.fail_poisoned(cloud, message)
