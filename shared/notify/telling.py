"""What the timer does with notices: each goes to the log, and those that people wait for to the webhook.

The log has a notice at least once (twice after a crash between the line and the row, with the same id), the webhook
too. A receiver that fails costs one request a tick, and only the timer's time: no slice ever waits for it.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from shared.cloud import events
from shared.cloud.apart import apart
from shared.cloud.cloud import Cloud
from shared.cloud.events import Event
from shared.cloud.under_way import UnderWay
from shared.errors import Conflict, ExportError
from shared.notify import signing
from shared.notify.outbox import Notice, Outbox, PendingNotice
from shared.transport import Answer, Failure, Transport, Wire
from shared.wording import NOTHING, Message, say

log = logging.getLogger(__name__)

REQUEST_SECONDS = 5.0
TICK_SECONDS = 15.0
"""No request is begun later in a tick than this."""
GIVEN_UP = timedelta(hours=24)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_RUN_ENDS = frozenset({Event.RUN_FINISHED, Event.RUN_FAILED})


def _now() -> datetime:
    return datetime.now(UTC)


def tell(
    cloud: Cloud,
    *,
    exports: Sequence[str] | None = None,
    clock: Callable[[], datetime] = _now,
    transport: Transport | None = None,
) -> None:
    """Tell what is pending of these exports, or of all that are marked. Whatever fails is told by a later tick; nothing
    is raised for it."""
    outbox = Outbox(cloud.runs)
    logged = []
    for pending in outbox.pending(UnderWay(cloud.underway).exports() if exports is None else exports):
        with apart("tell", pending.notice.id):
            logged.append(pending if pending.logged else _logged(cloud, outbox, pending))
    due = [pending for pending in logged if pending is not None and pending.due_at <= clock()]
    if due:
        _send(cloud, outbox, due, clock, transport or Wire())


def receiver(url: str) -> str | None:
    """Whom an address leads to, and nothing of it that may be secret; None where there is none."""
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"


def try_out(cloud: Cloud, *, clock: Callable[[], datetime] = _now, transport: Transport | None = None) -> Message:
    """Send a test notification at once; what stood in the way, empty where the receiver took it."""
    words = say("This is a test: notifications of Segment exports arrive here.")
    notice = Notice(Event.NOTIFICATION_TEST, f"test-{secrets.token_hex(8)}", clock(), message=words)
    events.record(notice.event, facts(notice))
    try:
        answer = _exchange(cloud, notice, clock(), transport or Wire())
    except ExportError as error:
        return error.words
    if not isinstance(answer, Answer):
        return say("The receiver did not answer within %(seconds)s seconds.", seconds=int(REQUEST_SECONDS))
    if not _taken(answer):
        return say(
            "The receiver answered with status %(status)s; only 2xx takes a notification.", status=str(answer.status)
        )
    return NOTHING


def _logged(cloud: Cloud, outbox: Outbox, pending: PendingNotice) -> PendingNotice | None:
    """Log a notice; what is left to send, if anything.

    The row follows the line, so that a crash between the two rather repeats the line than loses it.
    """
    notice = pending.notice
    events.record(notice.event, facts(notice))
    also = _about_refused(notice, cloud.settings.rejected_share)
    try:
        if events.KINDS[notice.event].notified and cloud.settings.notify_url:
            return outbox.keep(pending, logged=True, also=also)
        outbox.done(pending, also=also)
    except Conflict:
        log.info("Another timer told the notice %s.", notice.id)
    return None


def facts(notice: Notice) -> dict[str, events.Fact]:
    """A notice for the log: everything but the words for people."""
    named = {"export": notice.export, "run": notice.run, "state": notice.state, **notice.facts, **notice.counts}
    return {"id": notice.id, "at": notice.at.isoformat(), **{name: each for name, each in named.items() if each != ""}}


def _about_refused(notice: Notice, limit: float) -> Notice | None:
    """The further notice of a run's end in which too many people were refused."""
    share = float(notice.facts.get("rejected_share", 0.0))
    if notice.event not in _RUN_ENDS or share < limit:
        return None
    words = say(
        "%(share)s%% of the people were refused; the run's report says why. The limit is %(limit)s%%.",
        share=round(100 * share),
        limit=round(100 * limit),
    )
    identity = f"{notice.run}-{Event.REJECTED_SHARE}"
    return replace(notice, event=Event.REJECTED_SHARE, id=identity, message=words)


def _send(
    cloud: Cloud, outbox: Outbox, due: list[PendingNotice], clock: Callable[[], datetime], transport: Transport
) -> None:
    started = time.monotonic()
    for pending in due:
        if time.monotonic() - started > TICK_SECONDS:
            return
        answer = _post(cloud, pending.notice, clock(), transport)
        try:
            _note(outbox, pending, answer, clock())
        except Conflict:
            log.info("Another timer sent the notice %s.", pending.notice.id)
        if answer is None or answer.status >= 500:
            return  # the receiver is in trouble: the next tick tries one more


def _post(cloud: Cloud, notice: Notice, at: datetime, transport: Transport) -> Answer | None:
    """The receiver's answer; None where there is none, or the signing secret cannot be had."""
    try:
        answer = _exchange(cloud, notice, at, transport)
    except ExportError as error:
        log.warning("Notifications cannot be signed: %s", error)
        return None
    if not isinstance(answer, Answer):
        log.warning("The receiver of notifications did not answer (%s).", answer)
        return None
    if not _taken(answer):
        log.warning("The receiver of notifications answered with status %d.", answer.status)
    return answer


def _exchange(cloud: Cloud, notice: Notice, at: datetime, transport: Transport) -> Answer | Failure:
    """Sign a notice and send it once. Raises what reading and using the signing secret raise."""
    settings, body = cloud.settings, orjson.dumps(message(notice, cloud.settings.public_url))
    signed = signing.headers(cloud.secrets.get(settings.notify_secret), notice.id, int(at.timestamp()), body)
    sent = {"Content-Type": "application/json", "User-Agent": "segment-exports", **signed}
    return transport("POST", settings.notify_url, sent, body, REQUEST_SECONDS)


def _taken(answer: Answer | None) -> bool:
    """A redirect is no success: it is not followed, since the address in it is not the one that was configured."""
    return answer is not None and 200 <= answer.status < 300


def _note(outbox: Outbox, pending: PendingNotice, answer: Answer | None, at: datetime) -> None:
    if _taken(answer):
        outbox.done(pending)
    elif at - pending.notice.at > GIVEN_UP:
        events.record(Event.NOTIFICATION_FAILED, {**facts(pending.notice), "about": str(pending.notice.event)})
        outbox.done(pending)
    else:
        wait = min(_FIRST_WAIT * 2 ** min(pending.attempts, 10), _LONGEST_WAIT)
        outbox.keep(pending, attempts=pending.attempts + 1, due_at=at + wait)


def message(notice: Notice, public_url: str) -> Mapping[str, Any]:
    """The body of a notification. It holds no address of a person; `link` leads to the run."""
    link = f"{public_url}/exports/{notice.export}/runs/{notice.run}" if public_url and notice.run else None
    return {
        "event": str(notice.event),
        "id": notice.id,
        "at": notice.at.isoformat(),
        "export": notice.export,
        "run": notice.run,
        "state": notice.state,
        "message": notice.message,
        "counts": dict(notice.counts),
        **notice.facts,
        "link": link,
    }
