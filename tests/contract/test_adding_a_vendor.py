"""docs/adding-a-vendor.md, followed to the letter: its vendor then passes whatever knows of vendors.

Everyday tests try it where its turn comes, as each of the other vendors; `make faults` tries it in all of the suite.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.vendors.registry import DEFINITIONS
from tests.sampling import EVERY

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "adding-a-vendor.md"
LEFT_OUT = shutil.ignore_patterns(".*", "node_modules", "bench-results")
MOST_LINES = 800
"""Of a new vendor's client."""

_BLOCK = re.compile(r"^```(sh|diff)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_KNOWS_VENDORS = re.compile(r"\b(KITS|DEFINITIONS|every_vendor|TEMPLATES|VENDORS)\b|dev\.translations")

pytestmark = pytest.mark.timeout(900)


def of_vendors(folder: str) -> list[str]:
    """Files of tests that go through all vendors."""
    files = sorted((REPOSITORY / "tests" / folder).rglob("test_*.py"))
    found = [each for each in files if _KNOWS_VENDORS.search(each.read_text(encoding="utf-8"))]
    return [str(each.relative_to(REPOSITORY)) for each in found]


def suite() -> tuple[str, ...]:
    """Arguments of pytest; tests of the other vendors are left out. Engines are many: theirs are chosen by name."""
    contract = ("tests/contract", "--ignore", f"tests/contract/{Path(__file__).name}")
    chosen = f"postcard or registry or (unit and not ({' or '.join(DEFINITIONS)}))"
    return (*contract, "tests/unit/docs", *of_vendors("unit"), *of_vendors("integration"), "-k", chosen)


def follow(page: str, tree: Path) -> None:
    """Carry out the page's blocks in this tree, one after the other."""
    blocks = _BLOCK.findall(page)
    assert len(blocks) > 5
    for language, block in blocks:
        if language == "diff":
            change(block, tree)
        else:
            run(tree, "bash", "-euc", block)


def change(block: str, tree: Path) -> None:
    """One change of a file, found by the lines that are there before."""
    name, *lines = block.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    file = tree / name.removeprefix("# ")
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{name} has not, or more than once:\n{before}"
    file.write_text(text.replace(before, after), encoding="utf-8")


def run(tree: Path, *command: str) -> str:
    """What a command in this tree says; fails where it does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**kept, "PATH": path, "FAULTS": "every" if EVERY else "turns"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which the page was followed."""
    made = tmp_path_factory.mktemp("added") / "repository"
    shutil.copytree(REPOSITORY, made, ignore=LEFT_OUT)
    (made / "node_modules").symlink_to((REPOSITORY / "node_modules").resolve())
    follow(PAGE.read_text(encoding="utf-8"), made)
    return made


def test_the_vendor_passes(tree: Path) -> None:
    pytest_ = (sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist")
    said = run(tree, *pytest_, *suite())
    for folder in ("contract", "integration", "unit/docs", "unit/vendors"):
        assert re.search(rf"^tests/{folder}/.* PASSED", said, re.MULTILINE), f"nothing of tests/{folder}"


def test_its_code_is_in_good_style(tree: Path) -> None:
    ruff = str(Path(sys.executable).parent / "ruff")
    run(tree, ruff, "check", "--no-cache", "shared/vendors", "dev/simulators", "dev/demo", "tests/kits.py")
    run(tree, ruff, "format", "--no-cache", "--check", "shared/vendors", "dev/demo", "tests/kits.py")


def test_its_demo_ends_with_the_list_equal_to_the_segment(tree: Path) -> None:
    run(tree, sys.executable, "-m", "dev.demo", "--vendor", "postcard", "--people", "200")


def test_a_client_is_small(tree: Path) -> None:
    lines = [len(each.read_text(encoding="utf-8").splitlines()) for each in tree.glob("shared/vendors/postcard/*.py")]
    assert 0 < sum(lines) < MOST_LINES
