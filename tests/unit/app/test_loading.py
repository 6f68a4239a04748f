"""What the host loads is lean, and says what it should."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files import files

REPOSITORY = Path(__file__).parents[3]
HEAVY = ("duckdb", "fastapi", "pydantic", "azure.storage", "azure.identity", "azure.keyvault", "requests", "fsspec")


def test_loading_the_app_imports_nothing_heavy() -> None:
    code = f"import function_app, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_the_catch_all_sorts_last() -> None:
    code = (
        "import function_app, json;"
        "print(json.dumps({f.get_function_name(): f.get_raw_bindings() for f in function_app.app.get_functions()}))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    functions = {
        name: [json.loads(binding) for binding in bindings] for name, bindings in json.loads(ended.stdout).items()
    }
    assert sorted(functions)[-1] == "web"
    assert functions.keys() == {"schedule", "run_export", "deliver", "poison", "web"}
    [route] = [each["route"] for each in functions["web"] if each["type"] == "httpTrigger"]
    assert route == "{*path}"


@pytest.mark.parametrize("source", files(REPOSITORY / "functions", "*.py"), ids=lambda path: path.name)
def test_triggers_hold_no_logic(source: Path) -> None:
    """A trigger translates one call; whatever takes more belongs into shared/."""
    assert len(source.read_text().splitlines()) < 50


def test_one_instance_works_on_few_messages_at_once() -> None:
    """Each slice may use 800 MB, and an instance has 2 GB."""
    queues = json.loads((REPOSITORY / "host.json").read_text())["extensions"]["queues"]
    assert queues["batchSize"] + queues["newBatchThreshold"] <= 2


def test_a_free_place_of_an_instance_is_filled_while_the_other_slice_waits_for_its_vendor() -> None:
    """With a threshold of 0 an instance takes nothing new before all that it took is through."""
    queues = json.loads((REPOSITORY / "host.json").read_text())["extensions"]["queues"]
    assert queues["newBatchThreshold"] >= 1
