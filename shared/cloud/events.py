"""What the service tells of itself: one table of events, for the log (alerts of Azure Monitor) and for notifications.

An event is a log line whose text is JSON, `{"event": "run_failed", "id": …, …}`: ids, states and counts, never people.
The same values go along as fields of the record. Where logs pass through the Functions host (the default) only the
text arrives; an OpenTelemetry exporter makes the fields custom dimensions. `docs/operations.md` has the query that
reads both.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

log = logging.getLogger("segment_exports.events")

Fact = str | int | float | bool


class Event(StrEnum):
    """Names that alerts and receivers of notifications rely on: never renamed."""

    RUN_STARTED = "run_started"
    RUN_FINISHED = "run_finished"
    RUN_FAILED = "run_failed"
    RUN_BLOCKED = "run_blocked"
    RUN_RECOVERED = "run_recovered"
    REJECTED_SHARE = "rejected_share"
    SCHEDULE_MISSED = "schedule_missed"
    EXPORT_OVERDUE = "export_overdue"
    POISON_MESSAGE = "poison_message"
    VERIFICATION_DIFFERS = "verification_differs"
    NOTIFICATION_FAILED = "notification_failed"
    TIMER_TROUBLE = "timer_trouble"
    NOTIFICATION_TEST = "notification_test"


@dataclass(frozen=True, slots=True)
class EventKind:
    """How loud an event is, whether the webhook hears of it, and what it means."""

    level: int
    notified: bool
    meaning: str


KINDS: Mapping[Event, EventKind] = {
    Event.RUN_STARTED: EventKind(logging.INFO, False, "A run was started."),
    Event.RUN_FINISHED: EventKind(logging.INFO, False, "A run ended without failing; `state` says how."),
    Event.RUN_FAILED: EventKind(logging.ERROR, True, "A run ended as failed; what was delivered is committed."),
    Event.RUN_BLOCKED: EventKind(logging.WARNING, True, "A run waits for a person's decision; nothing was sent."),
    Event.RUN_RECOVERED: EventKind(logging.INFO, True, "The export's first good end after a failed or blocked run."),
    Event.REJECTED_SHARE: EventKind(logging.WARNING, True, "More people were refused than the app setting allows."),
    Event.SCHEDULE_MISSED: EventKind(logging.WARNING, True, "A due time passed without a run, or with a late one."),
    Event.EXPORT_OVERDUE: EventKind(logging.WARNING, True, "An export is due again and did not end well meanwhile."),
    Event.POISON_MESSAGE: EventKind(logging.ERROR, True, "A queue message failed five times and was set aside."),
    Event.VERIFICATION_DIFFERS: EventKind(logging.WARNING, True, "After a delivery the vendor's list was another."),
    Event.NOTIFICATION_FAILED: EventKind(
        logging.ERROR, False, "A notification was given up; its receiver never took it."
    ),
    Event.TIMER_TROUBLE: EventKind(logging.ERROR, False, "A part of the timer's work failed; the rest went on."),
    Event.NOTIFICATION_TEST: EventKind(logging.INFO, True, "An administrator tries whether notifications arrive."),
}


def record(event: Event, facts: Mapping[str, Fact]) -> None:
    """Log an event. The facts hold ids, states and counts; a name of Python's own log records is not allowed."""
    told: dict[str, Fact] = {"event": str(event), **facts}
    log.log(KINDS[event].level, "%s", json.dumps(told, separators=(",", ":")), extra=told)
