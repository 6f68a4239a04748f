"""Of what goes through every vendor in every way, everyday tests try a share that has every vendor and every way."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from tests.sampling import numbered, spread

REPOSITORY = Path(__file__).parents[3]
SAMPLES = re.compile(r"mark\.sampled\(|import .*\bEVERY\b")


@pytest.mark.parametrize("one_in", [2, 3, 4])
@pytest.mark.parametrize(("vendors", "ways"), [(6, 12), (7, 12), (6, 3), (6, 2), (2, 2), (1, 12)])
def test_every_value_is_tried(vendors: int, ways: int, one_in: int) -> None:
    cases = [{"vendor": vendor, "way": way} for vendor, way in product(range(vendors), range(ways))]
    tried = [cases[number] for number in spread(cases, one_in)]
    assert {case["vendor"] for case in tried} == set(range(vendors))
    assert {case["way"] for case in tried} == set(range(ways))


def test_it_is_a_share_and_the_same_each_time() -> None:
    cases = [{"vendor": vendor, "way": way} for vendor, way in product(range(6), range(12))]
    assert len(spread(cases, 3)) == len(cases) / 3
    assert spread(cases, 3) == spread(cases, 3)
    assert len(spread(cases, 1)) == len(cases)


def test_values_are_told_apart_by_what_they_are() -> None:
    fault: dict[str, str] = {}
    assert numbered([{"fault": fault, "on": "a"}, {"fault": fault, "on": "b"}, {"fault": {}, "on": "a"}]) == [
        {"fault": 0, "on": 0},
        {"fault": 0, "on": 1},
        {"fault": 1, "on": 0},
    ]


def test_make_faults_is_whole() -> None:
    """Every file of which `make test` tries a share is run by it."""
    text = (REPOSITORY / "Makefile").read_text()
    whole = text[text.index("WHOLE = ") :].split("\n\n")[0]
    asked = [REPOSITORY / each for each in whole.replace("\\\n", " ").split() if each.startswith("tests/")]
    files = {file for file in (REPOSITORY / "tests").rglob("test_*.py") if SAMPLES.search(file.read_text())}
    assert files - {Path(__file__)}
    assert [
        each for each in sorted(files - {Path(__file__)}) if not any(each.is_relative_to(one) for one in asked)
    ] == []
