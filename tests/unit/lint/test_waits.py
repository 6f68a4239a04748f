"""What tests shorten is shortened for everybody: the module that has the constant is the only one that reads it."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.contract.conftest import WAITS
from tests.files import files
from tests.kits import KITS

REPOSITORY = Path(__file__).parents[3]
SHORTENED = {*WAITS, *(name for kit in KITS.values() for name in kit.waits)}


def test_no_other_module_takes_a_constant_by_name_that_tests_shorten() -> None:
    assert len(SHORTENED) > 10
    made, taken = set[str](), set[str]()
    for path in files(REPOSITORY / "shared", "**/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        made |= {f"{module}.{name}" for each in tree.body for name in _assigned(each)}
        imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
        taken |= {f"{each.module}.{alias.name}" for each in imports for alias in each.names}
    assert SHORTENED - made == set(), "each is written in the module that is named"
    assert SHORTENED & taken == set(), "others ask that module"


def _assigned(statement: ast.stmt) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
