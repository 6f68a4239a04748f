"""A vendor's description, read: which calls there are, what they may carry and what they may answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dev.described.schemas import translated

_METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`array` is how a list is written: "csv" or "multi", None for no list."""

    name: str
    place: str
    required: bool
    schema: Any
    array: str | None


@dataclass(frozen=True)
class Operation:
    """`bodies` maps a media type to the schema of the request, `answers` a status (also "4XX", "default") to media type
    and schema; a schema is None where the description has none. `shared` is what `$ref` may name.
    """

    method: str
    path: str
    pattern: re.Pattern[str]
    parameters: Sequence[Parameter]
    bodies: Mapping[str, Any]
    answers: Mapping[str, Mapping[str, Any]]
    shared: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    body_required: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def answer(self, status: int) -> Mapping[str, Any] | None:
        """Media types of the answer with that status; None where it is not described."""
        for name in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if name in self.answers:
                return self.answers[name]
        return None


class Description:
    """The operations of one or more files."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        # A fixed path goes before a template.
        self.operations = sorted(operations, key=lambda each: each.path.count("{"))

    def find(self, method: str, path: str) -> Operation | None:
        return next((each for each in self.operations if each.method == method and each.pattern.fullmatch(path)), None)


def load(files: Sequence[Path]) -> Description:
    """Where two files describe one operation, the first does."""
    found: dict[str, Operation] = {}
    for file in files:
        for operation in _operations(_content(file)):
            found.setdefault(operation.name, operation)
    return Description(list(found.values()))


def _content(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    return content


def _operations(content: Mapping[str, Any]) -> Iterator[Operation]:
    names = ("definitions", "components")
    shared = {name: _shared(content[name]) for name in names if name in content}
    base = content.get("basePath", "").rstrip("/")
    for path, item in content["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(content, method, base + path, item, shared)


def _shared(part: Any) -> Any:
    """Components hold maps of schemas, definitions are one."""
    if "schemas" in part and isinstance(part["schemas"], Mapping):
        return {"schemas": {name: translated(schema) for name, schema in part["schemas"].items()}}
    return {name: translated(schema) for name, schema in part.items()}


def _operation(
    content: Mapping[str, Any], method: str, path: str, item: Mapping[str, Any], shared: Mapping[str, Any]
) -> Operation:
    described = item[method]
    every = [_resolved(content, each) for each in (*item.get("parameters", ()), *described.get("parameters", ()))]
    body = next((each for each in every if each["in"] == "body"), None)
    if body is not None:
        medias = described.get("consumes") or content.get("consumes") or ["application/json"]
        bodies = {media: translated(body.get("schema")) for media in medias}
        required = bool(body.get("required"))
    else:
        given = _resolved(content, described.get("requestBody") or {})
        bodies = {media: translated(each.get("schema")) for media, each in given.get("content", {}).items()}
        required = bool(given.get("required"))
    return Operation(
        method=method.upper(),
        path=path,
        pattern=re.compile("".join(_pattern(part) for part in re.split(r"(\{[^}]+\})", path)) or "/"),
        parameters=[_parameter(each) for each in every if each["in"] in ("query", "header")],
        bodies=bodies,
        answers={str(status): _answer(content, described, each) for status, each in described["responses"].items()},
        shared=shared,
        body_required=required,
    )


def _pattern(part: str) -> str:
    return "[^/]+" if part.startswith("{") else re.escape(part)


def _resolved(content: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = content
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    resolved: Mapping[str, Any] = found
    return resolved


def _parameter(described: Mapping[str, Any]) -> Parameter:
    schema = described.get("schema") or {name: described[name] for name in _PARAMETER_RULES if name in described}
    is_array = schema.get("type") == "array"
    explode = described.get("explode", True) if "schema" in described else described.get("collectionFormat") == "multi"
    array = ("multi" if explode else "csv") if is_array else None
    return Parameter(described["name"], described["in"], bool(described.get("required")), translated(schema), array)


_PARAMETER_RULES = ("type", "items", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern")


def _answer(content: Mapping[str, Any], described: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    found = _resolved(content, response)
    if "schema" in found:
        medias = described.get("produces") or content.get("produces") or ["application/json"]
        return {media: translated(found["schema"]) for media in medias}
    return {media: translated(each.get("schema")) for media, each in found.get("content", {}).items()}
