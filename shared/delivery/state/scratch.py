"""Folders and DuckDBs for what is worked on, both bounded whatever the segment's size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FEW_VALUES = 5_000
"""Of a column with more different values in a row group no dictionary is made: to give one up later takes up to a fifth
of the time of writing a file."""
PARQUET = (
    "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 100000, "
    f"DICTIONARY_SIZE_LIMIT {FEW_VALUES})"
)
PARQUET_IF_ANY = PARQUET.replace(")", ", WRITE_EMPTY_FILE false)")
"""Without a row there is no file: to make an empty one takes as long as its query."""


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
        connection.execute("SET GLOBAL TimeZone = 'UTC'")  # for its cursors too
        yield connection
    finally:
        connection.close()


class Scratch:
    """A slice's folder and its DuckDB, which the slice's steps share: starting one costs more than a small delivery."""

    def __init__(self, settings: Settings, where: Path, started: ExitStack) -> None:
        self.where = where
        self._settings = settings
        self._started = started

    @contextmanager
    def database(self) -> Iterator[DuckDBPyConnection]:
        """A connection of its own, which ends with its tables and views; all of it has to be temporary."""
        with self._instance.cursor() as connection:
            yield connection
        self.give_back()

    def give_back(self) -> None:
        """Return to the system the memory that DuckDB has freed: it keeps what it once had, until its limit is set."""
        with self._instance.cursor() as connection:
            connection.execute(f"SET memory_limit = '{_limit(self._settings)}'")

    @cached_property
    def _instance(self) -> DuckDBPyConnection:
        return self._started.enter_context(database(self._settings, self.where))


@contextmanager
def scratch(settings: Settings) -> Iterator[Scratch]:
    """A Scratch whose folder and database end with the block."""
    with folder() as where, ExitStack() as started:
        yield Scratch(settings, where, started)


def _limit(settings: Settings) -> str:
    return f"{settings.memory_mb}MB"


def configuration(settings: Settings, where: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": _limit(settings),
        "temp_directory": str(where),
        "max_temp_directory_size": f"{settings.temporary_mb}MB",
        "threads": "2",
        "preserve_insertion_order": "true",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
