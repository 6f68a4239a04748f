"""A table in memory with the semantics of shared/cloud/tables.py."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from shared.cloud.tables import Stored
from shared.errors import Conflict

_FORBIDDEN = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")


class MemoryTable:
    """Rows by key; every write makes a new ETag."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Stored] = {}
        self._versions = itertools.count(1)

    def get(self, partition: str, row: str) -> Stored | None:
        assert not _FORBIDDEN.search(partition + row), "a table refuses such a key"
        return self.rows.get((partition, row))

    def insert(self, entity: dict[str, Any]) -> str:
        if _key(entity) in self.rows:
            raise Conflict("the row exists")
        return self._put(entity)

    def replace(self, entity: dict[str, Any], etag: str) -> str:
        stored = self.rows.get(_key(entity))
        if stored is None or stored.etag != etag:
            raise Conflict("the row changed or is gone")
        return self._put(entity)

    def delete(self, partition: str, row: str, etag: str | None = None) -> None:
        stored = self.rows.get((partition, row))
        if stored is None:
            return
        if etag not in (None, stored.etag):
            raise Conflict("the row changed")
        del self.rows[partition, row]

    def query(self, partition: str, *, first: str = "", last: str = "") -> Iterator[Stored]:
        keys = sorted(key for key in self.rows if key[0] == partition)
        for key in keys:
            if key[1] >= first and (not last or key[1] < last):
                yield self.rows[key]

    def _put(self, entity: dict[str, Any]) -> str:
        assert not _FORBIDDEN.search("".join(_key(entity))), "a table refuses such a key"
        for name, value in entity.items():
            assert value is not None, f"{name}: a table holds no null"
            assert not isinstance(value, str) or len(value.encode("utf-16-le")) <= 65_536, f"{name} is too large"
        etag = f"W/\"datetime'{next(self._versions)}'\""
        self.rows[_key(entity)] = Stored(dict(entity), etag)
        return etag


def _key(entity: dict[str, Any]) -> tuple[str, str]:
    return entity["PartitionKey"], entity["RowKey"]
