"""`python -m dev.audit --pip-audit PROGRAM`: exit status 1 for a problem, 0 where there is none.

A library that could not be checked for known holes is no problem, unless `--strict` says so; but it is told last, where
nobody overlooks it.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

from dev.audit import advisories, licences, locked
from dev.audit.advisories import Verdict

ROOT = Path(__file__).parents[2]
DEPLOYED, WITH_TELEMETRY = ROOT / "requirements.lock", ROOT / "requirements-telemetry.lock"
LINE = "!" * 78


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.audit", description="Audit the deployed libraries.")
    parser.add_argument("--pip-audit", type=Path, required=True, help="pip-audit's program")
    parser.add_argument("--service", default="pypi", choices=("pypi", "osv"), help="who is asked for advisories")
    parser.add_argument("--strict", action="store_true", help="what could not be checked is a problem, too")
    given = parser.parse_args()
    deployed = locked.applicable(locked.read(DEPLOYED.read_text()))
    everything = deployed.keys() | locked.applicable(locked.read(WITH_TELEMETRY.read_text())).keys()
    found = advisories.audit(given.pip_audit, [DEPLOYED, WITH_TELEMETRY], everything, given.service)
    wanted = locked.wanted((ROOT / "requirements.txt").read_text())
    problems = [] if deployed else [f"lock: {DEPLOYED.name} names no library"]
    problems += [f"lock: {each}; run make lock" for each in locked.differences(wanted, deployed)]
    problems += [f"licence: {each}" for each in licences.problems(deployed)]
    problems += [f"hole: {each}" for each in found.holes]
    for problem in problems:
        print(problem, file=sys.stderr)
    checked = len(everything) - len(found.unchecked)
    looked_at = f"looked at the licences of {len(deployed)} libraries and the known holes of {checked}"
    print(f"audit: {len(problems)} problems; {looked_at}", flush=True)
    if found.unchecked:
        print(warning(found), file=sys.stderr)
    return 1 if problems or (given.strict and found.unchecked) else 0


def warning(found: Verdict) -> str:
    """Loud, since a check that did not happen must never look like one that found nothing."""
    names = textwrap.fill(", ".join(found.unchecked), width=len(LINE), break_on_hyphens=False)
    return f"""{LINE}
NOT CHECKED for known holes ({len(found.unchecked)}):
{names}
Why: {found.why}.
Run make audit where advisories can be had: docs/renewing-libraries.md
{LINE}"""


if __name__ == "__main__":
    sys.exit(main())
