"""Signs that files hold what changed, and not everyone: as a snapshot they would take off all others. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shared.wording import Message, say

_SIGNS = frozenset(
    {
        *("isdeleted", "isdelete", "__deleted", "__op", "_change_type", "dml_action"),
        *("sinkmodifiedon", "_fivetran_deleted", "_ab_cdc_deleted_at"),
    }
)
"""Columns, in small letters, that Synapse Link, Debezium, Delta's change feed, Oracle, Fivetran and Airbyte add to rows
that they append, deleted ones too."""
_FOLDERS = frozenset({"upserts", "deletes", "incremental", "changefeed"})


def increment(path: str, columns: Iterable[str]) -> Message | None:
    """Why these files are no snapshot, in words that follow the segment's folder; None where nothing speaks for it."""
    if folder := next((part for part in path.split("/") if part.lower() in _FOLDERS), None):
        return say(
            "lies in a folder %(folder)s, so it holds changes and not everyone; land everyone into dated folders",
            folder=folder,
        )
    if column := next((name for name in columns if name.lower() in _SIGNS), None):
        return say(
            "has a column '%(column)s', as files of changes have, deleted people among them; land everyone, and if "
            "these are everyone, leave that column out",
            column=column,
        )
    return None
