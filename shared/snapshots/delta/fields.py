"""The columns of a Delta table, by the schema in its log. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.snapshots.delta.errors import BadTable, broken, unknown
from shared.snapshots.snapshot import DeltaField
from shared.wording import say

_MODE = "delta.columnMapping.mode"
_PHYSICAL = "delta.columnMapping.physicalName"
_WIDENED = "delta.typeChanges"
_PLAIN = re.compile(
    r"string|long|integer|short|byte|float|double|boolean|binary|date|timestamp|void|decimal\(\d+, ?\d+\)"
)
NESTED = "nested"


def fields_of(metadata: Mapping[str, Any], reader_version: int) -> tuple[DeltaField, ...]:
    """The columns in their order. Raises BadTable."""
    mapped = _is_mapped(metadata, reader_version)
    found = tuple(_field(each, mapped=mapped) for each in _listed(metadata))
    for names in ([each.name for each in found], [each.stored_as for each in found]):
        if twice := next((name for name, count in Counter(map(str.lower, names)).items() if count > 1), None):
            raise broken(say("its schema has the column '%(name)s' twice", name=twice))
    return found


def _is_mapped(metadata: Mapping[str, Any], reader_version: int) -> bool:
    """Whether columns have other names in the files."""
    mode = (metadata.get("configuration") or {}).get(_MODE) or "none"
    if mode == "none":
        return False
    if mode != "name" or reader_version < 2:
        raise unknown(f"columnMapping ({mode})")
    return True


def _listed(metadata: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    try:
        listed = json.loads(metadata["schemaString"])["fields"]
    except (KeyError, TypeError, ValueError):
        raise _no_schema() from None
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise _no_schema()
    return listed


def _field(said: Mapping[str, Any], *, mapped: bool) -> DeltaField:
    name, kind, details = said.get("name"), said.get("type"), said.get("metadata") or {}
    if not isinstance(name, str) or not name or not isinstance(details, dict):
        raise _no_schema()
    if _WIDENED in details:
        raise unknown("typeWidening")
    if isinstance(kind, str) and not _PLAIN.fullmatch(kind):
        raise unknown(say("the type %(kind)s of a column", kind=kind))
    stored_as = details.get(_PHYSICAL) if mapped else name
    if not isinstance(stored_as, str) or not stored_as:
        raise _no_schema()
    return DeltaField(name, stored_as, kind if isinstance(kind, str) else NESTED)


def _no_schema() -> BadTable:
    return broken(say("its log has no readable schema"))
