"""`python -m dev.audit --pip-audit PROGRAM`: exit status 1 for a hole or a licence, 0 with a warning where nobody
could be asked about holes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dev.audit import advisories, licences, locked
from dev.audit.advisories import Verdict

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
NOT_AUDITED = "!" * 78


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.audit", description="Audit the deployed libraries.")
    parser.add_argument("--pip-audit", type=Path, required=True, help="pip-audit's program")
    given = parser.parse_args()
    entries = locked.applicable(locked.read(LOCK.read_text()))
    wanted = locked.wanted((ROOT / "requirements.txt").read_text())
    problems = [f"lock: {each}; run make lock" for each in locked.differences(wanted, entries)]
    problems += [f"licence: {each}" for each in licences.problems(entries)]
    found = advisories.audit(given.pip_audit, LOCK)
    problems += [f"hole: {each}" for each in found.holes]
    for problem in problems:
        print(problem, file=sys.stderr)
    _warn(found)
    audited = 0 if found.failure else len(entries) - len(found.unaudited)
    print(f"audit: {len(entries)} libraries, {len(problems)} problems, {audited} looked up for known holes")
    return 1 if problems else 0


def _warn(found: Verdict) -> None:
    """Loud, since a check that did not happen must never look like one that found nothing."""
    if found.failure or found.unaudited:
        why = found.failure or f"the source of advisories does not know {len(found.unaudited)} of the libraries"
        print(f"{NOT_AUDITED}\nNOT AUDITED for known holes: {why}\n{NOT_AUDITED}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
