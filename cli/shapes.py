"""What connections and exports may hold, as the app itself describes it: its OpenAPI document. Pure.

So the command line needs no release of its own when a definition gets a property.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_Object = dict[str, Any]
_Treat = Callable[[_Object, _Object], _Object]

KINDS = {"connection": "ConnectionInput", "export": "ExportInput", "segment": "SegmentInput"}
"""Kind of definition -> its schema."""
_KEPT_BY_SERVICE = {"Consent": ("agreed_by", "agreed_at"), "SettingDecision": ("decided_by", "decided_at")}


class Shapes:
    """The schemas of definitions, from the app's description of itself."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: dict[str, _Object] = dict(document["components"]["schemas"])
        for name in _KEPT_BY_SERVICE.keys() & self._schemas.keys():  # an older app may lack some
            schema, kept = self._schemas[name], _KEPT_BY_SERVICE[name]
            properties = {key: each for key, each in schema["properties"].items() if key not in kept}
            self._schemas[name] = {**schema, "properties": properties}

    def complete(self, kind: str, value: _Object) -> _Object:
        """The definition with its defaults, and without what only the service writes."""
        return dict(self._mapped(value, self._schemas[KINDS[kind]], self._with_defaults))

    def shorten(self, kind: str, value: _Object) -> _Object:
        """The complete definition without what equals a default."""
        return dict(self._mapped(value, self._schemas[KINDS[kind]], self._without_defaults))

    def unknown(self, kind: str, value: _Object) -> Iterator[str]:
        """JSON pointers of properties that there are not."""
        yield from self._unknown(value, self._schemas[KINDS[kind]], "")

    def _mapped(self, value: Any, schema: _Object, treat: _Treat) -> Any:
        schema = self._of(value, schema)
        if isinstance(value, list) and "items" in schema:
            return [self._mapped(each, schema["items"], treat) for each in value]
        if isinstance(value, dict) and "properties" in schema:
            known = schema["properties"]
            inner = {name: self._mapped(value[name], known[name], treat) for name in known if name in value}
            return treat(inner, schema)
        return value

    def _with_defaults(self, value: _Object, schema: _Object) -> _Object:
        return {
            name: value[name] if name in value else found[0]
            for name, each in schema["properties"].items()
            if name in value or (found := self._default(name, each, schema))
        }

    def _without_defaults(self, value: _Object, schema: _Object) -> _Object:
        return {name: each for name, each in value.items() if not self._is_default(name, each, schema)}

    def _is_default(self, name: str, value: Any, schema: _Object) -> bool:
        each = schema["properties"][name]
        found = self._default(name, each, schema)
        return bool(found) and value in (found[0], self._mapped(found[0], each, self._without_defaults))

    def _default(self, name: str, each: _Object, schema: _Object) -> tuple[Any, ...]:
        """The default as a tuple of one; empty where a property is required. Descriptions leave out those that are
        null, and those that are made anew each time."""
        if "default" in each:
            return (self._mapped(each["default"], each, self._with_defaults),)
        if name in schema.get("required", ()):
            return ()
        return (None,) if {"type": "null"} in each.get("anyOf", ()) else ({},)

    def _unknown(self, value: Any, schema: _Object, at: str) -> Iterator[str]:
        schema = self._of(value, schema)
        if isinstance(value, list) and "items" in schema:
            for index, each in enumerate(value):
                yield from self._unknown(each, schema["items"], f"{at}/{index}")
        if isinstance(value, dict) and "properties" in schema:
            for name, each in value.items():
                if name in schema["properties"]:
                    yield from self._unknown(each, schema["properties"][name], f"{at}/{name}")
                else:
                    yield f"{at}/{name}"

    def _of(self, value: Any, schema: _Object) -> _Object:
        """The schema for this value: of objects of several kinds, the one of the kind that it names."""
        schema = self._resolved(schema)
        kinds = schema.get("discriminator", {})
        named = value.get(kinds["propertyName"]) if kinds and isinstance(value, dict) else None
        return self._resolved({"$ref": kinds["mapping"][named]}) if named in kinds.get("mapping", {}) else schema

    def _resolved(self, schema: _Object) -> _Object:
        """Without references, and of `this or null` this."""
        if "$ref" in schema:
            return self._resolved(self._schemas[schema["$ref"].rpartition("/")[2]])
        some = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
        return self._resolved(some[0]) if len(some) == 1 else schema
