"""Everything that is checked by syntax tree alone."""

from __future__ import annotations

from pathlib import Path

from dev.infra_checks.names import names
from dev.infra_checks.parameter_files import parameter_file
from dev.infra_checks.parsing import parsing
from dev.infra_checks.problem import Problem
from dev.infra_checks.template import parse
from dev.infra_checks.wiring import wiring


def check(folder: Path) -> list[Problem]:
    """Every Bicep file and parameter file below `folder`, whose main file is main.bicep. Empty: nothing found."""
    templates = [parse(path) for path in sorted(folder.rglob("*.bicep"))]
    problems = [problem for template in templates for problem in parsing(template)]
    if problems:
        return sorted(problems)  # what follows needs sound trees
    problems += [problem for template in templates for problem in names(template)]
    problems += wiring(templates)
    main = next((template for template in templates if template.path == folder / "main.bicep"), None)
    if main is None:
        return [Problem(folder, 1, "there is no main.bicep")]
    environments = sorted((folder / "parameters").glob("*.json"))
    if not environments:
        problems.append(Problem(folder / "parameters", 1, "there is no parameter file"))
    for path in [folder / "main.parameters.json", *environments]:
        problems += parameter_file(path, main)
    return sorted(problems)
