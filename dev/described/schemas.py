"""The schemas of an OpenAPI or Swagger description as JSON Schema, in which they can be carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

Schema = dict[str, Any]

_NOT_FOR_CHECKING = ("example", "examples", "xml", "externalDocs", "discriminator", "readOnly", "deprecated", "title")
_NULL = {"type": "null"}
_MAPS = ("properties", "patternProperties", "definitions", "$defs")


def translated(schema: Any) -> Any:
    """`nullable` becomes a type, and what is only said to readers is left out."""
    if isinstance(schema, list):
        return [translated(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("required") == ["RAW_BODY"]:  # how one publisher of descriptions writes a body that is no object
        return translated(schema["properties"]["RAW_BODY"])
    found = {name: _member(name, value) for name, value in schema.items() if name not in _NOT_FOR_CHECKING}
    found.pop("nullable", None)
    return {"anyOf": [found, _NULL]} if schema.get("nullable") is True else found


def _member(name: str, value: Any) -> Any:
    if name in _MAPS and isinstance(value, Mapping):
        return {each: translated(inner) for each, inner in value.items()}
    return value if name in ("enum", "required", "default", "const") else translated(value)


_PARTS = ("allOf", "oneOf", "anyOf", "not")  # what stands here may have only a part of the members


def closed(schema: Any) -> Any:
    """The same, where an object that names its members takes no others."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("anyOf", ())[1:] == [_NULL]:
        return {**schema, "anyOf": [closed(schema["anyOf"][0]), _NULL]}
    found = {
        name: value
        if name in _PARTS
        else {each: closed(inner) for each, inner in value.items()}
        if name in _MAPS and isinstance(value, Mapping)
        else closed(value)
        for name, value in schema.items()
    }
    if "properties" in found and "additionalProperties" not in found and not found.keys() & set(_PARTS):
        found["additionalProperties"] = False
    return found


def is_pieced_together(schema: Any, shared: Any, seen: frozenset[str] = frozenset()) -> bool:
    """Whether shared schemas are only parts of it, so that they cannot be closed one by one."""
    if isinstance(schema, list):
        return any(is_pieced_together(each, shared, seen) for each in schema)
    if not isinstance(schema, Mapping):
        return False
    if any("$ref" in part for name in ("allOf", "oneOf") for part in schema.get(name, ()) if isinstance(part, Mapping)):
        return True
    target = schema.get("$ref")
    if isinstance(target, str) and target not in seen:
        return is_pieced_together(referred(target, shared), shared, seen | {target})
    return any(is_pieced_together(each, shared, seen) for each in schema.values())


def referred(target: str, shared: Any) -> Any:
    """What a `$ref` within the description names."""
    found = shared
    for name in target.removeprefix("#/").split("/"):
        found = found[name]
    return found


def without_required(schema: Any) -> Any:
    """The same, where nothing has to be there: for answers that a call asked to be cut down."""
    if isinstance(schema, list):
        return [without_required(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: {each: without_required(inner) for each, inner in value.items()}
        if name in _MAPS and isinstance(value, Mapping)
        else without_required(value)
        for name, value in schema.items()
        if name != "required" or not isinstance(value, list)
    }


def as_it_is(schema: Any) -> Any:
    return schema


def checker(schema: Any, shared: Mapping[str, Any]) -> jsonschema_rs.Draft4Validator:
    """`shared` are the schemas that `$ref` may name, under the keys where the description has them."""
    return jsonschema_rs.Draft4Validator({"allOf": [schema], **shared})


def wrongs(checked: jsonschema_rs.Draft4Validator, value: Any) -> list[str]:
    """What is wrong and where, without the value: it may hold addresses."""
    return [_told(error) for error in checked.iter_errors(value)]


def _told(error: jsonschema_rs.ValidationError) -> str:
    at = "/".join("*" if isinstance(each, int) else str(each) for each in error.instance_path) or "(whole)"
    rule = next((str(each) for each in reversed(error.schema_path) if not isinstance(each, int)), "schema")
    names = getattr(error.kind, "unexpected", None) or getattr(error.kind, "property", None)
    return f"{at}: {rule}" + (f" {names}" if names and "@" not in str(names) else "")
