"""What a Parquet file of a Delta table holds, under the names and types that the table's schema has. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.snapshots.heads import Head
from shared.snapshots.scanning import FILE_INDEX
from shared.snapshots.snapshot import DeltaField

_NAMELESS = ""
"""What a column is called that the schema does not have, and that hides a name of DuckDB's own."""
_UNREADABLE = "BLOB"
"""A type that no wanted column may have."""
_AS = {"timestamp": "TIMESTAMP WITH TIME ZONE", "binary": _UNREADABLE}
"""Type in the schema -> how the column is read, whatever a writer called it in the file."""
_SPELT_THE_SAME = ("string", "long", "integer", "short", "byte", "boolean", "date")
"""Types whose values are the same text in the log as in a Parquet file that is read."""


def by_schema(head: Head, fields: Sequence[DeltaField], values: Mapping[str, str | None]) -> Head:
    """The file's columns as the schema has them. One that the file does not have was added later, and is empty; one
    that the schema does not have is none. `values` are of the columns that the table is partitioned by: they stand in
    its log, whatever the file and its folder say."""
    given = head.known_as
    inside = [field for field in fields if field.name not in values]
    places = [(field, place) for field in inside if (place := _place(head, field.stored_as)) is not None]
    named = {field.name for field, _ in places}
    odd = [field.name for field in fields if field.name in values and not field.kind.startswith(_SPELT_THE_SAME)]
    used = {place for _, place in places}
    hiding = [name for place, name in enumerate(given) if place not in used and name.lower() == FILE_INDEX]
    return replace(
        head,
        columns=(*(field.name for field, _ in places), *odd, *(_NAMELESS for _ in hiding)),
        types=(
            *(_AS.get(field.kind, head.types[place]) for field, place in places),
            *(_UNREADABLE for _ in (*odd, *hiding)),
        ),
        known_as=(*(given[place] for _, place in places), *odd, *hiding),
        constants=(
            *((field.name, None) for field in inside if field.name not in named),
            *((name, value) for name, value in values.items() if name not in odd),
        ),
    )


def _place(head: Head, name: str) -> int | None:
    """Where a column is in a file; capitals count only where they tell two columns apart."""
    if name in head.columns:
        return head.columns.index(name)
    alike = [place for place, column in enumerate(head.columns) if column.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None
