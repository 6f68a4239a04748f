"""Files of plans and ledgers in memory, and rows of them as tests write and read them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import duckdb

from shared.cloud.blobs import StoredFile
from shared.delivery.sql import literal
from shared.delivery.state.files import BUCKET, DataFile, Files, write
from shared.delivery.state.ledger import COLUMNS, Ledger, LedgerFile
from shared.errors import Conflict

LONG_AGO = datetime(2026, 11, 1, 12)


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One for all tests, since opening it takes longer than most."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@dataclass
class Blobs:
    """Implements what is used of shared.cloud.blobs.Blobs. An ETag is the content's MD5."""

    contents: dict[str, bytes] = field(default_factory=dict)

    def upload(self, name: str, path: Path) -> StoredFile:
        self.contents[name] = content = path.read_bytes()
        return StoredFile(name, hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content))

    def download(self, stored: StoredFile, path: Path) -> bool:
        if stored.name not in self.contents:
            return False
        path.write_bytes(self.contents[stored.name])
        return True

    def read(self, name: str) -> tuple[bytes, str] | None:
        content = self.contents.get(name)
        return None if content is None else (content, self._etag(name))

    def create(self, name: str, content: bytes) -> None:
        if name in self.contents:
            raise Conflict("it is there")
        self.contents[name] = content

    def write(self, name: str, content: bytes, *, etag: str) -> None:
        if etag != self._etag(name):
            raise Conflict("it changed")
        self.contents[name] = content

    def names(self, prefix: str) -> list[str]:
        return [name for name in self.contents if name.startswith(prefix)]

    def delete(self, name: str) -> None:
        self.contents.pop(name, None)

    def _etag(self, name: str) -> str:
        return hashlib.md5(self.contents.get(name, b""), usedforsecurity=False).hexdigest()


def files(blobs: Blobs) -> Files:
    return Files(cast("Any", blobs))


def stored(
    blobs: Blobs, name: str, rows: Sequence[Mapping[str, object]], types: Mapping[str, str], to: Path
) -> DataFile:
    """Rows as a Parquet file; columns that a row does not name are NULL, `bucket` follows from the address."""
    database().execute(
        f"CREATE OR REPLACE TEMP TABLE made ({', '.join(f'{column} {kind}' for column, kind in types.items())})"
    )
    plain = [column.strip('"') for column in types]
    if rows:
        places = ", ".join([f"({', '.join('?' * len(types))})"] * len(rows))
        database().execute(f"INSERT INTO made VALUES {places}", [row.get(column) for row in rows for column in plain])
    database().execute(f"UPDATE made SET bucket = {BUCKET}")
    path = to / "made.parquet"
    count = write(database(), "FROM made", path)
    found = blobs.upload(name, path)
    path.unlink()
    return DataFile(found.name, found.md5, found.size, count)


def ledger(blobs: Blobs, to: Path, *rows: Mapping[str, object], parts: int = 1) -> Ledger:
    """A ledger of these rows, a file for each part."""
    made = [{"changed_at": LONG_AGO, "run": "before", **row} for row in rows]
    width, found = 256 // parts, []
    for part in range(parts):
        own = [row for row in made if bucket(str(row["address"])) // width == part]
        if own:
            file = stored(blobs, f"ledger/before/{part}.parquet", own, COLUMNS, to)
            members = sum(row["status"] in ("member", "maybe") for row in own)
            maybe = sum(row["status"] == "maybe" for row in own)
            found.append(LedgerFile(part * width, (part + 1) * width - 1, members, file, maybe))
    return Ledger("before", tuple(found), generation=1)


def bucket(address: str) -> int:
    return hashlib.md5(address.encode(), usedforsecurity=False).digest()[0]


def rows(blobs: Blobs, file: DataFile, to: Path) -> list[dict[str, Any]]:
    """A file's rows, without columns that are NULL."""
    path = to / "read.parquet"
    path.write_bytes(blobs.contents[file.name])
    found = database().execute(f"FROM read_parquet({literal(str(path))})")
    names = [each[0] for each in found.description or ()]
    path.unlink()
    made = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert len(made) == file.rows
    return [{name: value for name, value in row.items() if value is not None} for row in made]
