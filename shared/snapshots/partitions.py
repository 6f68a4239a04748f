"""Columns whose values stand in the names of folders, as Hive and Spark lay them out: `country=SE/part-0.csv`. Pure."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def columns_of(folder: str) -> tuple[str, ...] | None:
    """Names of the columns in a path of folders; None where one of them is no `name=value`."""
    parts = folder.split("/") if folder else []
    names = tuple(unquote(part.partition("=")[0]) for part in parts)
    return names if all("=" in part for part in parts) and all(names) else None


def values_of(path: str, columns: Collection[str]) -> tuple[tuple[str, str | None], ...]:
    """What the folders of a file say of these columns; the innermost one counts."""
    pairs = (part.partition("=") for part in path.split("/")[:-1] if "=" in part)
    said = {unquote(name): unquote(value) for name, _, value in pairs}
    return tuple((name, None if said[name] == _NO_VALUE else said[name]) for name in columns)
