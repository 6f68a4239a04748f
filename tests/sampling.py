"""What everyday tests try of tests that go through many cases; `FAULTS=every` (`make faults`) tries all of them.

`@pytest.mark.sampled(3)` tries one in three of a test's cases, the same each day, and spread so that every value of
every parameter is among them: each vendor, and each kind of trouble, but not each kind of trouble at each vendor. A
test that is asked for by name is never left out.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest

EVERY = os.environ.get("FAULTS") == "every"
MARK = "sampled"

Case = Mapping[str, int]
"""Parameter -> the number of its value."""


def spread(cases: Sequence[Case], one_in: int) -> set[int]:
    """Numbers of the cases that are tried: along the diagonals, and whatever has a value that no diagonal meets."""
    tried = {number for number, case in enumerate(cases) if sum(case.values()) % one_in == 0}
    met = {each for number in tried for each in cases[number].items()}
    for number, case in enumerate(cases):
        if not case.items() <= met:
            tried.add(number)
            met |= case.items()
    return tried


def numbered(cases: Sequence[Mapping[str, object]]) -> list[Case]:
    """Values by their number: parameters are the same objects in all cases of a test."""
    values: defaultdict[str, dict[int, int]] = defaultdict(dict)
    return [
        {name: values[name].setdefault(id(value), len(values[name])) for name, value in case.items()} for case in cases
    ]


def left_out(items: Sequence[pytest.Item]) -> set[pytest.Item]:
    """Those of the marked tests' cases that everyday tests do not try."""
    marked: defaultdict[tuple[str, int], list[pytest.Function]] = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker(MARK)
        if mark and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            marked[item.nodeid.partition("[")[0], mark.args[0]].append(item)
    found = set[pytest.Item]()
    for (_, one_in), cases in marked.items():
        tried = spread(numbered([case.callspec.params for case in cases]), one_in)
        found |= {case for number, case in enumerate(cases) if number not in tried}
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if EVERY or any("::" in each for each in config.args):
        return
    without = left_out(items)
    config.hook.pytest_deselected(items=list(without))
    items[:] = [item for item in items if item not in without]
