"""When a schedule fires. Pure: the caller brings the times.

A cron schedule that names hours follows the wall clock: an hour that daylight saving skips runs once, right after
the gap, and an hour that comes twice runs once. With `*` for the hour it follows elapsed time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from shared.catalog.issues import Issue
from shared.catalog.models import ExportInput, Schedule
from shared.wording import say

SHORTEST = timedelta(minutes=5)
SOME_DAY, _UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2065, 1, 1, tzinfo=UTC)
_LOOK_AHEAD = 2_500
"""Firings that are compared with their neighbours."""
_NOT_PLACES = frozenset({"Factory", "localtime", "posixrules"})


def next_times(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The next `count` firings later than `after`, in the schedule's time zone; none where it has no clock."""
    if schedule.kind != "cron":
        return []
    return list(islice(_times(schedule, after), count))


@lru_cache(maxsize=4096)
def _first(schedule: Schedule, minute: datetime) -> datetime | None:
    return next(iter(next_times(schedule, minute, 1)), None)


def next_time(schedule: Schedule, after: datetime) -> datetime | None:
    """As `next_times`, the first of them. Schedules fire on whole minutes, so one answer serves all that ask within a
    minute: a list asks for hundreds."""
    return _first(schedule, after.replace(second=0, microsecond=0)) if schedule.kind == "cron" else None


def due(schedule: Schedule, last_tick: datetime, now: datetime) -> bool:
    """Did it fire after `last_tick`, up to `now`? However many firings were missed, the answer is one run."""
    return any(at <= now for at in next_times(schedule, last_tick, 1))


def refreshed(newest: str | None, delivered: str | None) -> bool:
    """Is there a snapshot newer than the one last delivered? Snapshot keys sort by time."""
    return newest is not None and (delivered is None or newest > delivered)


def schedule_issues(schedule: Schedule) -> list[Issue]:
    """What is wrong with a schedule; pointers are within the export."""
    given = {"expression": schedule.expression, "time_zone": schedule.time_zone}
    if schedule.kind != "cron":
        return [
            Issue(
                f"/schedule/{name}",
                say("Only a cron schedule has this: remove it, or set kind to cron (%(name)s).", name=name),
            )
            for name, value in given.items()
            if value is not None
        ]
    issues = [
        Issue(f"/schedule/{name}", say("A cron schedule needs this.")) for name, value in given.items() if not value
    ]
    if schedule.time_zone and _zone(schedule.time_zone) is None:
        issues.append(Issue("/schedule/time_zone", say("Unknown time zone: use an IANA name such as Europe/Berlin.")))
    if schedule.expression and (wrong := _expression_problem(schedule.expression)):
        issues.append(Issue("/schedule/expression", wrong))
    return issues


def _expression_problem(expression: str) -> str | None:
    """Judged in UTC, where no clock change makes a gap of its own."""
    if len(expression.split()) != 5:
        return say("Write five fields: minute, hour, day of month, month, day of week.")
    try:
        firings = takewhile(lambda at: at < _UNTIL, CronSim(normal(expression), SOME_DAY))
        times = list(islice(firings, _LOOK_AHEAD))
    except CronSimError as error:
        return say("This never fires or is not a cron expression: %(why)s.", why=str(error).lower())
    if not times:
        return say("This never fires: there is no such day.")
    if any(later - earlier < SHORTEST for earlier, later in pairwise(times)):
        return say("This fires more often than every 5 minutes: leave 5 minutes between two runs.")
    return None


def _times(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    zone = _zone(schedule.time_zone or "")
    if zone is None or schedule.expression is None:
        raise ValueError("the schedule was saved without a time zone or expression")
    start = after.astimezone(zone)
    for at in CronSim(normal(schedule.expression), start):
        # In the second pass of a repeated hour the simulation also gives times of the first pass.
        if at.astimezone(UTC) > after:
            yield at.astimezone(UTC).astimezone(zone)


def normal(expression: str) -> str:
    """Write `*/2` as `0-23/2` where hours are named, since cronsim takes a leading star for elapsed time."""
    minute, hour, *days = expression.split()
    if hour == "*":
        return expression
    minute = f"0-59{minute[1:]}" if minute.startswith("*") else minute
    hour = f"0-23{hour[1:]}" if hour.startswith("*") else hour
    return " ".join([minute, hour, *days])


def _zone(name: str) -> ZoneInfo | None:
    try:
        return None if name in _NOT_PLACES else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def newly_followed(before: ExportInput | None, after: ExportInput) -> list[str]:
    """Segments whose snapshots start the export from now on, and did not before."""
    followed = _followed(before) if before else []
    return [segment for segment in _followed(after) if segment not in followed]


def _followed(export: ExportInput) -> list[str]:
    if export.schedule.kind != "on_refresh" or export.paused:
        return []
    return list(export.followed)
