"""The file of connections and exports, in YAML (of which JSON is a part)."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cli.failures import Failure, usage
from cli.naming import NAME, RULE

_PARTS = ("segments", "connections", "exports")
_BY_ID = "segments"
"""The part whose names are ids with slashes, which are not made by people."""


@dataclass(frozen=True)
class Document:
    """Name -> definition, as a person wrote it."""

    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)
    segments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Id -> what people say of it."""

    def as_json(self) -> dict[str, Any]:
        return {part: getattr(self, part) for part in _PARTS if getattr(self, part)}

    def __str__(self) -> str:
        return yaml.safe_dump(self.as_json(), sort_keys=False, allow_unicode=True, width=100)


class _Loader(yaml.SafeLoader):
    """Knows no dates, as JSON does not, and refuses a name that is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} is there twice", node.start_mark)
        return super().construct_mapping(node, deep=True)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in each if tag != "tag:yaml.org,2002:timestamp"]
    for first, each in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(file: str) -> Document:
    """The document in a file; `-` is standard input. Raises Failure."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(f"{file} cannot be read ({type(error).__name__}).") from None
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise _bad(f"{file} is not YAML: {_where(error)}") from None
    return _document(found or {})


def _where(error: yaml.YAMLError) -> str:
    """Its own words quote the text."""
    mark = getattr(error, "problem_mark", None)
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or 'it cannot be read'}{place}."


def _document(found: Any) -> Document:
    if not isinstance(found, dict) or set(found) - set(_PARTS):
        raise _bad("The file must hold `connections:`, `exports:` and `segments:`, and nothing else.")
    parts = {part: found.get(part) or {} for part in _PARTS}
    for part, definitions in parts.items():
        _check(part, definitions)
    return Document(**parts)


def _check(part: str, definitions: Any) -> None:
    if not isinstance(definitions, dict):
        raise _bad(f"`{part}` must have names, each with its definition.")
    for name, definition in definitions.items():
        if not isinstance(name, str) or not (part == _BY_ID or NAME.fullmatch(name)):
            raise _bad(f"A name in `{part}` cannot be used. {RULE} Put it in quotes if it looks like a number.")
        if not isinstance(definition, dict):
            raise _bad(f"`{part}.{name}` must be a definition: lines of `property: value`.")


def _bad(message: str) -> Failure:
    return usage("bad_file", message)
