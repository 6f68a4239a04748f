"""python -m dev.mutants [MODULE …]: break modules on purpose, and name what no test notices.

Without modules: the lines of the modules in MODULES that differ from a commit (--since, the last one as a rule).
Ends with 1 where a mutant survives that dev/mutants/survivors.md does not explain.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from dev.mutants import killing
from dev.mutants.breaking import Mutant, mutants
from dev.mutants.modules import MODULES

SHARED = Path("shared")
EXPLAINED = Path(__file__).with_name("survivors.md")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"as {next(iter(MODULES))}; without any: what was changed")
    parser.add_argument("--since", default="HEAD", help="revision that changes are counted from")
    asked = parser.parse_args(arguments)
    wanted = dict.fromkeys(asked.modules) or _changed(asked.since)
    if unknown := wanted.keys() - MODULES.keys():
        parser.error(f"no tests are named for {', '.join(sorted(unknown))} in dev/mutants/modules.py")
    return max([_apart(partial(_module, name, lines)) for name, lines in wanted.items()], default=0)


def _apart(work: Callable[[], int]) -> int:
    """In a process of its own, which loads all but what imports its module."""
    child = os.fork()
    if child == 0:
        os._exit(work())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _changed(since: str) -> dict[str, frozenset[int] | None]:
    """Module -> lines that are new."""
    found: dict[str, frozenset[int] | None] = {}
    for name in MODULES:
        diff = subprocess.run(
            ["git", "diff", "--unified=0", since, "--", str(SHARED / f"{name}.py")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        hunks = re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", diff, re.MULTILINE)
        lines = frozenset(int(at) + more for at, count in hunks for more in range(int(count or 1)))
        if lines:
            found[name] = lines
    return found


def _module(name: str, lines: frozenset[int] | None) -> int:
    path, tests = SHARED / f"{name}.py", MODULES[name]
    killing.load(path)
    explained = _explained(name)
    every = list(mutants(path.read_text(), lines))
    tried = [each for each in every if each.name not in explained]
    with os.fdopen(os.dup(1), "w") as out:  # the tests have no output while they run
        as_it_is, *ends = killing.run(path, tried, tests, partial(_tell, path, out)) or (killing.KILLED,)
    if as_it_is != killing.SURVIVED:
        print(f"{name}: its tests fail as it is", flush=True)
        return 1
    survive = ends.count(killing.SURVIVED)
    told = f"{len(ends) - survive} killed, {len(every) - len(tried)} explained, {survive} survive"
    print(f"{name}: {len(every)} mutants, {told}", flush=True)
    return int(survive > 0)


def _tell(path: Path, out: TextIO, mutant: Mutant, end: str) -> None:
    if end == killing.SURVIVED:
        print(f"  {path}:{mutant.line} `{mutant.name}`", file=out, flush=True)


def _explained(name: str) -> frozenset[str]:
    """Names of mutants in the module's part of the file; each stands in a line of its own, before its reason."""
    if not EXPLAINED.exists():
        return frozenset()
    parts = re.split(r"^## ", EXPLAINED.read_text(), flags=re.MULTILINE)
    part = next((part for part in parts if part.partition("\n")[0].strip() == name), "")
    return frozenset(re.findall(r"^- `(.+)`", part, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
