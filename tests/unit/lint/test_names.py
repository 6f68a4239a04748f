"""A class's name says which one it is: no two in the deployed code share one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.files import files

REPOSITORY = Path(__file__).parents[3]


def test_no_two_classes_of_the_deployed_code_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in files(REPOSITORY / "shared", "**/*.py"):
        for name in _public_classes(path):
            places[name].append(str(path.relative_to(REPOSITORY)))
    assert len(places) > 300
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def _public_classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [each.name for each in tree.body if isinstance(each, ast.ClassDef) and not each.name.startswith("_")]
