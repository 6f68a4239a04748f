"""Questions to a person: asked on standard error, so that standard output holds results and nothing else."""

from __future__ import annotations

import sys

from cli.failures import usage

_YES = frozenset({"y", "yes"})


def ask(question: str, instead: str) -> str:
    """A line of standard input. Raises Failure where there is none; `instead` says how to do without."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        raise usage("nobody_answered", f"Nobody answered: {instead}.")
    return line.strip()


def confirmed(question: str) -> bool:
    """Whether a person says yes; anything else is a no. Raises Failure where nobody can be asked."""
    return ask(f"{question} [y/N]", "add --yes").lower() in _YES
