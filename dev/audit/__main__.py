"""`python -m dev.audit --pip-audit PROGRAM`: exit status 1 for a hole or a licence. The last lines name each library
that nobody knew anything about; with `--strict` these too make the exit status 1."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from dev.audit import advisories, licences, locked

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
ELSEWHERE = "Run `make audit` where the Python Package Index itself answers, see docs/renewing-libraries.md."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.audit", description="Audit the deployed libraries.")
    parser.add_argument("--pip-audit", type=Path, required=True, help="pip-audit's program")
    parser.add_argument("--strict", action="store_true", help="a library that was not checked is a problem")
    given = parser.parse_args()
    entries = locked.applicable(locked.read(LOCK.read_text()))
    wanted = locked.wanted((ROOT / "requirements.txt").read_text())
    problems = [f"lock: {each}; run make lock" for each in locked.differences(wanted, entries)]
    problems += [] if entries else ["lock: it names no library"]
    problems += [f"licence: {each}" for each in licences.problems(entries)]
    found = advisories.audit(given.pip_audit, LOCK)
    unchecked = found.unchecked(entries)
    problems += [f"hole: {each}" for each in found.holes]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"audit: {len(entries)} libraries, {len(problems)} problems", flush=True)
    if unchecked:
        print(told(unchecked, len(entries), found.failure), file=sys.stderr)
    return 1 if problems or (given.strict and unchecked) else 0


def told(unchecked: Sequence[str], libraries: int, failure: str) -> str:
    """What a person reads last: a check that did not happen must never look like one that found nothing."""
    why = failure or "the source of advisories does not know them"
    names = textwrap.fill(", ".join(unchecked), 100, initial_indent="  ", subsequent_indent="  ")
    return f"NOT CHECKED for known holes: {len(unchecked)} of {libraries} libraries ({why}):\n{names}\n{ELSEWHERE}"


if __name__ == "__main__":
    sys.exit(main())
