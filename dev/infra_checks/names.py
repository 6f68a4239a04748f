"""Within one file: every name is declared once, resolves, and is used; functions are Bicep's; roles are known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tree_sitter import Node

from dev.infra_checks.known import FUNCTIONS, ROLES, SECRET_FUNCTIONS
from dev.infra_checks.problem import Problem
from dev.infra_checks.template import Template, literal, properties, text, walk

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_LOCAL = {"for_statement", "lambda_expression"}


def names(template: Template) -> Iterator[Problem]:
    """Names and roles of one file."""
    yield from _twice(template)
    yield from _unresolved(template)
    yield from _unused(template)
    yield from _functions(template)
    yield from _roles(template)


def _twice(template: Template) -> Iterator[Problem]:
    counts = Counter(each.name for each in template.declared if each.kind != "output")
    for each in template.declared:
        if each.kind != "output" and counts[each.name] > 1:
            yield Problem(template.path, each.line, f"{each.name} is declared {counts[each.name]} times")


def uses(root: Node) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every name that is used as a value, with the names of loops and lambdas around it."""
    yield from _uses(root, frozenset())


def _uses(node: Node, local: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    if node.type in _LOCAL:
        local |= _introduced(node)
    for child in node.children:
        if child.type == "identifier":
            if not _is_declaration(child, node):
                yield child, local
        else:
            yield from _uses(child, local)


def _introduced(node: Node) -> frozenset[str]:
    """Loop variables; the lambda's parameter, which is its first identifier."""
    found = [text(each) for each in node.named_children[:1] if each.type == "identifier"]
    for child in node.named_children:
        if child.type in ("for_loop_parameters", "lambda_parameters"):
            found += [text(each) for each in child.named_children]
    return frozenset(found)


def _is_declaration(node: Node, parent: Node) -> bool:
    """Whether an identifier names something rather than uses it."""
    if parent.type.endswith("_declaration"):
        first = parent.named_children[0]
        return bool(first == node)
    if parent.type == "object_property":
        return bool(parent.named_children[0] == node)
    if parent.type == "call_expression":
        return bool(parent.child_by_field_name("function") == node)
    if parent.type in _LOCAL:
        return bool(parent.named_children[0] == node)
    # acc::blob — the second name is the nested resource's own.
    return parent.type == "resource_expression" and bool(parent.child_by_field_name("resource") == node)


def _unresolved(template: Template) -> Iterator[Problem]:
    declared = {each.name for each in template.declared if each.kind != "output"}
    for node, local in uses(template.root):
        if text(node) not in declared | local:
            yield Problem(template.path, node.start_point.row + 1, f"{text(node)} is not declared")


def _unused(template: Template) -> Iterator[Problem]:
    used = {text(node) for node, local in uses(template.root) if text(node) not in local}
    for each in template.declared:
        if each.kind in ("parameter", "variable") and each.name not in used:
            yield Problem(template.path, each.line, f"{each.kind} {each.name} is never used")


def _functions(template: Template) -> Iterator[Problem]:
    for node in walk(template.root):
        if node.type != "call_expression" or (node.parent and node.parent.type == "decorator"):
            continue
        function = node.child_by_field_name("function")
        called = text(function).rpartition(".")[2] if function else ""
        if called.startswith(SECRET_FUNCTIONS):
            yield Problem(template.path, node.start_point.row + 1, f"{called} reads a secret; identities need none")
        elif called not in FUNCTIONS:
            yield Problem(template.path, node.start_point.row + 1, f"{called} is not a function of Bicep's")


def _roles(template: Template) -> Iterator[Problem]:
    """Ids of roles are written once per file, under the role's name."""
    named: set[int] = set()
    for node in walk(template.root):
        for name, value in properties(node).items():
            if (written := literal(value)) and _GUID.fullmatch(written):
                named.add(value.id)
                if ROLES.get(written.lower()) != name:
                    known = ROLES.get(written.lower(), "not a known role")
                    yield Problem(template.path, value.start_point.row + 1, f"{name}: {written} is {known}")
    for node in walk(template.root):
        if node.type == "string" and node.id not in named and _GUID.search(text(node)):
            yield Problem(template.path, node.start_point.row + 1, "an id without a name; put it into roleIds")
