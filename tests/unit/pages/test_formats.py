"""Numbers, ages and durations in each language, and the chart's geometry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.control.runs import RunPoint
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.pages.chart import HEIGHT, WIDTH, chart
from shared.pages.formats import Formats
from shared.wording import translations


def formats(language: str) -> Formats:
    return Formats(language, translations(language))


@pytest.mark.parametrize(
    ("language", "number", "fraction"),
    [("en", "1,234,567", "1,234.5"), ("ro", "1.234.567", "1.234,5"), ("sv", "1\u00a0234\u00a0567", "1\u00a0234,5")],
)
def test_numbers_are_written_as_people_of_the_language_write_them(language: str, number: str, fraction: str) -> None:
    assert formats(language).number(1234567) == number
    assert formats(language).number(1234.5, 1) == fraction
    assert formats(language).number(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (59, "59 s"),
        (260, "4 min 20 s"),
        (300, "5 min"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_their_two_largest_units(seconds: float, said: str) -> None:
    assert formats("en").duration(seconds).replace("\u00a0", " ") == said


@pytest.mark.parametrize(("seconds", "said"), [(5, "5 s"), (3599, "59 min"), (7200, "2 h"), (86400 * 3, "3 d")])
def test_an_age_has_its_largest_unit(seconds: int, said: str) -> None:
    assert formats("en").age(seconds).replace("\u00a0", " ") == said


def point(number: int, members: int | None, seconds: float, **changes: object) -> RunPoint:
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=number)
    values = {"run": f"r{number}", "export": "vips", "state": State.SUCCEEDED, "trigger": "on demand"}
    return RunPoint.model_validate({**values, "started_at": at, "seconds": seconds, "members": members, **changes})


def test_a_chart_stays_within_its_frame_and_skips_runs_without_members() -> None:
    made = chart([point(1, 0, 0), point(2, None, 10, state=State.FAILED), point(3, 500, 4)])
    assert made is not None
    assert [mark.dot is None for mark in made.marks] == [False, True, False]
    assert [mark.bad for mark in made.marks] == [False, True, False]
    assert (made.most_members, made.most_seconds) == (500, 10)
    places = [tuple(map(float, pair.split(","))) for pair in made.line.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert places[0][1] == made.middle and places[1][1] == made.top


def test_dry_runs_and_a_single_run_make_no_chart() -> None:
    assert chart([point(1, 5, 1)]) is None
    assert chart([point(1, 5, 1), point(2, None, 1, kind=RunKind.DRY_RUN)]) is None
    assert chart([]) is None
