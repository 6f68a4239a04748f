"""Of what goes through every vendor in every way, everyday tests try a share that has every vendor and every way."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import product
from pathlib import Path
from unittest.mock import ANY

import pytest

from tests.sampling import numbered, spread, turn

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).parents[3]
SAMPLES = re.compile(r"mark\.(sampled|in_turn)\(|import .*\bEVERY\b")


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


@pytest.mark.parametrize(("values", "few", "tests"), [(6, 2, 3), (7, 2, 4), (6, 3, 2), (6, 4, 2), (2, 1, 2), (3, 5, 1)])
@pytest.mark.parametrize("start", [0, 5, 4_000_000_007])
def test_tests_of_a_file_take_turns_with_every_value(values: int, few: int, tests: int, start: int) -> None:
    tried = [turn(values, few, place, start) for place in range(tests)]
    assert set().union(*tried) == set(range(values))
    assert {len(each) for each in tried} == {min(few, values)}


MARKED = """
import pytest

VENDORS = ["anna", "berta", "cilla", "doris"]

@pytest.fixture(params=VENDORS)
def vendor(request):
    return request.param

@pytest.mark.in_turn("vendor", 2)
def test_first(vendor): ...

@pytest.mark.in_turn("vendor", 2)
def test_second(vendor): ...

def test_at_every_vendor(vendor): ...

@pytest.mark.in_turn("vendor", 1)
@pytest.mark.sampled(2)
@pytest.mark.parametrize("way", [1, 2])
def test_share(vendor, way): ...
"""


def tried(pytester: pytest.Pytester, *arguments: str) -> dict[str, list[str]]:
    """Test -> its cases, of a file with marks."""
    pytester.makeconftest("from tests.sampling import pytest_collection_modifyitems")
    pytester.makeini("[pytest]\nmarkers =\n  sampled(n)\n  in_turn(parameter, n)\n")
    pytester.makepyfile(MARKED)
    said = pytester.runpytest_inprocess("--collect-only", "-q", *arguments).outlines
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, case in re.findall(r"::(\w+)\[(.+)\]", "\n".join(said)):
        found[name].append(case)
    return found


@pytest.fixture
def everyday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.sampling.EVERY", False)
    monkeypatch.setattr("tests.sampling.IN_TURNS", False)


def test_marked_tests_are_tried_at_other_vendors_each(pytester: pytest.Pytester, everyday: None) -> None:
    found = tried(pytester)
    assert len(found["test_first"]) == len(found["test_second"]) == 2
    assert {*found["test_first"], *found["test_second"]} == {"anna", "berta", "cilla", "doris"}
    assert len(found["test_at_every_vendor"]) == 4
    assert len(found["test_share"]) == 4, "the share counts where there are both"


def test_a_vendor_that_is_asked_for_is_tried_by_all(pytester: pytest.Pytester, everyday: None) -> None:
    assert tried(pytester, "-k", "cilla") == {
        "test_first": ["cilla"],
        "test_second": ["cilla"],
        "test_at_every_vendor": ["cilla"],
        "test_share": ANY,
    }


def test_a_vendor_that_is_asked_for_takes_turns_where_all_do(
    pytester: pytest.Pytester, everyday: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = tried(pytester)
    monkeypatch.setattr("tests.sampling.IN_TURNS", True)
    found = tried(pytester, "-k", "cilla")
    assert [name for name in ("test_first", "test_second") if found[name]] == [
        name for name in ("test_first", "test_second") if "cilla" in without[name]
    ]
    assert found["test_at_every_vendor"] == ["cilla"]


def test_all_are_tried_where_every_case_is(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.sampling.EVERY", True)
    assert [len(each) for each in tried(pytester).values()] == [4, 4, 4, 8]


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
