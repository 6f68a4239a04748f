"""The compiler's own verdict: no diagnostic of any level, and every file as its formatter writes it."""

from __future__ import annotations

from pathlib import Path

from dev.infra_checks.compiler import Compiler
from dev.infra_checks.problem import Problem


def sources(folder: Path) -> list[Path]:
    """Every template and parameter file below a folder. Raises FileNotFoundError where either kind is missing."""
    found = [sorted(folder.rglob(pattern)) for pattern in ("*.bicep", "*.bicepparam")]
    if not all(found):
        raise FileNotFoundError(f"{folder} has no templates, or no parameter files")
    return [path for paths in found for path in paths]


def lint(compiler: Compiler, folder: Path) -> list[Problem]:
    """Misspelt properties, wrong types and unknown API versions are only warnings to it, so everything counts."""
    problems: set[Problem] = set()
    for path in (each.resolve() for each in sources(folder)):
        problems |= set(compiler.compile(path).diagnostics)
        written, wanted = path.read_text().splitlines(), compiler.formatted(path).splitlines()
        if written != wanted:
            pairs = enumerate(zip(written, wanted, strict=False), start=1)
            line = next(
                (number for number, (is_, should) in pairs if is_ != should), min(len(written), len(wanted)) + 1
            )
            problems.add(Problem(path, line, "not as `bicep format` writes it"))
    return sorted(problems)
