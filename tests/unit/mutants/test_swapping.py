"""A mutant of a function takes the function's place where the module is loaded; what runs at an import does not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from dev.mutants.breaking import mutants
from dev.mutants.swapping import Loaded

SOURCE = """
LIMIT = 20
TWICE = lambda number: number * 2

def low(number, most=5):
    return number < LIMIT and any(number < each for each in (most, 7))

class Box:
    size = 3
    @property
    def twice(self):
        return self.size * 2
"""


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "broken_on_purpose.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("broken_on_purpose", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_a_function_is_broken_in_place_and_nothing_else_is(module: ModuleType) -> None:
    path = Path(str(module.__file__))
    loaded, swapped = Loaded(path), {}
    for mutant in mutants(SOURCE):
        for function, code in (loaded.swap(mutant) or {}).items():
            before, function.__code__ = function.__code__, code
            swapped[mutant.name] = (module.TWICE(5), module.low(19), module.Box().twice)
            function.__code__ = before
    assert swapped == {
        ": number * 2 -> number + 2": (7, False, 6),
        ": 2 -> 21": (105, False, 6),
        "low: number < LIMIT and any((number < each for each in (most, 7))) -> "
        "number < LIMIT or any((number < each for each in (most, 7)))": (10, True, 6),
        "low: number < LIMIT -> number <= LIMIT": (10, False, 6),
        "low: number < LIMIT -> number >= LIMIT": (10, False, 6),
        "low: number < each -> number <= each": (10, False, 6),
        "low: number < each -> number >= each": (10, True, 6),
        "low: 7 -> 71": (10, True, 6),
        "Box.twice: self.size * 2 -> self.size + 2": (10, False, 5),
        "Box.twice: 2 -> 21": (10, False, 63),
    }


def test_what_an_import_runs_is_left_to_an_import(module: ModuleType) -> None:
    loaded = Loaded(Path(str(module.__file__)))
    left = [each.name for each in mutants(SOURCE) if loaded.swap(each) is None]
    assert left == [": 20 -> 201", "low: 5 -> 51", "Box: 3 -> 31"]
