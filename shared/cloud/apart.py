"""One bad thing of the timer's work stops nothing else: it is told as an event, and the work goes on beside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from shared.cloud.events import Event, record

log = logging.getLogger(__name__)


@contextmanager
def apart(stage: str, item: str = "") -> Iterator[None]:
    """Whatever the block raises is logged and told; the next tick tries again."""
    try:
        yield
    except Exception as error:
        log.exception("The timer's work '%s' failed for '%s'; the next tick tries again.", stage, item)
        tell_trouble(stage, item, type(error).__name__)


def tell_trouble(stage: str, item: str, what: str) -> None:
    """An event for the alert, once a minute at most for the same thing. `what` is for engineers and names no person."""
    at = datetime.now(UTC)
    identity = f"{stage}-{item}-{at:%Y%m%d-%H%M}"
    record(Event.TIMER_TROUBLE, {"id": identity, "at": at.isoformat(), "stage": stage, "item": item, "what": what})
