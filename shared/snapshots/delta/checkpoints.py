"""The SQL that selects the actions of a checkpoint as they stand in a commit: one JSON text for each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.snapshots.delta.errors import broken
from shared.snapshots.delta.state import ADD, METADATA, MOST_KNOWN, OF_NO_MEANING, PROTOCOL, REMOVE
from shared.wording import say

_WHOLE = (METADATA, PROTOCOL)
_OF_A_FILE = ("path", "size", "partitionValues", "deletionVector")
"""What matters of a file; statistics, which are most of a checkpoint, are not fetched."""


def sql(source: str, tree: Mapping[str, Sequence[str]]) -> str:
    """`source` is a table function that reads it, and `tree` its columns, each with those in it. A kind of action that
    is not known is selected too, so that it is refused."""
    if ADD not in tree or not {"path", "size", "partitionValues"} <= set(tree[ADD]):
        raise broken(say("a checkpoint in its log does not say which files there are"))
    kinds = [kind for kind in tree if kind not in (REMOVE, *OF_NO_MEANING)]
    actions = ", ".join(f"{_name(kind)}: {_action(kind, tree)}" for kind in kinds)
    some = " OR ".join(f"{_name(kind)} IS NOT NULL" for kind in kinds)
    return f"SELECT to_json({{{actions}}}) FROM {source} WHERE {some} LIMIT {MOST_KNOWN + len(_WHOLE) + 1}"


def _action(kind: str, tree: Mapping[str, Sequence[str]]) -> str:
    if kind in _WHOLE:
        return _name(kind)
    held = "true" if kind != ADD else _struct(tree[ADD])
    return f"CASE WHEN {_name(kind)} IS NOT NULL THEN {held} END"


def _struct(inside: Sequence[str]) -> str:
    return "{" + ", ".join(f"{_name(each)}: {ADD}.{_name(each)}" for each in _OF_A_FILE if each in inside) + "}"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
