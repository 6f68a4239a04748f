"""All the ways in which a module can be broken in one place: conditions, numbers, texts, SQL, statements."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ORDER: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
SQL = re.compile(r"\b(SELECT|WHERE|CASE|JOIN|COALESCE|coalesce)\b")
TOKENS = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"\bAND\b", "OR"),
        (r"\bOR\b", "AND"),
        (r"\bIS NOT\b", "IS"),
        (r"\bIS (?!NOT\b|DISTINCT)", "IS NOT "),
        (r"\bELSE [\w.]+", "ELSE NULL"),
        (r"(?<= )= ", "<> "),
        (r"(?<= )<> ", "= "),
        (r"(?<= )<(?= )", "<="),
        (r"(?<= )>(?= )", ">="),
    )
)
WORDS = frozenset({"say", "say_many", "_", "N_", "TypeVar"})
"""Calls whose texts are for people, or for the type checker; `log.…` is left out too."""


Path = tuple[tuple[str, int | None], ...]
"""The way from a tree to one of its nodes: fields, and places where a field is a list."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module broken in one place. `name` tells it from the others whatever lines stand before it."""

    line: int
    scope: str
    before: str
    after: str
    whole: ast.Module
    path: Path
    new: ast.AST
    """What takes the place at the end of the path in the whole module."""

    @property
    def tree(self) -> ast.Module:
        """The broken module."""
        broken = copy.deepcopy(self.whole)
        _put(broken, self.path, self.new)
        return ast.fix_missing_locations(broken)

    @property
    def name(self) -> str:
        return f"{self.scope}: {self.before} -> {self.after}"


Broken = tuple[ast.AST, str]
"""What takes a node's place, and how it is told where its text does not tell it."""


def mutants(source: str, lines: frozenset[int] | None = None) -> Iterator[Mutant]:
    """All of them, or those in these lines."""
    tree = ast.parse(source)
    for path, node, scope in _nodes(tree):
        at = getattr(node, "lineno", 0)
        if lines is not None and at not in lines:
            continue
        for new, told in BREAKERS.get(type(node), _not_at_all)(node):
            yield Mutant(at, scope, _text(node), told or _text(new), tree, path, new)


def _nodes(node: ast.AST, path: Path = (), scope: str = "") -> Iterator[tuple[Path, ast.AST, str]]:
    """All nodes that mean something when the code runs, with the way there: no annotations, docstrings, texts."""
    if path:
        yield path, node, scope
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}".lstrip(".")
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "keywords" if _is_words(node) else ""):
            continue
        each = value if isinstance(value, list) else [value]
        for number, child in enumerate(each):
            if isinstance(child, ast.AST) and not _is_text(node, child):
                yield from _nodes(child, (*path, (name, number if isinstance(value, list) else None)), scope)


def _is_text(parent: ast.AST, child: ast.AST) -> bool:
    docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
    return docstring or (_is_words(parent) and isinstance(child, ast.Constant))


def _is_words(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        called = node.func
        name = called.id if isinstance(called, ast.Name) else ""
        owner = called.value.id if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) else ""
        return name in WORDS or name.endswith("Error") or owner in ("log", "_log", "logging", "telemetry")
    return False


def _with(node: ast.AST, **changes: object) -> ast.AST:
    """A copy of the node with other parts."""
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _compare(node: Any) -> Iterator[Broken]:
    for put in ORDER[type(node.ops[0])]:
        yield _with(node, ops=[put(), *node.ops[1:]]), ""


def _and_or(node: Any) -> Iterator[Broken]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()), ""


def _not(node: Any) -> Iterator[Broken]:
    if isinstance(node.op, ast.Not):
        yield node.operand, ""


def _arithmetic(node: Any) -> Iterator[Broken]:
    if put := ARITHMETIC.get(type(node.op)):
        yield _with(node, op=put()), ""


def _condition(node: Any) -> Iterator[Broken]:
    """A condition of one part; others are broken in their parts."""
    if _text(node) == "TYPE_CHECKING":  # what stands below it is for the type checker
        return
    if isinstance(node.test, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr | ast.Subscript):
        told = f"not {_text(node.test)}"
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test)), told


def _constant(node: Any) -> Iterator[Broken]:
    match node.value:
        case bool(value):
            yield ast.Constant(not value), ""
        case int(value) | float(value):
            yield ast.Constant(value * 10 + 1), ""
        case str(value) if SQL.search(value):
            yield from _sql(value)
        case str(value) if value.strip():
            yield ast.Constant(f"{value}~"), ""


def _sql(text: str) -> Iterator[Broken]:
    for pattern, put in TOKENS:
        for found in pattern.finditer(text):
            around = " ".join(text[max(0, found.start() - 40) : found.end() + 40].split())
            broken = text[: found.start()] + put + text[found.end() :]
            yield ast.Constant(broken), f"{put.strip()} for {found[0].strip()} in … {around} …"


def _call(node: Any) -> Iterator[Broken]:
    if isinstance(node.value, ast.Call) and not _is_words(node.value):
        yield ast.Pass(), ""


def _statement(node: Any) -> Iterator[Broken]:
    yield ast.Pass(), ""


def _assignment(node: Any) -> Iterator[Broken]:
    if isinstance(node.targets[0], ast.Attribute | ast.Subscript):
        yield ast.Pass(), ""


def _not_at_all(node: Any) -> Iterator[Broken]:
    yield from ()


BREAKERS: Mapping[type[ast.AST], Callable[[Any], Iterator[Broken]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _and_or,
    ast.UnaryOp: _not,
    ast.BinOp: _arithmetic,
    ast.If: _condition,
    ast.IfExp: _condition,
    ast.While: _condition,
    ast.Constant: _constant,
    ast.Expr: _call,
    ast.Raise: _statement,
    ast.AugAssign: _statement,
    ast.Continue: _statement,
    ast.Break: _statement,
    ast.Assign: _assignment,
}


def _put(tree: ast.AST, path: Path, new: ast.AST) -> None:
    """Put a node at the end of the path."""
    node: Any = tree
    for name, number in path[:-1]:
        value = getattr(node, name)
        node = value if number is None else value[number]
    name, number = path[-1]
    if number is None:
        setattr(node, name, copy.deepcopy(new))
    else:
        getattr(node, name)[number] = copy.deepcopy(new)


def _text(node: ast.AST) -> str:
    shown = node.test if isinstance(node, ast.If | ast.While) else node
    return " ".join(ast.unparse(shown).split())[:100].replace("`", "'")
