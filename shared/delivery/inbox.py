"""What the queue triggers hand over: read the message, and call what it asks for."""

from __future__ import annotations

import json
import logging
from contextlib import suppress

from shared.cloud.cloud import Cloud
from shared.cloud.events import Event
from shared.delivery import probes, segments, slices
from shared.delivery.messages import (
    BadMessage,
    CountMessage,
    DoctorMessage,
    Message,
    ProbeMessage,
    SliceMessage,
    VerifyMessage,
    parse,
)
from shared.delivery.state.records import now
from shared.delivery.verify import doctor, verification
from shared.errors import Conflict
from shared.notify.outbox import Notice, Outbox

log = logging.getLogger(__name__)


def receive(cloud: Cloud, body: bytes) -> None:
    """Carry out a message. Raises BadMessage for what is not one: it ends in the poison queue."""
    match parse(body):
        case SliceMessage() as message:
            slices.carry_out(cloud, message)
        case CountMessage(segment=segment):
            segments.count(cloud, segment)
        case ProbeMessage() as message:
            probes.carry_out(cloud, message)
        case VerifyMessage() as message:
            verification.carry_out(cloud, message)
        case DoctorMessage() as message:
            doctor.carry_out(cloud, message)


def give_up(cloud: Cloud, body: bytes, message_id: str) -> None:
    """A message was tried too often: keep it, and fail its delivery if its turn is the current one."""
    kept = {"id": message_id, "body": body.decode("utf-8", "replace")}
    cloud.blobs.write(f"poison/{message_id}.json", json.dumps(kept).encode())
    try:
        message = parse(body)
    except BadMessage as error:
        _tell(cloud, message_id, None)
        log.error("A poison message was kept and not acted on: %s", error)
        return
    _tell(cloud, message_id, message)
    log.error("A message of kind %s failed too often.", type(message).__name__)
    if isinstance(message, SliceMessage):
        slices.fail_poisoned(cloud, message)
    if isinstance(message, ProbeMessage):
        probes.fail_poisoned(cloud, message)
    if isinstance(message, VerifyMessage):
        verification.fail_poisoned(cloud, message)
    if isinstance(message, DoctorMessage):
        doctor.fail_poisoned(cloud, message)


def _tell(cloud: Cloud, message_id: str, message: Message | None) -> None:
    """Once, also where this message is given up a second time before that was told."""
    which = (message.export, message.run) if isinstance(message, SliceMessage) else ("", "")
    words = "A message of the queue failed several times and was set aside; the log has the details."
    notice = Notice(Event.POISON_MESSAGE, f"{message_id}-{Event.POISON_MESSAGE}", now(), *which, message=words)
    with suppress(Conflict):
        Outbox(cloud.runs).add(notice)
