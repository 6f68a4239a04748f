"""Parquet files of plans and ledgers, kept as blobs, with what is needed to trust them when they are read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from shared.cloud.blobs import Blobs, StoredFile
from shared.delivery.sql import literal
from shared.delivery.state.scratch import PARQUET, PARQUET_IF_ANY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BUCKETS = 256
"""Rows are routed by the first byte of their address's MD5, which does not depend on DuckDB's version."""

BUCKET = "(md5_number(address) & 255::UHUGEINT)::UTINYINT"
"""SQL for it: DuckDB reads the digest little-endian. `md5_number_upper` would say the same at four times the cost."""


_IN_MEMORY = 4 << 20
"""Bytes that a slice keeps in memory of the files that it wrote or read."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file in the service's container."""

    name: str
    md5: str
    size: int
    rows: int

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        return cls(**{field: plain[field] for field in ("name", "md5", "size", "rows")})

    @property
    def stored(self) -> StoredFile:
        return StoredFile(self.name, self.md5, self.size)


class Files:
    """Puts such files into blobs and fetches them. Small ones stay in memory, since the steps of a slice read again
    what one of them wrote or read."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._room = _IN_MEMORY
        self._contents: dict[StoredFile, bytes] = {}

    def upload(self, name: str, path: Path) -> StoredFile:
        stored = self._blobs.upload(name, path)
        self._remember(stored, path)
        return stored

    def download(self, stored: StoredFile, path: Path) -> bool:
        """Fetch a file; False where it is missing or not what was uploaded."""
        content = self._contents.get(stored)
        if content is not None:
            path.write_bytes(content)
            return True
        found = self._blobs.download(stored, path)
        if found:
            self._remember(stored, path)
        return found

    def _remember(self, stored: StoredFile, path: Path) -> None:
        if stored.size <= self._room:
            self._room -= stored.size
            self._contents[stored] = path.read_bytes()


def buckets(part: int, parts: int) -> tuple[int, int]:
    """First and last bucket of one of `parts` (a power of two, 256 at most) equal ranges."""
    width = BUCKETS // parts
    return part * width, (part + 1) * width - 1


def write(database: DuckDBPyConnection, query: str, path: Path, *, how: str = PARQUET) -> int:
    """Run a query into a local Parquet file; the number of rows."""
    counted = database.execute(f"COPY ({query}) TO {literal(str(path))} {how}").fetchone()
    return int(counted[0]) if counted else 0


def keep(files: Files, database: DuckDBPyConnection, query: str, name: str, path: Path) -> DataFile | None:
    """Run a query into a blob by way of `path`, which is gone afterwards; None where there is no row."""
    rows = write(database, query, path, how=PARQUET_IF_ANY)
    try:
        return store(files, name, path, rows) if rows else None
    finally:
        path.unlink(missing_ok=True)


def store(files: Files, name: str, path: Path, rows: int) -> DataFile:
    """Put a local file of so many rows into a blob."""
    stored = files.upload(name, path)
    return DataFile(stored.name, stored.md5, stored.size, rows)
