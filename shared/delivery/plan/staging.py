"""Stage the snapshots of a delivery: read them once as streams, matched and judged, into Parquet by part.

A single part is one local file. Several parts, of segments too large for that, lie in Blob Storage and are fetched
one at a time, so that neither memory nor disk grows with the segment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from shared.cloud.blob_files import BlobFiles
from shared.cloud.blobs import Blobs
from shared.delivery import segments
from shared.delivery.plan import excluded, operations, size
from shared.delivery.plan.excluded import Barring
from shared.delivery.plan.operations import RESPELLED, Source, Wish
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import BUCKETS, write
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.snapshots.reading import Reader, reader
from shared.snapshots.scanning import Scan
from shared.snapshots.snapshot import CsvFormat, Snapshot
from shared.snapshots.unreadable import SnapshotChanged

CSV_ROW_BYTES = 150
PACKED_ROW_BYTES = 15
"""Guesses of a row's size, plain and compressed, to choose the number of parts before anything is read."""
TRIES = 3
RUNS = 4
"""Of a snapshot's files, read side by side by DuckDB's two threads."""
PROTOCOL = "staging"
ROWS_HELD = 65_536
"""Rows that DuckDB gathers in memory, of all parts together, before it writes them."""
FEWEST_ROWS = 2048
"""That it gathers of a part: as many as it works on at once."""


@dataclass(frozen=True, slots=True)
class Staged:
    """`fetch` brings one part to the local disk and names files that have its rows; `release` removes them.

    `spellings` are files of addresses as the source spells them, where deliveries spell them otherwise: an earlier run
    may have sent the people under them.
    """

    snapshots: Sequence[Snapshot]
    parts: int
    fetch: Callable[[int], Sequence[Path]]
    release: Callable[[int], None]
    spellings: Sequence[Path] = ()
    types: Sequence[Mapping[str, str]] = ()
    """Of each snapshot's wanted columns, where its files say them."""
    barring: Sequence[Barring] = ()
    """Snapshots of excluded segments."""


@contextmanager
def stage(work: Work, wish: Wish, least_parts: int) -> Iterator[Staged]:
    """Read the newest snapshots of the target's segments, and of those that are excluded; read again where one was
    replaced meanwhile.

    Raises UserMustAct where a segment is unknown or unreadable, RetryAfter where its files keep changing, or an
    excluded one is not complete.
    """
    if work.run.kind is RunKind.WITHDRAW:
        yield Staged((), least_parts, lambda part: (), lambda part: None)
        return
    for attempt in count(1):
        snapshots = [segments.newest(work.cloud, reference) for reference in work.target.segments]
        barring = excluded.find(work, snapshots)
        read = [*snapshots, *(each.snapshot for each in barring)]
        parts = max(least_parts, parts_for(read, work.cloud.settings.rows_per_file))
        try:
            staged = _stage(work, wish, snapshots, barring, parts)
        except SnapshotChanged:
            if attempt >= TRIES:
                raise
            continue
        try:
            yield staged
        finally:
            if parts > 1:
                _remove(work)
        return


def parts_for(snapshots: Sequence[Snapshot], rows_per_file: int) -> int:
    """The power of two that keeps a part near `rows_per_file`."""
    rows = sum(snapshot.size / _row_bytes(snapshot) for snapshot in snapshots)
    return min(BUCKETS, 1 << math.ceil(math.log2(max(rows / rows_per_file, 1.0))))


def _row_bytes(snapshot: Snapshot) -> int:
    plain = isinstance(snapshot.format, CsvFormat) and snapshot.format.compression == "none"
    return CSV_ROW_BYTES if plain else PACKED_ROW_BYTES


