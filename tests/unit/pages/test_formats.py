"""Numbers, ages and durations in each language."""

from __future__ import annotations

import pytest

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
