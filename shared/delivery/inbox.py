"""What the queue triggers hand over: read the message, and call what it asks for."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.cloud.events import Event
from shared.cloud.under_way import UnderWay
from shared.delivery import jobs, probes, segments, slices
from shared.delivery.account.waiting import WaitingMessage, all_waiting, forgotten
from shared.delivery.erase import forgetting
from shared.delivery.jobs import AnyKind, Clock
from shared.delivery.messages import (
    BadMessage,
    CollectMessage,
    CountMessage,
    DoctorMessage,
    ForgetMessage,
    Message,
    ProbeMessage,
    RepairMessage,
    SliceMessage,
    VerifyMessage,
    parse,
)
from shared.delivery.opt_outs import collecting
from shared.delivery.start import repairing
from shared.delivery.state.records import now
from shared.delivery.verify import doctor, verification
from shared.errors import Conflict
from shared.notify.outbox import Notice, Outbox
from shared.wording import say

log = logging.getLogger(__name__)

KINDS: Mapping[type[Message], AnyKind] = {
    SliceMessage: slices.KIND,
    ProbeMessage: probes.KIND,
    VerifyMessage: verification.KIND,
    DoctorMessage: doctor.KIND,
    CollectMessage: collecting.KIND,
    ForgetMessage: forgetting.KIND,
}
"""Every kind of work under an account's lease."""


MOST_ATTEMPTS = 5
"""As host.json has it for the attempts of one message."""


def receive(cloud: Cloud, body: bytes, message_id: str = "", attempt: int = 1) -> None:
    """Carry out a message, for the `attempt`-th time. Raises BadMessage for what is not one: it ends in the poison
    queue, as does what raises anything else too often."""
    message = parse(body)
    failed = message.failed + attempt - 1
    if failed >= MOST_ATTEMPTS:
        give_up(cloud, body, message_id)
    elif isinstance(message, CountMessage):
        segments.count(cloud, message.segment)
    elif isinstance(message, RepairMessage):
        repairing.repair_by_itself(cloud, message)
    else:
        jobs.carry_out(KINDS[type(message)], cloud, replace(message, failed=failed))


def give_up(cloud: Cloud, body: bytes, message_id: str) -> None:
    """A message was tried too often: keep it, and end its job if its turn is the current one."""
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
    if not isinstance(message, CountMessage | RepairMessage):
        jobs.fail_poisoned(KINDS[type(message)], cloud, message)


def wake(cloud: Cloud, *, clock: Clock = now) -> int:
    """Send the messages of silent jobs again, for the timer; how many. One kind's trouble never keeps others asleep."""
    woken, waiting = 0, list[WaitingMessage]()
    with apart("wake", "waiting"):
        waiting = all_waiting(cloud.waiting)
    for each in forgotten(waiting, clock()):
        with apart("wake", each.account):
            jobs.call_next(cloud, each)
    standing = {each.ticket for each in waiting}
    for kind in KINDS.values():
        with apart("wake", kind.words):
            woken += kind.wake(cloud, standing, clock=clock)
    return woken


def _tell(cloud: Cloud, message_id: str, message: Message | None) -> None:
    """Once, also where this message is given up a second time before that was told."""
    which = (message.export, message.run) if isinstance(message, SliceMessage) else ("", "")
    words = say("A message of the queue failed several times and was set aside; the log has the details.")
    notice = Notice(Event.POISON_MESSAGE, f"{message_id}-{Event.POISON_MESSAGE}", now(), *which, message=words)
    UnderWay(cloud.underway).mark(notice.partition)
    with suppress(Conflict):
        Outbox(cloud.runs).add(notice)