def _stage(work: Work, wish: Wish, snapshots: Sequence[Snapshot], barring: Sequence[Barring], parts: int) -> Staged:
    with reader(work.cloud.segments, work.cloud.settings) as opened:
        # The order is in the rows' numbers; keeping it in the files too would read one source after the other.
        opened.connection.execute("SET preserve_insertion_order = false")
        size.look_before(work, opened, snapshots)
        sources = [*_sources(opened, wish, snapshots), *_barring_sources(opened, barring)]
        query = operations.staging_query(wish, sources, parts)
        types = [opened.types(snapshot, wish.columns) for snapshot in snapshots]
        if parts == 1:
            path = work.where / "staged.parquet"
            write(opened.connection, query, path)
            rows, spellings = _respelled(work, opened.connection, [path], parts)
            return Staged(
                snapshots, 1, lambda part: [path, *rows], lambda part: path.unlink(), spellings, types, barring
            )
        _write_parts(work.cloud.blobs, opened, query, _prefix(work), max(ROWS_HELD // parts, FEWEST_ROWS))
    with work.scratch.database() as connection:
        rows, spellings = _respelled(work, connection, _fetch(work, RESPELLED), parts)
    _drop(work, RESPELLED)
    return Staged(
        snapshots,
        parts,
        lambda part: [*_fetch(work, part), *rows],
        lambda part: _drop(work, part),
        spellings,
        types,
        barring,
    )


def _respelled(
    work: Work, connection: DuckDBPyConnection, staged: Sequence[Path], parts: int
) -> tuple[Sequence[Path], Sequence[Path]]:
    """Files of the rows whose addresses have another spelling now, and of the spellings before."""
    rows, spellings = work.where / "respelled.parquet", work.where / "spellings.parquet"
    found = staged and operations.respell(connection, staged, parts, rows, spellings)
    return ([rows], [spellings]) if found else ((), ())


def _sources(opened: Reader, wish: Wish, snapshots: Sequence[Snapshot]) -> Iterator[Source]:
    for number, snapshot in enumerate(snapshots):
        for start, scan in _scans(opened, snapshot, wish.columns):
            yield Source(scan.rows, number, start, scan.number)


def _barring_sources(opened: Reader, barring: Sequence[Barring]) -> Iterator[Source]:
    for each in barring:
        with each.said():
            for start, scan in _scans(opened, each.snapshot, [each.column]):
                yield Source(scan.rows, each.number, start, excluded=each.rule)


def _scans(opened: Reader, snapshot: Snapshot, columns: Sequence[str]) -> Iterator[tuple[int, Scan]]:
    """A few runs of files, each with its first file's number, since a run is read by one thread."""
    opened.add(snapshot)
    size = max(1, math.ceil(len(snapshot.files) / RUNS))
    for start in range(0, max(1, len(snapshot.files)), size):
        run = replace(snapshot, files=snapshot.files[start : start + size])
        yield start, opened.scan(run, columns)


def _write_parts(blobs: Blobs, opened: Reader, query: str, prefix: str, rows: int) -> None:
    """`rows` of a part are gathered, and written as a row group."""
    files = BlobFiles(blobs.service, PROTOCOL)
    opened.connection.register_filesystem(files)
    try:
        target = literal(files.url(blobs.container, prefix.rstrip("/")))
        # Whatever its description says, DuckDB counts the rows of each part against it.
        opened.connection.execute(f"SET partitioned_write_flush_threshold = {rows}")
        # Threads of their own for writing let every open file gather tens of megabytes first.
        opened.connection.execute("SET async_threads = 0")
        packed = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {rows}"
        options = f"{packed}, PARTITION_BY (part), WRITE_PARTITION_COLUMNS true"
        with files.writing():
            opened.connection.execute(f"COPY ({query}) TO {target} ({options})")
    except duckdb.Error:
        if files.failure:  # DuckDB hides what storage said in a text of its own
            raise files.failure from None
        raise
    finally:
        opened.connection.unregister_filesystem(PROTOCOL)


def _prefix(work: Work) -> str:
    return f"{layout.plan_folder(work.folder, f'{work.delivery.turn:06d}-{work.delivery.worker}')}staged/"


def _fetch(work: Work, part: int) -> Sequence[Path]:
    """The part's files, one after the other; none where it has no rows."""
    folder = _local(work, part)
    folder.mkdir()
    for number, name in enumerate(work.cloud.blobs.names(f"{_prefix(work)}part={part}/")):
        if work.cloud.blobs.fetch(name, folder / f"{number}.parquet") is None:
            raise RuntimeError("a staged file of this attempt is missing")
    return sorted(folder.iterdir())


def _drop(work: Work, part: int) -> None:
    folder = _local(work, part)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _local(work: Work, part: int) -> Path:
    return work.where / f"part-{part}"


def _remove(work: Work) -> None:
    for name in list(work.cloud.blobs.names(_prefix(work))):
        work.cloud.blobs.delete(name)
