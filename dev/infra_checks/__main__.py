"""`python -m dev.infra_checks [--checkov PROGRAM]`: check infra/; exit status 1 where something is wrong."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dev.infra_checks.accepted import ACCEPTED
from dev.infra_checks.checkov import NoVerdict, checkov
from dev.infra_checks.checks import check

INFRA = Path("infra")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.infra_checks", description="Check the templates offline.")
    parser.add_argument("--checkov", type=Path, help="checkov's program; without it, it is left out")
    given = parser.parse_args()
    problems = check(INFRA)
    if given.checkov and not problems:
        try:
            problems = checkov(given.checkov, INFRA, ACCEPTED)
        except NoVerdict as error:
            print(error, file=sys.stderr)
            return 1
    for problem in problems:
        print(problem)
    print(
        f"infra: {len(problems)} problems"
        if problems
        else "infra: parsed by both parsers, cross-checked, nothing found"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
