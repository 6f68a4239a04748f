"""A slice's own folder and its DuckDB, both bounded whatever the segment's size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 100000)"


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="export-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def database(settings: Settings, where: Path) -> Iterator[DuckDBPyConnection]:
    """An in-memory database that spills into `where`; it loads no extension from anywhere."""
    import duckdb

    connection = duckdb.connect(config=configuration(settings, where))
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def configuration(settings: Settings, where: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": f"{settings.memory_mb}MB",
        "temp_directory": str(where),
        "max_temp_directory_size": f"{settings.temporary_mb}MB",
        "threads": "2",
        "preserve_insertion_order": "true",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
