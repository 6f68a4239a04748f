"""A module is broken in every place that means something, in one at a time, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dev.mutants.__main__ import EXPLAINED
from dev.mutants.breaking import mutants
from dev.mutants.modules import MODULES

CASES = {
    "if a < b: go()": ["if a <= b:\n    go()", "if a >= b:\n    go()", "if a < b:\n    pass"],
    "x = a == b": ["x = a != b"],
    "x = a and b": ["x = a or b"],
    "x = not a": ["x = a"],
    "x = a + b": ["x = a - b"],
    "if a: x = b": ["if not a:\n    x = b"],
    "x = 40": ["x = 401"],
    "x = True": ["x = False"],
    "x = 'word'": ["x = 'word~'"],
    "x = 'CASE WHEN a THEN b ELSE t.c END'": ["x = 'CASE WHEN a THEN b ELSE NULL END'"],
    "x = 'SELECT a WHERE b AND c'": ["x = 'SELECT a WHERE b OR c'"],
    "a.b = c": ["pass"],
    "raise Wrong": ["pass"],
    "def f(a: Literal['x']) -> 'y':\n    'Says what it does.'\n    return a": [],
    "log.warning('words')": [],
    "x = say('words')": [],
    "if TYPE_CHECKING:\n    import a": [],
}


@pytest.mark.parametrize(("source", "broken"), CASES.items())
def test_what_is_made_of_a_line(source: str, broken: list[str]) -> None:
    assert [ast.unparse(each.tree) for each in mutants(source)] == broken


def test_lines_that_were_not_changed_are_left_alone() -> None:
    assert [each.line for each in mutants("x = 1\ny = 2\nz = 3", frozenset({2}))] == [2]


def test_every_module_and_its_tests_are_there_and_what_is_explained_can_be_made() -> None:
    assert all(Path(test).exists() for tests in MODULES.values() for test in tests)
    for part in EXPLAINED.read_text().split("\n## ")[1:]:
        name, _, rest = part.partition("\n")
        made = {each.name for each in mutants(Path(f"shared/{name}.py").read_text())}
        said = {line[3 : line.rindex("`")] for line in rest.splitlines() if line.startswith("- `")}
        assert said <= made, f"no mutant of {name} is like this any more: {said - made}"
