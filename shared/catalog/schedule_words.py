"""A schedule in words: "Weekdays at 06:00", never a cron expression. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from cronsim import CronSim, CronSimError

from shared.catalog.models import Schedule
from shared.catalog.schedules import SOME_DAY, normal
from shared.wording import Message, say, together

MOST_TIMES = 6
"""Times of a day that are all said; of more, how many there are."""
MONTHS: tuple[Message, ...] = (
    say("January"),
    say("February"),
    say("March"),
    say("April"),
    say("May"),
    say("June"),
    say("July"),
    say("August"),
    say("September"),
    say("October"),
    say("November"),
    say("December"),
)
WEEKDAYS: tuple[Message, ...] = (
    say("Monday"),
    say("Tuesday"),
    say("Wednesday"),
    say("Thursday"),
    say("Friday"),
    say("Saturday"),
    say("Sunday"),
)
_NTH: dict[int, Message] = {
    1: say("the first %(day)s of the month"),
    2: say("the second %(day)s of the month"),
    3: say("the third %(day)s of the month"),
    4: say("the fourth %(day)s of the month"),
    5: say("the fifth %(day)s of the month"),
    CronSim.LAST: say("the last %(day)s of the month"),
}
_LAST_DAYS: dict[int, Message] = {
    CronSim.LAST: say("the last"),
    CronSim.LAST_WEEKDAY: say("the last weekday"),
}
_EVERY_DAY, _EVERY_MONTH = set(range(1, 32)), set(range(1, 13))
_WORKING, _WEEKEND, _WEEK = set(range(1, 6)), {6, 7}, set(range(1, 8))


@lru_cache(maxsize=4096)
def in_words(schedule: Schedule) -> Message:
    """When an export runs by itself."""
    if schedule.kind == "manual":
        return say("Only when started by a person")
    if schedule.kind == "on_refresh":
        return say("When a new snapshot lands")
    try:
        cron = CronSim(normal(schedule.expression or ""), SOME_DAY)
    except (CronSimError, ValueError):
        return say("At times that cannot be read")
    words = _on(cron, _times(cron))
    if set(cron.months) == _EVERY_MONTH:
        return words
    months = together((MONTHS[month - 1] for month in sorted(cron.months)), ", ")
    return say("%(when)s, in %(months)s", when=words, months=months)


def _times(cron: CronSim) -> Message:
    """`at 06:00, 18:30`."""
    minutes, hours = sorted(cron.minutes), sorted(cron.hours)
    if len(hours) == 24:
        step = _step(minutes, 60)
        if step == 60:
            past = say("every hour, %(minute)s minutes past", minute=minutes[0])
            return past if minutes[0] else say("every hour, on the hour")
        if step:
            return say("every %(minutes)s minutes", minutes=step)
    times = [f"{hour:02}:{minute:02}" for hour in hours for minute in minutes]
    if len(times) <= MOST_TIMES:
        return say("at %(times)s", times=together(times, ", "))
    step = _step(minutes, 60)
    if step and _step([*hours, hours[-1] + 1], 0) == 1:
        ends = {"first": times[0], "last": times[-1]}
        by_minutes = say("every %(minutes)s minutes from %(first)s to %(last)s", minutes=step, **ends)
        return say("every hour from %(first)s to %(last)s", **ends) if step == 60 else by_minutes
    return say("at %(number)s times between %(first)s and %(last)s", number=len(times), first=times[0], last=times[-1])


def _step(values: list[int], around: int) -> int:
    """The distance between each two of them, with `around` also from the last to the first of the next round; 0 where
    it is not the same everywhere."""
    following = [*values[1:], values[0] + around] if around else values[1:]
    steps = {later - value for value, later in zip(values, following, strict=False)}
    return steps.pop() if len(steps) == 1 else 0


def _on(cron: CronSim, times: Message) -> Message:
    """The times with the days that they are of."""
    days, week = set(cron.days), {7 if each == 0 else each for each in cron.weekdays}
    every_day, every_weekday = days == _EVERY_DAY, week == _WEEK
    if every_day and every_weekday:
        return say("Daily %(times)s", times=times)
    if every_day:
        return _of_week(week, times)
    numbers = together((_LAST_DAYS.get(day) or str(day) for day in sorted(days, key=lambda day: (day < 0, day))), ", ")
    if every_weekday:
        return say("On days of the month: %(days)s, %(times)s", days=numbers, times=times)
    both = {"days": numbers, "weekdays": _weekdays(week), "times": times}
    if cron.day_and:
        return say("On days of the month: %(days)s, if it is %(weekdays)s, %(times)s", **both)
    return say("On days of the month: %(days)s, and on %(weekdays)s, %(times)s", **both)


def _of_week(week: Collection[object], times: Message) -> Message:
    if week == _WORKING:
        return say("Weekdays %(times)s", times=times)
    if week == _WEEKEND:
        return say("Weekends %(times)s", times=times)
    return say("%(days)s %(times)s", days=_weekdays(week), times=times)


def _weekdays(week: Iterable[object]) -> Message:
    plain = sorted(each for each in week if isinstance(each, int))
    others = sorted(each for each in week if isinstance(each, tuple))
    names = [WEEKDAYS[each - 1] for each in plain]
    return together([*names, *(_NTH[nth].filled(day=WEEKDAYS[(day - 1) % 7]) for day, nth in others)], ", ")
