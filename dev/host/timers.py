"""Timer triggers: NCRONTAB schedules (seconds first) in UTC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from dev.host.protos import TypedData
from dev.host.settings import SettingsError


def check_schedule(schedule: str) -> None:
    """Raise SettingsError unless `schedule` is an NCRONTAB expression."""
    try:
        CronSim(schedule, datetime.now(UTC))
    except CronSimError as error:
        raise SettingsError(f"{schedule!r} is not a schedule (NCRONTAB, seconds first): {error}") from error


async def keep_time(schedule: str, fire: Callable[[], Awaitable[Any]], stopping: asyncio.Event) -> None:
    """Call `fire` whenever `schedule` says so, never twice at once, until `stopping` is set."""
    due = datetime.now(UTC)
    while not stopping.is_set():
        # From `due` on, as the loop's clock may wake us a little before it and the same moment must not come twice.
        due = next(CronSim(schedule, max(due, datetime.now(UTC))))
        try:
            await asyncio.wait_for(stopping.wait(), (due - datetime.now(UTC)).total_seconds())
        except TimeoutError:
            await fire()


def timer_data() -> TypedData:
    """What a timer's function is called with. Past runs are not remembered, so it is never past due."""
    now = datetime.now(UTC).isoformat()
    status = {"Last": now, "LastUpdated": now, "Next": now}
    return TypedData(json=json.dumps({"Schedule": {}, "ScheduleStatus": status, "IsPastDue": False}))
