"""When schedules fire, also when clocks are changed and ticks are missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.catalog.models import Schedule
from shared.catalog.schedules import due, next_times, refreshed, schedule_issues


def cron(expression: str, time_zone: str = "Europe/Berlin") -> Schedule:
    return Schedule(kind="cron", expression=expression, time_zone=time_zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def times(schedule: Schedule, after: str, count: int) -> list[str]:
    return [time.isoformat() for time in next_times(schedule, at(after), count)]


def test_the_next_times_are_in_the_schedules_zone() -> None:
    found = times(cron("30 6 * * MON-FRI"), "2026-11-20T12:00:00+00:00", 2)
    assert found == ["2026-11-23T06:30:00+01:00", "2026-11-24T06:30:00+01:00"]


def test_a_time_that_is_now_is_not_next() -> None:
    assert times(cron("0 6 * * *", "UTC"), "2026-11-20T06:00:00+00:00", 1) == ["2026-11-21T06:00:00+00:00"]


@pytest.mark.parametrize("kind", ["manual", "on_refresh"])
def test_other_schedules_have_no_times(kind: str) -> None:
    schedule = Schedule.model_validate({"kind": kind})
    assert next_times(schedule, at("2026-11-20T06:00:00+00:00"), 5) == []
    assert not due(schedule, at("2020-01-01T00:00:00+00:00"), at("2026-11-20T06:00:00+00:00"))


@pytest.mark.parametrize("expression", ["30 2 * * *", "*/30 2 * * *", "0,30 2 * * *", "30 */2 * * *"])
def test_a_skipped_hour_runs_once_right_after_the_gap(expression: str) -> None:
    found = times(cron(expression), "2026-03-29T00:45:00+00:00", 3)
    assert found[0] == "2026-03-29T03:00:00+02:00"
    assert not any(time.startswith("2026-03-29T03") for time in found[1:])


@pytest.mark.parametrize(("expression", "count"), [("30 2 * * *", 1), ("0,30 2 * * *", 2), ("*/30 2 * * *", 2)])
def test_a_repeated_hour_runs_once(expression: str, count: int) -> None:
    found = times(cron(expression), "2026-10-24T23:00:00+00:00", count + 1)
    assert all(time.startswith("2026-10-25T02") and time.endswith("+02:00") for time in found[:count])
    assert found[count].startswith("2026-10-26")


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_the_second_pass_of_a_repeated_hour_is_not_due_again(minute: int) -> None:
    schedule = cron("30 2 * * *")
    second_pass = at("2026-10-25T01:00:00+00:00") + timedelta(minutes=minute)
    assert not due(schedule, second_pass, second_pass + timedelta(minutes=59))


def test_an_hourly_schedule_follows_elapsed_time() -> None:
    autumn = next_times(cron("0 * * * *"), at("2026-10-24T22:30:00+00:00"), 5)
    assert [time.astimezone(UTC).hour for time in autumn] == [23, 0, 1, 2, 3]
    spring = next_times(cron("0 * * * *"), at("2026-03-28T23:30:00+00:00"), 4)
    assert [time.astimezone(UTC).hour for time in spring] == [0, 1, 2, 3]


def test_a_midnight_that_does_not_exist_runs_at_one() -> None:
    assert times(cron("0 0 * * *", "Africa/Cairo"), "2026-04-23T12:00:00+00:00", 1) == ["2026-04-24T01:00:00+03:00"]


def test_missed_ticks_run_once() -> None:
    schedule = cron("0 * * * *", "UTC")
    now = at("2026-11-22T12:10:00+00:00")
    assert due(schedule, now - timedelta(days=3), now)
    assert not due(schedule, now, now + timedelta(minutes=49))
    assert due(schedule, now, now + timedelta(minutes=50))


@settings(max_examples=60, deadline=None)
@given(
    expression=st.sampled_from(["*/15 * * * *", "30 2 * * *", "0 1-3 * * *", "5,35 */2 * * *", "0 0 1 * *"]),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    steps=st.lists(st.integers(1, 1000), min_size=1, max_size=10),
)
def test_every_firing_is_due_in_exactly_one_tick(expression: str, zone: str, start: datetime, steps: list[int]) -> None:
    schedule = cron(expression, zone)
    ticks = [start + timedelta(minutes=minutes) for minutes in accumulate(steps, initial=0)]
    firings = [time for time in next_times(schedule, start, sum(steps) // 15 + 2) if time <= ticks[-1]]
    for earlier, later in pairwise(ticks):
        assert due(schedule, earlier, later) == any(earlier < time <= later for time in firings)
    assert firings == sorted(set(firings))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 0 31 2 *", "never fires"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("* * * * *", "more often than every 5 minutes"),
        ("*/4 * * * *", "more often than every 5 minutes"),
        ("0,3 12 * * *", "more often than every 5 minutes"),
        ("0,58 * * * *", "more often than every 5 minutes"),
        ("0,59 0,23 1,31 * *", "more often than every 5 minutes"),
        ("0 0 12 * * *", "five fields"),
        ("@daily", "five fields"),
        ("61 * * * *", "bad minute"),
        ("0 25 * * *", "bad hour"),
        ("a b c d e", "bad minute"),
    ],
)
def test_an_expression_that_makes_no_sense_is_refused(expression: str, message: str) -> None:
    [issue] = schedule_issues(cron(expression))
    assert issue.pointer == "/schedule/expression"
    assert message in issue.message


@pytest.mark.parametrize(
    "expression",
    [
        "*/5 * * * *",
        "0 6 * * *",
        "0 0 29 2 *",
        "0 0 29 2 */7",
        "0 0 L * *",
        "0 9 * * MON#1",
        "58 1,2 * * *",
        "0 0 1 1 *",
    ],
)
def test_what_fires_at_sane_times_is_accepted(expression: str) -> None:
    assert schedule_issues(cron(expression)) == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "europe/berlin", "../etc/passwd", "Europe", "localtime", "a\0b", "/"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    assert [issue.pointer for issue in schedule_issues(cron("0 6 * * *", zone))] == ["/schedule/time_zone"]


def test_a_cron_schedule_needs_both_parts_and_others_take_none() -> None:
    pointers = [issue.pointer for issue in schedule_issues(Schedule(kind="cron"))]
    assert pointers == ["/schedule/expression", "/schedule/time_zone"]
    [issue] = schedule_issues(Schedule(kind="manual", expression="0 6 * * *"))
    assert issue.pointer == "/schedule/expression"


@given(st.text(alphabet="0123456789*/,-LW#MONJAN ²", min_size=1, max_size=30))
def test_any_text_is_judged_without_failing(expression: str) -> None:
    schedule_issues(cron(expression))


@pytest.mark.parametrize(
    ("newest", "delivered", "expected"),
    [
        (None, None, False),
        (None, "2026-11-22T06:00", False),
        ("2026-11-22T06:00", None, True),
        ("2026-11-22T06:00", "2026-11-22T06:00", False),
        ("2026-11-22T07:00", "2026-11-22T06:00", True),
        ("2026-11-21T07:00", "2026-11-22T06:00", False),
    ],
)
def test_a_refresh_is_a_snapshot_newer_than_the_delivered_one(
    newest: str | None, delivered: str | None, expected: bool
) -> None:
    assert refreshed(newest, delivered) is expected
