"""A Bicep file as its syntax tree tells it: what it declares, and where each name is used.

The tree is tree-sitter's, in which names and texts are different nodes (pycep's tree has plain strings for both).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter, variable, resource, module or output. `value` is its default, its expression or its body."""

    kind: str
    name: str
    line: int
    value: Node | None
    type: str = ""
    decorators: frozenset[str] = frozenset()
    target: str = ""
    """Resource: `type@version`; module: its path."""
    existing: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """One file."""

    path: Path
    root: Node
    declared: tuple[Declared, ...] = field(default=())

    def of(self, kind: str) -> dict[str, Declared]:
        return {each.name: each for each in self.declared if each.kind == kind}


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bicep.language()))


def parse(path: Path, source: str | None = None) -> Template:
    """Read a file, or `source` in its place. Trees with errors are read too; `parsing.py` reports those."""
    root = _parser().parse((path.read_text() if source is None else source).encode()).root_node
    return Template(path, root, tuple(_declarations(root)))


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    return (node.text or b"").decode()


def literal(node: Node | None) -> str | None:
    """The value of a text without interpolation; None for anything else."""
    if node is None or node.type != "string":
        return None
    if any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(text(child) for child in node.named_children if child.type in ("string_content", "escape_sequence"))


def body(node: Node | None) -> Node | None:
    """The object behind a declaration's `if` and `for`."""
    while node is not None and node.type in ("if_statement", "for_statement"):
        node = next((child for child in reversed(node.named_children) if child.type != "comment"), None)
    return node if node is not None and node.type == "object" else None


def properties(node: Node | None) -> dict[str, Node]:
    """Of an object: property -> its value. Nested resource declarations are left out."""
    found: dict[str, Node] = {}
    for entry in node.named_children if node is not None and node.type == "object" else ():
        parts = [child for child in entry.named_children if child.type != "comment"]
        if entry.type == "object_property" and len(parts) == 2:
            found[literal(parts[0]) or text(parts[0])] = parts[1]
    return found


def _declarations(root: Node) -> Iterator[Declared]:
    """At the top, and resources declared within resources."""
    decorators: frozenset[str] = frozenset()
    for node in root.named_children:
        if node.type == "decorators":
            decorators = frozenset(text(each).partition("(")[0].strip("@ ") for each in node.named_children)
            continue
        for each in walk(node):
            if each.type.endswith("_declaration"):
                yield _declared(each, decorators)
        if node.type != "comment":
            decorators = frozenset()


def _declared(node: Node, decorators: frozenset[str]) -> Declared:
    parts = [child for child in node.named_children if child.type != "comment"]
    kind = node.type.removesuffix("_declaration")
    values = [child for child in parts[1:] if child.type != "type"]
    target = ""
    if kind in ("resource", "module"):
        target = literal(values.pop(0)) or ""
    return Declared(
        kind,
        text(parts[0]),
        node.start_point.row + 1,
        values[0] if values else None,
        type=next((text(child) for child in parts if child.type == "type"), ""),
        decorators=decorators,
        target=target,
        existing=any(child.type == "existing" for child in node.children),
    )
