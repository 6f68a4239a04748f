"""`python -m dev.infra_checks`: judge infra/ by the compiler; exit status 1 where something is wrong.

`--compare REVISION` shows instead what the working tree would change in Azure, compared with a revision of git.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.infra_checks.accepted import ACCEPTED
from dev.infra_checks.checkov import NoVerdict, checkov
from dev.infra_checks.comparing import differences
from dev.infra_checks.compiler import Compiler, CompilerFailed
from dev.infra_checks.enumerations import enumerations
from dev.infra_checks.finding import HOW_TO_GET_ONE, find
from dev.infra_checks.kusto import in_deployment, in_documents, parsed
from dev.infra_checks.linting import lint
from dev.infra_checks.problem import Problem
from dev.infra_checks.variants import VARIANTS, snapshot

INFRA, DOCUMENTS = Path("infra"), Path("docs")
STARTING_POINTS = ("dev", "prod", "azd")
"""The variants that lint evaluates; tests evaluate all of them."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.infra_checks", description="Judge the templates offline.")
    parser.add_argument("--checkov", type=Path, help="checkov's program; without it, it is left out")
    parser.add_argument("--compare", metavar="REVISION", help="show what would change in Azure since that revision")
    given = parser.parse_args()
    try:
        program = find(os.environ, Path.cwd())
        if program is None:
            wrong = parsed([*in_documents(DOCUMENTS)])
            print(*wrong, sep="\n", end="\n" * bool(wrong))
            print(f"templates: not checked, since no Bicep compiler was found. {HOW_TO_GET_ONE}")
            return 1 if wrong or given.compare or os.environ.get("CI") == "true" else 0
        with Compiler(program) as compiler:
            return compare(compiler, given.compare) if given.compare else judge(compiler, given.checkov)
    except (CompilerFailed, NoVerdict, FileNotFoundError) as error:
        print(f"templates: {error}", file=sys.stderr)
        return 1


def judge(compiler: Compiler, with_checkov: Path | None) -> int:
    """Lint, then evaluate, then checkov: each needs that the one before found nothing."""
    problems: list[Problem] = lint(compiler, INFRA)
    if not problems:
        made = {name: snapshot(compiler, INFRA, VARIANTS[name]) for name in STARTING_POINTS}
        files = {name: INFRA / VARIANTS[name].file for name in made}
        problems = [each for name, one in made.items() for each in enumerations(one, files[name])]
        problems += parsed([*in_documents(DOCUMENTS), *in_deployment(made["prod"], files["prod"])])
        if with_checkov and not problems:
            problems = checkov(with_checkov, made["prod"], ACCEPTED, files["prod"])
    for problem in problems:
        print(problem)
    found = f"{len(problems)} problems" if problems else "nothing found"
    print(f"templates: compiled, linted and evaluated by Bicep {compiler.version()}, {found}")
    return 1 if problems else 0


def compare(compiler: Compiler, revision: str) -> int:
    """Print differences of every variant that both sides know; never a failure, since people judge them."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", revision, "infra"], capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        for name, variant in VARIANTS.items():
            try:
                before = snapshot(compiler, Path(folder) / "infra", variant)
            except (CompilerFailed, FileNotFoundError) as error:
                print(f"{name}: was not possible before: {error}")
                before = {"predictedResources": [], "outputs": {}}
            found = list(differences(before, snapshot(compiler, INFRA, variant)))
            print(f"{name}: {len(found)} differences", *found, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
