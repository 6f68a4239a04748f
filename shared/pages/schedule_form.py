"""A schedule as people choose it (every day at 06:00) <-> as it is kept (a cron expression). Pure."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from shared.catalog.issues import Issue
from shared.catalog.models import Schedule
from shared.pages.forms import Values, text

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_CRON = re.compile(r"(\d{1,2}) (\*|\d{1,2}(?:,\d{1,2})*) (\*|\d{1,2}) \* (\*|[0-7](?:,[0-7])*)")
_AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "UTC")
WRONG_TIMES = "Write times as 06:30, several with commas; their minutes have to be the same."


@dataclass(frozen=True, slots=True)
class ScheduleShape:
    """What the form shows. `times` as `06:30, 18:30`; `days` are 1 (Monday) to 7; `every` is day, week, month, hour or
    cron, where `expression` counts."""

    kind: str = "manual"
    every: str = "day"
    times: str = "06:00"
    minute: str = "0"
    days: tuple[str, ...] = ("1",)
    day: str = "1"
    expression: str = ""
    time_zone: str = ""
    existing: bool = False


def shape_of(schedule: Schedule) -> ScheduleShape:
    """How the form shows a schedule."""
    if schedule.kind != "cron":
        return ScheduleShape(kind=schedule.kind, existing=schedule.existing)
    expression, zone = schedule.expression or "", schedule.time_zone or ""
    found = _CRON.fullmatch(" ".join(expression.split()))
    shape = _shape(*found.groups()) if found else None
    kept = asdict(shape) if shape else {"every": "cron"}
    return ScheduleShape(**{**kept, "kind": "cron", "expression": expression, "time_zone": zone})


def _shape(minute: str, hours: str, day: str, weekdays: str) -> ScheduleShape | None:
    if hours == "*":
        return ScheduleShape(every="hour", minute=minute) if (day, weekdays) == ("*", "*") else None
    times = ", ".join(f"{int(hour):02d}:{int(minute):02d}" for hour in hours.split(","))
    if day == "*":
        days = tuple(sorted("7" if each == "0" else each for each in weekdays.split(",") if each != "*"))
        return ScheduleShape(every="week", times=times, days=days) if days else ScheduleShape(every="day", times=times)
    return ScheduleShape(every="month", times=times, day=day) if weekdays == "*" else None


def shape_from(values: Values) -> ScheduleShape:
    """What the form sent, as it is."""
    days = values.get("days")
    names = ("kind", "every", "times", "minute", "day", "expression", "time_zone")
    given = {name: text(values, name) for name in names if name in values}
    chosen = tuple(str(each) for each in days) if isinstance(days, list) else ()
    return ScheduleShape(**given, days=chosen, existing=text(values, "existing") == "on")


def schedule_of(shape: ScheduleShape) -> tuple[dict[str, Any], list[Issue]]:
    """What is to be saved, for Schedule to validate; and what cannot be made a schedule of."""
    if shape.kind != "cron":
        return {"kind": shape.kind} | ({"existing": True} if shape.existing and shape.kind == "on_refresh" else {}), []
    expression, issues = _expression(shape)
    return {"kind": "cron", "expression": expression, "time_zone": shape.time_zone or None}, issues


def _expression(shape: ScheduleShape) -> tuple[str, list[Issue]]:
    if shape.every == "cron":
        return shape.expression, []
    if shape.every == "hour":
        return f"{shape.minute or '0'} * * * *", []
    found = [_TIME.fullmatch(each.strip()) for each in shape.times.split(",")]
    times = [(int(each[1]), int(each[2])) for each in found if each]
    if not found or len(times) < len(found) or len({minute for _, minute in times}) > 1:
        return "0 0 * * *", [Issue("/schedule/times", WRONG_TIMES)]
    if shape.every == "week" and not shape.days:
        return "0 0 * * *", [Issue("/schedule/days", "Choose at least one day of the week.")]
    hours = ",".join(str(hour) for hour in sorted({hour for hour, _ in times}))
    day = shape.day if shape.every == "month" else "*"
    weekdays = ",".join(shape.days) if shape.every == "week" else "*"
    return f"{times[0][1]} {hours} {day} * {weekdays}", []


@cache
def zones() -> tuple[str, ...]:
    """Time zones to choose from, the usual ones."""
    return tuple(sorted(name for name in available_timezones() if name.split("/")[0] in _AREAS))
