"""Schedules as people choose them and as they are kept."""

from __future__ import annotations

import pytest

from shared.catalog.models import Schedule
from shared.catalog.schedules import schedule_issues
from shared.pages.schedule_form import ScheduleShape, schedule_of, shape_from, shape_of, zones


def kept(expression: str) -> Schedule:
    return Schedule(kind="cron", expression=expression, time_zone="Europe/Bucharest")


@pytest.mark.parametrize(
    ("expression", "shape"),
    [
        ("0 6 * * *", {"every": "day", "times": "06:00"}),
        ("30 6,18 * * *", {"every": "day", "times": "06:30, 18:30"}),
        ("0 6 * * 1,5", {"every": "week", "times": "06:00", "days": ("1", "5")}),
        ("0 6 * * 7", {"every": "week", "times": "06:00", "days": ("7",)}),
        ("15 7 3 * *", {"every": "month", "times": "07:15", "day": "3"}),
        ("20 * * * *", {"every": "hour", "minute": "20"}),
        ("*/15 8-17 * * 1-5", {"every": "cron", "expression": "*/15 8-17 * * 1-5"}),
        ("0 6 13 * 5", {"every": "cron", "expression": "0 6 13 * 5"}),
    ],
)
def test_a_schedule_is_shown_as_people_chose_it_and_saved_as_it_was(expression: str, shape: dict[str, object]) -> None:
    shown = shape_of(kept(expression))
    assert {name: getattr(shown, name) for name in shape} == shape
    values, issues = schedule_of(shown)
    assert not issues
    assert Schedule.model_validate(values) == kept(expression)


def test_sunday_may_be_written_as_0_and_is_shown_as_the_last_day() -> None:
    assert shape_of(kept("0 6 * * 0")).days == ("7",)


@pytest.mark.parametrize("kind", ["manual", "on_refresh"])
def test_what_has_no_clock_is_saved_without_one(kind: str) -> None:
    values, issues = schedule_of(shape_from({"kind": kind, "every": "day", "times": "nonsense", "time_zone": "UTC"}))
    assert (values, issues) == ({"kind": kind}, [])


@pytest.mark.parametrize("times", ["", "6", "25:00", "06:60", "06:00, 18:30", "06:00;18:00"])
def test_times_that_make_no_schedule_are_said(times: str) -> None:
    _, issues = schedule_of(ScheduleShape(kind="cron", times=times, time_zone="UTC"))
    assert [issue.pointer for issue in issues] == ["/schedule/times"]


def test_a_week_needs_a_day() -> None:
    _, issues = schedule_of(shape_from({"kind": "cron", "every": "week", "times": "06:00", "time_zone": "UTC"}))
    assert [issue.pointer for issue in issues] == ["/schedule/days"]


@pytest.mark.parametrize("zone", ["Europe/Stockholm", "Europe/Bucharest", "UTC", zones()[0], zones()[-1]])
def test_a_zone_that_is_offered_may_be_saved(zone: str) -> None:
    assert zone in zones()
    assert schedule_issues(Schedule(kind="cron", expression="0 6 * * *", time_zone=zone)) == []
