"""A schedule is said in words, whatever was written as a cron expression."""

from __future__ import annotations

import pytest

from shared.catalog.models import Schedule
from shared.catalog.schedule_words import in_words
from shared.wording import rendered

SAID = [
    ("0 6 * * *", "Daily at 06:00"),
    ("30 6,18 * * *", "Daily at 06:30, 18:30"),
    ("0 6 * * 1-5", "Weekdays at 06:00"),
    ("0 6 * * MON-FRI", "Weekdays at 06:00"),
    ("0 6 * * 1,2,3,4,5", "Weekdays at 06:00"),
    ("0 9 * * 0,6", "Weekends at 09:00"),
    ("0 6 * * 1,5", "Monday, Friday at 06:00"),
    ("0 6 * * 7", "Sunday at 06:00"),
    ("0 6 * * 5#2", "the second Friday of the month at 06:00"),
    ("0 6 * * 0L", "the last Sunday of the month at 06:00"),
    ("15 7 3 * *", "On days of the month: 3, at 07:15"),
    ("15 7 1,15 * *", "On days of the month: 1, 15, at 07:15"),
    ("0 6 L * *", "On days of the month: the last, at 06:00"),
    ("0 6 LW * *", "On days of the month: the last weekday, at 06:00"),
    ("0 6 13 * 5", "On days of the month: 13, and on Friday, at 06:00"),
    ("0 6 */10 * 1", "On days of the month: 1, 11, 21, 31, if it is Monday, at 06:00"),
    ("0 * * * *", "Daily every hour, on the hour"),
    ("20 * * * *", "Daily every hour, 20 minutes past"),
    ("*/15 * * * *", "Daily every 15 minutes"),
    ("*/15 8-17 * * 1-5", "Weekdays every 15 minutes from 08:00 to 17:45"),
    ("0 8-17 * * *", "Daily every hour from 08:00 to 17:00"),
    ("0 */2 * * *", "Daily at 12 times between 00:00 and 22:00"),
    ("0 6 * 1,7 *", "Daily at 06:00, in January, July"),
]


def cron(expression: str) -> Schedule:
    return Schedule(kind="cron", expression=expression, time_zone="Europe/Stockholm")


@pytest.mark.parametrize(("expression", "words"), SAID)
def test_every_schedule_has_words(expression: str, words: str) -> None:
    assert in_words(cron(expression)) == words


def test_words_are_those_of_the_reader() -> None:
    assert rendered(in_words(cron("0 6 * * 1-5")), "sv") == "Vardagar kl. 06:00"
    assert rendered(in_words(cron("0 6 * * 1,5")), "ro") == "Luni, Vineri la 06:00"


def test_what_has_no_clock_says_what_starts_it() -> None:
    assert in_words(Schedule()) == "Only when started by a person"
    assert in_words(Schedule(kind="on_refresh")) == "When a new snapshot lands"


def test_a_stored_expression_that_cannot_be_read_breaks_no_list() -> None:
    assert in_words(cron("whenever")) == "At times that cannot be read"
