"""The SQL that selects the actions of a checkpoint as they stand in a commit: one JSON text for each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.snapshots.delta.errors import broken
from shared.snapshots.delta.state import ADD, METADATA, MOST_KNOWN, OF_NO_MEANING, PROTOCOL, REMOVE
from shared.wording import say

_WHOLE = (METADATA, PROTOCOL)
_OF_A_FILE = ("path", "size", "partitionValues", "deletionVector")
"""What matters of a file. Statistics, most of a checkpoint, are not fetched as long as each of these is asked for
by itself, and never the whole action."""


def sql(source: str, tree: Mapping[str, Sequence[str]]) -> str:
    """`source` is a table function that reads it, and `tree` its columns, each with those in it. A kind of action that
    is not known is selected too, so that it is refused."""
    if ADD not in tree or not {"path", "size", "partitionValues"} <= set(tree[ADD]):
        raise broken(say("a checkpoint in its log does not say which files there are"))
    kinds = [kind for kind in tree if kind not in (REMOVE, *OF_NO_MEANING)]
    there = {kind: _is_there(kind, tree) for kind in kinds}
    actions = ", ".join(f"{_name(kind)}: CASE WHEN {there[kind]} THEN {_said(kind, tree)} END" for kind in kinds)
    return (
        f"SELECT to_json({{{actions}}}) FROM {source} WHERE {' OR '.join(there.values())} "
        f"LIMIT {MOST_KNOWN + len(_WHOLE) + 1}"
    )


def _is_there(kind: str, tree: Mapping[str, Sequence[str]]) -> str:
    if kind != ADD:
        return f"{_name(kind)} IS NOT NULL"
    return f"({' OR '.join(f'{field} IS NOT NULL' for field in _fields(tree).values())})"


def _said(kind: str, tree: Mapping[str, Sequence[str]]) -> str:
    if kind in _WHOLE:
        return _name(kind)
    if kind != ADD:
        return "true"
    return "{" + ", ".join(f"{name}: {field}" for name, field in _fields(tree).items()) + "}"


def _fields(tree: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {_name(name): f"{ADD}.{_name(name)}" for name in _OF_A_FILE if name in tree[ADD]}


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
