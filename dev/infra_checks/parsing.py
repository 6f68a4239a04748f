"""Both parsers must accept every file: each of them passes mistakes that the other one sees."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pycep
from lark.exceptions import LarkError
from tree_sitter import Node

from dev.infra_checks.problem import Problem
from dev.infra_checks.template import Template, text, walk


def parsing(template: Template) -> Iterator[Problem]:
    """What either parser cannot read."""
    for node in walk(template.root):
        if node.type == "ERROR" or node.is_missing:
            yield Problem(template.path, node.start_point.row + 1, f"tree-sitter cannot read {_short(node)!r}")
    try:
        _pycep().parse(text=text(template.root))
    except (LarkError, ValueError, KeyError, TypeError) as error:
        line = getattr(error, "line", None)
        yield Problem(template.path, line if isinstance(line, int) else 1, f"pycep: {str(error).splitlines()[0]}")


@cache
def _pycep() -> pycep.BicepParser:
    return pycep.BicepParser()


def _short(node: Node) -> str:
    return text(node)[:40] or node.type
