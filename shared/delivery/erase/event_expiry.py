"""Events expire by themselves, by the time at which their run began."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from shared.cloud.cloud import Cloud
from shared.delivery.state import events
from shared.delivery.state.records import now

log = logging.getLogger(__name__)

MOST_FILES = 5_000
"""Per call, so that the timer stays quick; the next day's look goes on."""


def expire(cloud: Cloud, *, clock: Callable[[], datetime] = now) -> int:
    """Delete the files of runs that began longer ago than the app setting says; how many files."""
    limit = clock() - timedelta(days=cloud.settings.event_days)
    old = list(islice((each.name for each in events.files(cloud.blobs) if each.began < limit), MOST_FILES))
    for name in old:
        cloud.blobs.delete(name)
    if old:
        log.info("%d files of events expired.", len(old))
    return len(old)
