"""Delta tables for tests, as their writers write them: Parquet files, and a log of what each version changed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import duckdb

COLUMNS = ("EMail", "FirstName", "City")
FIRST_MOMENT = 1_795_000_000_000
"""Milliseconds since 1970: November 2026."""
EVERY_ACTION: dict[str, dict[str, Any]] = {
    "txn": {"appId": "VARCHAR", "version": "BIGINT"},
    "add": {
        "path": "VARCHAR",
        "partitionValues": "MAP(VARCHAR, VARCHAR)",
        "size": "BIGINT",
        "modificationTime": "BIGINT",
        "dataChange": "BOOLEAN",
        "stats": "VARCHAR",
    },
    "remove": {"path": "VARCHAR", "deletionTimestamp": "BIGINT"},
    "metaData": {
        "id": "VARCHAR",
        "format": {"provider": "VARCHAR"},
        "schemaString": "VARCHAR",
        "partitionColumns": ["VARCHAR"],
        "configuration": "MAP(VARCHAR, VARCHAR)",
    },
    "protocol": {"minReaderVersion": "INTEGER", "minWriterVersion": "INTEGER"},
}
"""Columns of a checkpoint."""

Row = tuple[str | None, ...]


class Table:
    """A table that grows version by version. `files` are those of its folder, `live` the paths that count and what is
    in them. Values of the columns in `partitioned` are in the log, and in the names of folders as Spark writes them."""

    def __init__(self, columns: Sequence[str] = COLUMNS, partitioned: Sequence[str] = (), **said: Any) -> None:
        self.columns = tuple(columns)
        self.partitioned = tuple(partitioned)
        self.files: dict[str, bytes] = {}
        self.live: dict[str, tuple[dict[str, Any], list[Row]]] = {}
        self.version = -1
        self.protocol: dict[str, Any] = {"minReaderVersion": 1, "minWriterVersion": 2} | said.pop("protocol", {})
        self.metadata: dict[str, Any] = {
            "id": "t-1",
            "format": {"provider": "parquet", "options": {}},
            "schemaString": schema(self.columns),
            "partitionColumns": list(partitioned),
            "configuration": {},
        } | said.pop("metadata", {})
        assert not said
        self._numbers = count()

    @property
    def rows(self) -> list[Row]:
        return [row for _, rows in self.live.values() for row in rows]

    @property
    def names(self) -> set[str]:
        """What the files are called that count."""
        return {unquote(path) for path in self.live}

    def create(self) -> Table:
        self.commit({"protocol": self.protocol}, {"metaData": self.metadata})
        return self

    def append(self, rows: Sequence[Row]) -> Table:
        self.commit(*self._added(rows))
        return self

    def overwrite(self, rows: Sequence[Row]) -> Table:
        gone = self._removed(list(self.live))
        self.commit(*self._added(rows), *gone)
        return self

    def delete(self, is_gone: Callable[[Row], bool]) -> Table:
        """Each file that has such a row is written anew without it."""
        touched = [path for path, (_, rows) in self.live.items() if any(map(is_gone, rows))]
        kept = [row for path in touched for row in self.live[path][1] if not is_gone(row)]
        removed = self._removed(touched)
        self.commit(*removed, *self._added(kept))
        return self

    def add_column(self, name: str) -> Table:
        self.columns = (*self.columns, name)
        self.metadata = self.metadata | {"schemaString": schema(self.columns)}
        self.live = {path: (add, [(*row, None) for row in rows]) for path, (add, rows) in self.live.items()}
        self.commit({"metaData": self.metadata})
        return self

    def commit(self, *actions: dict[str, Any]) -> None:
        self.version += 1
        told = {"commitInfo": {"timestamp": FIRST_MOMENT + self.version * 60_000, "operation": "WRITE"}}
        self.files[commit(self.version)] = "".join(json.dumps(each) + "\n" for each in (told, *actions)).encode()

    def checkpoint(self, parts: int = 1, **more: Any) -> Table:
        """Of the newest version; `more` are kinds of actions that hardly any checkpoint has, each with its columns and
        what it says."""
        actions = [{"protocol": self.protocol}, {"metaData": self.metadata}, {"txn": {"appId": "x", "version": 1}}]
        actions += [{"add": add} for add, _ in self.live.values()]
        actions += [{"remove": {"path": "long-gone.parquet", "deletionTimestamp": 1}}]
        actions += [{kind: said} for kind, (_, said) in more.items()]
        shape = EVERY_ACTION | {kind: columns for kind, (columns, _) in more.items()}
        for part in range(1, parts + 1):
            middle = "" if parts == 1 else f".{part:010}.{parts:010}"
            name = f"_delta_log/{self.version:020}.checkpoint{middle}.parquet"
            self.files[name] = checkpoint_of(actions[part - 1 :: parts], shape)
        self.files["_delta_log/_last_checkpoint"] = json.dumps({"version": self.version, "size": 1}).encode()
        return self

    def _added(self, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
        places = [self.columns.index(name) for name in self.partitioned]
        groups: dict[Row, list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(row[place] or None for place in places), []).append(row)
        inside = [place for place in range(len(self.columns)) if place not in places]
        for values, group in groups.items():
            named = zip(self.partitioned, values, strict=True)
            folders = [f"{quote(name)}={_folder(value)}" for name, value in named]
            name = "/".join([*folders, f"part-{next(self._numbers):05}.parquet"])
            data = parquet([self.columns[each] for each in inside], [[row[each] for each in inside] for row in group])
            self.files[name] = data
            values_said = dict(zip(self.partitioned, values, strict=True))
            add = {"path": quote(name), "partitionValues": values_said, "size": len(data), "modificationTime": 1}
            self.live[quote(name)] = (add | {"dataChange": True, "stats": '{"numRecords":1}'}, list(group))
            yield {"add": self.live[quote(name)][0]}

    def _removed(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        for path in paths:
            del self.live[path]
        return [{"remove": {"path": path, "deletionTimestamp": 1, "dataChange": True}} for path in paths]


def commit(version: int) -> str:
    """The name of a version's commit."""
    return f"_delta_log/{version:020}.json"


def schema(columns: Sequence[str], kinds: Sequence[Any] = (), details: Sequence[dict[str, Any]] = ()) -> str:
    """The schema of these columns: texts, where no type is said."""
    fields = [
        {
            "name": name,
            "type": kinds[number] if kinds else "string",
            "nullable": True,
            "metadata": details[number] if details else {},
        }
        for number, name in enumerate(columns)
    ]
    return json.dumps({"type": "struct", "fields": fields})


def parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]], kinds: Sequence[str] = ()) -> bytes:
    """A Parquet file of these columns, which hold text where no type is said."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        path = Path(folder) / "part.parquet"
        declared = [f'"{name}" {kinds[number] if kinds else "VARCHAR"}' for number, name in enumerate(columns)]
        duck.execute(f"CREATE TABLE t ({', '.join(declared)})")
        if rows:
            duck.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", [list(row) for row in rows])
        duck.execute(f"COPY t TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def checkpoint_of(actions: Sequence[dict[str, Any]], shape: dict[str, Any]) -> bytes:
    """A part of a checkpoint with these actions, whose columns are of this shape."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        path = Path(folder) / "checkpoint.parquet"
        duck.execute(
            f"COPY (SELECT unnest(from_json(?, ?), max_depth := 2)) TO '{path}' (FORMAT parquet)",
            [json.dumps(actions), json.dumps([shape])],
        )
        return path.read_bytes()


def _folder(value: str | None) -> str:
    return "__HIVE_DEFAULT_PARTITION__" if value is None else quote(value, safe=" ")
