"""Reading snapshots as streams: a DuckDB connection that knows their files."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from shared.cloud.blob_files import BLOCK_BYTES, BlobChanged, BlobFiles, Pin
from shared.errors import UserMustAct
from shared.snapshots import scanning
from shared.snapshots.delta import checkpoints
from shared.snapshots.delta.heads import by_schema
from shared.snapshots.heads import BadHead, Head, first_bytes, head_of
from shared.snapshots.partitions import values_of
from shared.snapshots.recoding import is_recoded, recoded
from shared.snapshots.scanning import MAX_LINE_BYTES, Scan
from shared.snapshots.snapshot import CsvFormat, DeltaFormat, Format, Snapshot, SnapshotFile
from shared.snapshots.trouble import words_for
from shared.snapshots.unreadable import NOT_PARQUET, TOO_LARGE, SnapshotChanged, SnapshotUnreadable, translate
from shared.snapshots.watches import CsvWatch
from shared.wording import say

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

    from shared.cloud.settings import Settings

PROTOCOL = "segments"

NO_TYPE = '"NULL"'
"""What DuckDB calls the type of a column without any value."""

LOOKING_MB = 100
"""Memory for looking into files before they are read."""

_NODE = "name, num_children"
_THREADS = 2
_HEADS_AT_ONCE = 8
_SMALL_BYTES = 16 << 20
"""Of files that are kept in memory since their head is all of them."""


@contextmanager
def reader(client: BlobServiceClient, settings: Settings) -> Iterator[Reader]:
    """A DuckDB connection that can read snapshots, within the settings' memory and temporary disk.

    Inside the block DuckDB's errors become SnapshotUnreadable, SnapshotChanged, QueryFailed, or what Azure raised;
    none of them quotes a row. Mistakes in the SQL itself stay as they are.
    """
    with _connection(settings.memory_mb, settings.temporary_mb) as connection:
        yield from _reading(client, connection)


class Footers:
    """Small readers for looking into Parquet files before they are read: one for each thread that asks."""

    def __init__(self, client: BlobServiceClient) -> None:
        self._client = client
        self._own = threading.local()
        self._opened = ExitStack()
        self._opening = threading.Lock()

    def close(self) -> None:
        self._opened.close()

    def columns(self, file: SnapshotFile) -> tuple[str, ...]:
        """Raises SnapshotUnreadable, SnapshotChanged, or what Azure raised."""
        return self._reader.parquet_columns(file)

    def actions(self, checkpoint: SnapshotFile) -> list[str]:
        """Of a checkpoint of a Delta table, as JSON. Raises BadTable, and as `columns` does."""
        return self._reader.actions(checkpoint)

    @property
    def _reader(self) -> Reader:
        if not hasattr(self._own, "reader"):
            with self._opening:
                self._own.reader = self._opened.enter_context(_small(self._client))
        opened: Reader = self._own.reader
        return opened


@contextmanager
def _small(client: BlobServiceClient) -> Iterator[Reader]:
    with _connection(memory_mb=LOOKING_MB, temporary_mb=1) as connection:
        yield from _reading(client, connection)


def _reading(client: BlobServiceClient, connection: duckdb.DuckDBPyConnection) -> Iterator[Reader]:
    files = BlobFiles(client, PROTOCOL)
    connection.register_filesystem(files)
    found = Reader(client, connection, files)
    try:
        yield found
        if files.failure:
            raise _cause(files.failure)
    except duckdb.Error as error:
        raise _cause(files.failure or error, found.urls) from None
    finally:
        # A registered file system keeps the connection alive, and its remains are reported when the process ends.
        connection.unregister_filesystem(PROTOCOL)


def _cause(error: Exception, urls: Collection[str] = ()) -> Exception:
    """What to raise for what happened."""
    if isinstance(error, BlobChanged):
        return SnapshotChanged()
    if words := words_for(error):
        return UserMustAct("snapshot_unreadable", say("The segment %(words)s.", words=words))
    return translate(error, urls) if isinstance(error, duckdb.Error) else error


@contextmanager
def _connection(memory_mb: int, temporary_mb: int) -> Iterator[duckdb.DuckDBPyConnection]:
    with (
        TemporaryDirectory(prefix="duckdb-") as folder,
        duckdb.connect(
            config={
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": folder,
                "max_temp_directory_size": f"{temporary_mb}MB",
                "threads": _THREADS,
                "preserve_insertion_order": True,
                "enable_external_file_cache": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        ) as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


class Reader:
    """What `reader` gives: the connection, and the snapshots that it knows."""

    def __init__(self, client: BlobServiceClient, connection: duckdb.DuckDBPyConnection, files: BlobFiles) -> None:
        self.connection = connection
        self._client = client
        self._files = files
        self._urls: dict[SnapshotFile, str] = {}
        self._heads: dict[SnapshotFile, Head | None] = {}
        self._small: dict[SnapshotFile, bytes] = {}
        self._room = _SMALL_BYTES
        self._keeping = threading.Lock()

    @property
    def urls(self) -> Collection[str]:
        """The files that were added, as DuckDB names them."""
        return self._urls.values()

    def add(self, snapshot: Snapshot) -> None:
        """Pin the files and read the head of each, a few KB. Nothing happens the second time.

        Raises SnapshotUnreadable or SnapshotChanged.
        """
        new = [file for file in snapshot.files if file not in self._heads]
        for file in new:
            self._pin(file, snapshot.format)
        with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
            heads = pool.map(lambda file: self._whole_head(file, snapshot), new)
            self._heads |= zip(new, heads, strict=True)
        for file in new:
            head = self._heads[file]
            if file in self._small or (head and head.skip):
                self._pin(file, snapshot.format, head.skip if head else 0)

    def scan(self, snapshot: Snapshot, columns: Sequence[str]) -> Scan:
        """How to select these columns of a snapshot, which is added if it was not yet.

        Raises UserMustAct, as `scanning.scan` does, and what `add` raises.
        """
        self.add(snapshot)
        return scanning.scan(snapshot, columns, self._heads, self._urls)

    def types(self, snapshot: Snapshot, columns: Sequence[str]) -> Mapping[str, str]:
        """DuckDB's names for the types of these columns, from the first file that knows one; nothing of CSV."""
        found: dict[str, str] = {}
        for file in reversed(snapshot.files):
            if (head := self._heads[file]) and head.types:
                found |= {name: kind for name, kind in zip(head.columns, head.types, strict=True) if kind != NO_TYPE}
        return {name: found[name] for name in columns if name in found}

    def rows_told(self, snapshot: Snapshot) -> int:
        """Rows of the files that say how many they have, as Parquet does. Raises SnapshotUnreadable."""
        if isinstance(snapshot.format, CsvFormat):
            return 0
        with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
            return sum(pool.map(self._rows_told, snapshot.files))

    def _rows_told(self, file: SnapshotFile) -> int:
        [[(rows,)]] = self._asked(file, f"SELECT num_rows FROM {scanning.footer(self._pin(file, None))}")
        return int(rows)

    def parquet_head(self, file: SnapshotFile) -> Head:
        """The columns of a Parquet file, from its footer. Raises SnapshotUnreadable."""
        url = self._pin(file, None)
        [rows, schema] = self._asked(
            file, f"DESCRIBE SELECT * FROM {scanning.parquet([url])}", f"SELECT {_NODE} FROM {scanning.schema(url)}"
        )
        types, known_as = tuple(row[1] for row in rows), tuple(row[0] for row in rows)
        return Head(tuple(_top_level(schema)), types=types, known_as=known_as)

    def parquet_columns(self, file: SnapshotFile) -> tuple[str, ...]:
        """Their names alone. Raises SnapshotUnreadable."""
        [schema] = self._asked(file, f"SELECT {_NODE} FROM {scanning.schema(self._pin(file, None))}")
        return tuple(_top_level(schema))

    def actions(self, checkpoint: SnapshotFile) -> list[str]:
        """What a checkpoint of a Delta table says, as JSON. Raises BadTable or SnapshotUnreadable."""
        if checkpoint.size <= BLOCK_BYTES:
            self._small[checkpoint] = self._whole(checkpoint)
        url = self._pin(checkpoint, None)
        try:
            [schema] = self._asked(checkpoint, f"SELECT {_NODE} FROM {scanning.schema(url)}")
            [rows] = self._asked(checkpoint, checkpoints.sql(scanning.parquet([url]), dict(_two_levels(schema))))
        finally:
            self._pin(checkpoint, None)  # and let go of what was fetched
        return [row[0] for row in rows]

    def _whole(self, file: SnapshotFile) -> bytes:
        blob = self._client.get_blob_client(file.container, file.name)
        download = blob.download_blob(etag=file.etag, match_condition=MatchConditions.IfNotModified, decompress=False)
        return bytes(download.readall())

    def _asked(self, file: SnapshotFile, *queries: str) -> list[list[Any]]:
        """Answers to queries about a Parquet file."""
        try:
            with self.connection.cursor() as cursor:
                return [cursor.execute(query).fetchall() for query in queries]
        except duckdb.Error as error:
            if failure := self._files.take_failure(file.container, file.name):
                raise _cause(failure) from None
            large = isinstance(error, duckdb.OutOfMemoryException)
            raise SnapshotUnreadable(file.path, TOO_LARGE if large else NOT_PARQUET) from None

    def _pin(self, file: SnapshotFile, kind: Format | None, skip: int = 0) -> str:
        seen = replace(file, size=file.size - skip)
        pin = Pin(file.etag, seen.size, file.blob_snapshot, skip=skip, content=self._small.pop(file, None))
        if isinstance(kind, CsvFormat) and is_recoded(kind):
            pin = replace(pin, through=partial(self._recoded, file, kind))
        elif isinstance(kind, CsvFormat):
            pin = replace(pin, watch=partial(self._watch, file, seen, kind))
        self._files.pin(file.container, file.name, pin)
        return self._urls.setdefault(file, self._files.url(file.container, file.name))

    def _keep(self, file: SnapshotFile, data: bytes) -> None:
        """Remember a file that was fetched whole with its head, so that it is not asked for again."""
        with self._keeping:
            if len(data) == file.size and len(data) <= self._room:
                self._room -= len(data)
                self._small[file] = data

    def _whole_head(self, file: SnapshotFile, snapshot: Snapshot) -> Head | None:
        head = self._head(file, snapshot)
        if head is None:
            return None
        if isinstance(snapshot.format, DeltaFormat):
            values = dict(zip(snapshot.partitioned, file.values or (), strict=True))
            return by_schema(head, snapshot.format.fields, values)
        return replace(head, constants=values_of(file.name, snapshot.partitioned))

    def _head(self, file: SnapshotFile, snapshot: Snapshot) -> Head | None:
        if not isinstance(snapshot.format, CsvFormat):
            return self.parquet_head(file)
        try:
            inside = tuple(name for name in snapshot.columns if name not in snapshot.partitioned)
            data = first_bytes(self._client, file, snapshot.format.compression)
            self._keep(file, data)
            return head_of(data, file, snapshot.format, inside)
        except BadHead as error:
            raise SnapshotUnreadable(file.path, error.words, line=1) from None
        except (ResourceModifiedError, ResourceNotFoundError):
            raise SnapshotChanged from None
        except HttpResponseError as error:
            raise _cause(error) from None

    def _recoded(self, file: SnapshotFile, csv: CsvFormat, pieces: Iterator[bytes]) -> Iterator[bytes]:
        text = replace(csv, encoding="utf-8", compression="none")
        return recoded(pieces, file, csv, self._watch(file, replace(file, size=-1), text))

    def _watch(self, file: SnapshotFile, seen: SnapshotFile, csv: CsvFormat) -> CsvWatch:
        head = self._heads[file]
        return CsvWatch(seen, csv, len(head.columns) if head else 0, MAX_LINE_BYTES)


def _top_level(schema: Sequence[tuple[str, int | None]]) -> Iterator[str]:
    """Names of the columns as the file has them."""
    return (name for name, _ in _two_levels(schema))


def _two_levels(schema: Sequence[tuple[str, int | None]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names of the columns as the file has them, each with those of the columns straight in it.

    A footer lists the whole tree, each node before its children, and its root first.
    """
    nodes = iter(schema[1:])
    for name, children in nodes:
        yield name, tuple(_child(nodes) for _ in range(children or 0))


def _child(nodes: Iterator[tuple[str, int | None]]) -> str:
    """The name of the next node, behind which all that is in it is skipped."""
    name, left = next(nodes)
    left = left or 0
    while left:
        left += (next(nodes)[1] or 0) - 1
    return name
