"""What everyday tests try of tests that go through many cases; `FAULTS=every` (`make faults`) tries all of them.

`@pytest.mark.sampled(3)` tries one in three of a test's cases, the same each day, and spread so that every value of
every parameter is among them: each vendor, and each kind of trouble, but not each kind of trouble at each vendor. A
test that is asked for by name is never left out, unless `FAULTS=turns` says that even these take turns.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

import pytest

EVERY = os.environ.get("FAULTS") == "every"
IN_TURNS = os.environ.get("FAULTS") == "turns"
MARK, TURNS = "sampled", "in_turn"

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


def turn(values: int, few: int, place: int, start: int = 0) -> set[int]:
    """Numbers of the values that the test at this place tries; the tests of a file go around all of them."""
    return {(start + place * few + number) % values for number in range(min(few, values))}


def left_out(items: Sequence[pytest.Item], asked: str = "") -> set[pytest.Item]:
    """Those of the marked tests' cases that everyday tests do not try. `asked` is what `-k` says."""
    cases = [item for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    sampled = [case for case in cases if case.get_closest_marker(MARK)]
    taking_turns = [case for case in cases if case.get_closest_marker(TURNS) and not case.get_closest_marker(MARK)]
    return {*_beside_the_share(sampled), *_not_at_turn(taking_turns, asked)}


def _beside_the_share(cases: Sequence[pytest.Function]) -> Iterator[pytest.Item]:
    for found in _by(_test, cases):
        tried = spread(numbered([case.callspec.params for case in found]), _arguments(found[0], MARK)[0])
        yield from (case for number, case in enumerate(found) if number not in tried)


def _not_at_turn(cases: Sequence[pytest.Function], asked: str) -> Iterator[pytest.Item]:
    for tests in _by(_file, cases):
        for place, found in enumerate(_by(_test, tests)):
            parameter, few = _arguments(found[0], TURNS)
            names = {case: _name(case.callspec.params[parameter]) for case in found}
            values = list(dict.fromkeys(names.values()))
            tried = {values[number] for number in turn(len(values), few, place, crc32(_file(found[0]).encode()))}
            yield from (case for case, name in names.items() if name not in tried and name not in asked)


def _by(key: Callable[[pytest.Function], str], cases: Sequence[pytest.Function]) -> Iterable[list[pytest.Function]]:
    found: defaultdict[str, list[pytest.Function]] = defaultdict(list)
    for case in cases:
        found[key(case)].append(case)
    return found.values()


def _test(case: pytest.Function) -> str:
    return case.nodeid.partition("[")[0]


def _file(case: pytest.Function) -> str:
    return case.nodeid.partition("::")[0]


def _name(value: object) -> str:
    return str(getattr(value, "name", value))


def _arguments(case: pytest.Function, mark: str) -> tuple[Any, ...]:
    found = case.get_closest_marker(mark)
    assert found
    return found.args


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if EVERY or any("::" in each for each in config.args):
        return
    without = left_out(items, "" if IN_TURNS else config.getoption("keyword"))
    config.hook.pytest_deselected(items=list(without))
    items[:] = [item for item in items if item not in without]
