"""Stage the snapshots of a delivery: read them once as streams, matched and judged, into Parquet by part.

A single part is one local file. Several parts, of segments too large for that, lie in Blob Storage and are fetched
one at a time, so that neither memory nor disk grows with the segment. Such segments are read piece by piece: a piece
that is staged is recorded, and the next slice goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from shared.cloud.blob_files import BlobFiles
from shared.delivery import segments
from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import division, excluded, operations, parted, pieces, size
from shared.delivery.plan.attempt import StoredAttempt
from shared.delivery.plan.excluded import Barring
from shared.delivery.plan.operations import RESPELLED, Source, Wish
from shared.delivery.plan.pieces import Stretch
from shared.delivery.plan.recognising import Recognising
from shared.delivery.sql import literal
from shared.delivery.state import layout, once
from shared.delivery.state.files import write
from shared.delivery.state.found import Findings
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.errors import UserMustAct
from shared.snapshots.reading import Reader, reader
from shared.snapshots.snapshot import Snapshot
from shared.snapshots.unreadable import SnapshotChanged
from shared.wording import say

TRIES = 3
PROTOCOL = "staging"
ROWS_HELD = 65_536
"""Rows that DuckDB gathers in memory, of all parts together, before it writes them."""
FEWEST_ROWS = 2048
"""That it gathers of a part: as many as it works on at once."""
BYTES_HELD = 32 << 20
"""Bytes that wait to be sent to Blob Storage, of all parts together."""
SMALLEST_BLOCK = 256 << 10
"""Bytes that wait of a part at least."""


@dataclass(frozen=True, slots=True)
class Staged:
    """`fetch` brings one part to the local disk and names files that have its rows; `release` removes them.

    `spellings` are files of addresses as the source spells them, where deliveries spell them otherwise: an earlier run
    may have sent the people under them. `attempt` is where several parts are recorded, None for a single one.
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
    attempt: StoredAttempt | None = None
    drop: Callable[[int], None] = lambda part: None
    """Takes one part's rows out of storage, once it is planned."""


@dataclass(frozen=True, slots=True)
class StagedPiece:
    """The record of a piece: the blobs with its rows by part, how many they are, and the types of each column as the
    files of a segment say them."""

    rows: int
    files: dict[int, list[str]]
    types: dict[int, dict[str, str]]


def stage(
    work: Work,
    wish: Wish,
    before: Ledger,
    *,
    fresh: bool = False,
    findings: Findings | None = None,
    recognising: Recognising | None = None,
) -> Staged:
    """Read the newest snapshots of the target's segments, and of those that are excluded, or go on with the attempt
    that earlier slices left if it is made from the same; read again where a snapshot was replaced meanwhile. `findings`
    are what a repair mends. Rows of people who are recognised have no values; nobody is in a segment that is read in
    pieces, since that takes the ledger.

    Raises UserMustAct where a segment is unknown or unreadable, RetryAfter where its files keep changing, or an
    excluded one is not complete; SliceOver where the next slice has to go on.
    """
    found, made_from = attempts.find(work), attempts.made_from(wish, before, fresh=fresh, findings=findings)
    stored = found if found and found.attempt and found.attempt.made_from == made_from else None
    for tried in count(1):
        try:
            if stored is not None:
                return _go_on(work, wish, stored, recognising)
            snapshots, barring = _newest(work)
            read = [*snapshots, *(each.snapshot for each in barring)]
            rows_per_file = work.cloud.settings.rows_per_file
            parts = division.division(read, before, rows_per_file)
            if parts == 1:
                if found:
                    attempts.clear(work)
                return _in_one(work, wish, snapshots, barring, recognising)
            pinned = attempts.pinning(
                work,
                snapshots,
                barring,
                made_from=made_from,
                fresh=fresh,
                parts=parts,
                rows_per_piece=pieces.rows_per_piece(read, rows_per_file),
            )
            stored = found = attempts.begin(work, pinned, found)
        except SnapshotChanged:
            if tried >= TRIES:
                raise
            stored = None
    raise AssertionError("it returns, or raises")


def _newest(work: Work) -> tuple[list[Snapshot], list[Barring]]:
    if work.run.kind is RunKind.WITHDRAW:
        return [], []
    snapshots = [segments.newest(work.cloud, reference) for reference in work.target.segments]
    return snapshots, excluded.find(work, snapshots)


def _go_on(work: Work, wish: Wish, stored: StoredAttempt, recognising: Recognising | None) -> Staged:
    attempt = stored.attempt
    assert attempt
    if stored.begun:
        with reader(work.cloud.segments, work.cloud.settings) as opened:
            size.look_before(work, opened, attempt.snapshots)
    if parted.parts_of([*attempt.snapshots, *(each.snapshot for each in attempt.barring)]) == attempt.parts:
        return _as_parted(work, wish, stored, recognising)
    return _in_pieces(work, wish, stored)


def _as_parted(work: Work, wish: Wish, stored: StoredAttempt, recognising: Recognising | None) -> Staged:
    """Each part is staged from its own files when it is planned; nothing goes through storage."""
    attempt = stored.attempt
    assert attempt
    snapshots, barring, parts = attempt.snapshots, attempt.barring, attempt.parts
    cut = parted.stretches([*snapshots, *(each.snapshot for each in barring)])
    people = list[Path]()

    def staged(part: int, name: str) -> list[Path]:
        path, knows = work.where / name, recognising if part != parted.REST else None
        with reader(work.cloud.segments, work.cloud.settings) as opened:
            people[:] = knows.load(opened.connection, part, parts) if knows else ()
            for number, stretch in enumerate(cut.get(part, ())):
                sources = [_source(opened, wish, stretch, snapshots, barring)]
                to = path.with_suffix(f".{number}.parquet")
                _write_recognising(opened, wish, sources, parts, to, knows, first=stretch.number)
        return sorted(work.where.glob(f"{path.name}.*"))

    rest = staged(parted.REST, "rest")
    with work.scratch.database() as connection:
        rows, spellings = _respelled(work, connection, rest, parts)

    def fetch(part: int) -> list[Path]:
        own = staged(part, f"part-{part}")
        with work.scratch.database() as connection:
            _require_part(connection, own, part)
        return [*own, *rest, *rows]

    def release(part: int) -> None:
        for path in (*work.where.glob(f"part-{part}.*"), *people):
            path.unlink(missing_ok=True)

    with reader(work.cloud.segments, work.cloud.settings) as opened:
        types = [_types_of_first(opened, snapshot, wish) for snapshot in snapshots]
    return Staged(snapshots, parts, fetch, release, spellings, types, barring, stored)


def _types_of_first(opened: Reader, snapshot: Snapshot, wish: Wish) -> Mapping[str, str]:
    first = replace(snapshot, files=snapshot.files[:1])
    opened.add(first)
    return opened.types(first, wish.columns)


def _require_part(connection: DuckDBPyConnection, files: Sequence[Path], part: int) -> None:
    """Raise UserMustAct where a row lies in another part than its address belongs to: it would be planned with others
    than its equals."""
    if not files:
        return
    listed = ", ".join(literal(str(path)) for path in files)
    [(strays,)] = connection.execute(
        f"SELECT count(*) FROM read_parquet([{listed}], union_by_name = true) WHERE part <> {part}"
    ).fetchall()
    if strays:
        raise UserMustAct(
            "parted_otherwise",
            say(
                "The segment lies in parts, and %(rows)s rows of part %(part)s belong to another "
                "part: divide it as docs/large-segments.md says, or land it without parts.",
                rows=strays,
                part=str(part),
            ),
        )


def _in_one(
    work: Work,
    wish: Wish,
    snapshots: Sequence[Snapshot],
    barring: Sequence[Barring],
    recognising: Recognising | None,
) -> Staged:
    if not snapshots:
        return Staged((), 1, lambda part: (), lambda part: None)
    read = [*snapshots, *(each.snapshot for each in barring)]
    path = work.where / "staged.parquet"
    with reader(work.cloud.segments, work.cloud.settings) as opened:
        size.look_before(work, opened, snapshots)
        sources = [_source(opened, wish, each, snapshots, barring) for each in pieces.whole(read)]
        people = recognising.load(opened.connection, 0, 1) if recognising else ()
        written = _write_recognising(opened, wish, sources, 1, path, recognising)
        types = [opened.types(snapshot, wish.columns) for snapshot in snapshots]
        rows, spellings = _respelled(work, opened.connection, [path], 1)

    def release(part: int) -> None:
        for each in (*written, *people):
            each.unlink(missing_ok=True)

    return Staged(snapshots, 1, lambda part: [*written, *rows], release, spellings, types, barring)


def _in_pieces(work: Work, wish: Wish, stored: StoredAttempt) -> Staged:
    """Stage what is not recorded yet."""
    attempt = stored.attempt
    assert attempt
    snapshots, barring = attempt.snapshots, attempt.barring
    read = [*snapshots, *(each.snapshot for each in barring)]
    own, records = 0, list[StagedPiece]()
    for number, piece in enumerate(pieces.cut(read, attempt.rows_per_piece)):
        record = None if stored.begun else once.read(work.cloud.blobs, _record(work, stored, number), StagedPiece)
        records.append(record or _stage_piece(work, wish, stored, number, piece))
        own += records[-1].rows if piece[0].segment < len(snapshots) else 0
        size.look(work, own)
        if record is None:
            work.may_go_on()
    with work.scratch.database() as connection:
        rows, spellings = _respelled(work, connection, _fetch(work, records, RESPELLED), attempt.parts)
    _release(work, RESPELLED)
    return Staged(
        snapshots,
        attempt.parts,
        fetch=lambda part: [*_fetch(work, records, part), *rows],
        release=lambda part: _release(work, part),
        drop=lambda part: _drop(work, records, part),
        spellings=spellings,
        types=_types(records, len(snapshots)),
        barring=barring,
        attempt=stored,
    )


def _record(work: Work, stored: StoredAttempt, number: int) -> str:
    return layout.piece(stored.folder(work), number)


def _stage_piece(work: Work, wish: Wish, stored: StoredAttempt, number: int, piece: Sequence[Stretch]) -> StagedPiece:
    """Stage one piece, and record it unless another execution was first."""
    attempt = stored.attempt
    assert attempt
    segment, snapshots, barring = piece[0].segment, attempt.snapshots, attempt.barring
    with reader(work.cloud.segments, work.cloud.settings) as opened:
        sources = [_source(opened, wish, each, snapshots, barring) for each in piece]
        query = operations.staging_query(wish, sources, attempt.parts, piece[0].number)
        prefix = layout.staged(stored.folder(work), number, attempts.execution(work))
        rows, written = _write_parts(work, opened, query, prefix, attempt.parts)
        types = {}
        if segment < len(snapshots):
            types = {segment: dict(opened.types(_stretched(snapshots[segment], piece), wish.columns))}
    return once.keep(work.cloud.blobs, _record(work, stored, number), StagedPiece(rows, _by_part(written), types))


def _by_part(names: Sequence[str]) -> dict[int, list[str]]:
    """Blobs by the part that their folder names."""
    found: dict[int, list[str]] = {}
    for name in sorted(names):
        part = int(name.rsplit("/", 2)[-2].removeprefix("part="))
        found.setdefault(part, []).append(name)
    return found


def _types(records: Sequence[StagedPiece], segments: int) -> list[dict[str, str]]:
    """Of each segment's columns, as the first piece says that knows them."""
    found: list[dict[str, str]] = [{} for _ in range(segments)]
    for record in reversed(records):
        for segment, types in record.types.items():
            found[segment] |= types
    return found


def _stretched(snapshot: Snapshot, stretches: Sequence[Stretch]) -> Snapshot:
    """The snapshot with the files of these stretches, which follow each other."""
    first, last = stretches[0], stretches[-1]
    return replace(snapshot, files=snapshot.files[first.first : last.first + last.files])


def _respelled(
    work: Work, connection: DuckDBPyConnection, staged: Sequence[Path], parts: int
) -> tuple[Sequence[Path], Sequence[Path]]:
    """Files of the rows whose addresses have another spelling now, and of the spellings before."""
    rows, spellings = work.where / "respelled.parquet", work.where / "spellings.parquet"
    found = staged and operations.respell(connection, staged, parts, rows, spellings)
    return ([rows], [spellings]) if found else ((), ())


def _source(
    opened: Reader, wish: Wish, stretch: Stretch, snapshots: Sequence[Snapshot], barring: Sequence[Barring]
) -> Source:
    """A few files, since a stretch is read by one thread."""
    if stretch.segment < len(snapshots):
        scan = opened.scan(_stretched(snapshots[stretch.segment], [stretch]), wish.columns)
        return Source(scan.rows, stretch.segment, stretch.first, scan.number)
    each = barring[stretch.segment - len(snapshots)]
    with each.said():
        scan = opened.scan(_stretched(each.snapshot, [stretch]), [each.column])
        return Source(scan.rows, each.number, stretch.first, excluded=each.rule)


def _write_recognising(
    opened: Reader,
    wish: Wish,
    sources: Sequence[Source],
    parts: int,
    path: Path,
    recognising: Recognising | None,
    *,
    first: int = 0,
) -> Sequence[Path]:
    """Stage sources in `path`, and rows by which people are recognised in another file; the files."""
    if recognising is None or not recognising.people.files:
        seed = recognising.seed if recognising else None
        _write_one(opened, operations.staging_query(wish, sources, parts, first, seed=seed), path)
        return [path]
    seed, known = recognising.seed, path.with_suffix(".known.parquet")
    _write_one(opened, operations.recognising_query(wish, sources, parts, first, seed=seed), known)
    query = operations.staging_query(wish, sources, parts, first, seed=seed, unless_recognised=known)
    _write_one(opened, query, path)
    return [path, known]


def _write_one(opened: Reader, query: str, path: Path) -> None:
    # The order is in the rows' numbers; keeping it in the files too would read one source after the other.
    opened.connection.execute("SET preserve_insertion_order = false")
    write(opened.connection, query, path)


def _write_parts(work: Work, opened: Reader, query: str, prefix: str, parts: int) -> tuple[int, list[str]]:
    """Some rows of each part are gathered, and written as a row group; the rows and names of what was written."""
    rows, block = max(ROWS_HELD // parts, FEWEST_ROWS), max(BYTES_HELD // parts, SMALLEST_BLOCK)
    blobs = work.cloud.blobs
    files = BlobFiles(blobs.service, PROTOCOL)
    opened.connection.register_filesystem(files)
    try:
        target = literal(files.url(blobs.container, prefix))
        opened.connection.execute("SET preserve_insertion_order = false")
        # Whatever its description says, DuckDB counts the rows of each part against it.
        opened.connection.execute(f"SET partitioned_write_flush_threshold = {rows}")
        # Threads of their own for writing let every open file gather tens of megabytes first.
        opened.connection.execute("SET async_threads = 0")
        packed = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {rows}"
        options = f"{packed}, PARTITION_BY (part), WRITE_PARTITION_COLUMNS true"
        with files.writing(block) as written:
            counted = opened.connection.execute(f"COPY ({query}) TO {target} ({options})").fetchone()
        return int(counted[0]) if counted else 0, written
    except duckdb.Error:
        if files.failure:  # DuckDB hides what storage said in a text of its own
            raise files.failure from None
        raise
    finally:
        opened.connection.unregister_filesystem(PROTOCOL)


def _fetch(work: Work, records: Sequence[StagedPiece], part: int) -> Sequence[Path]:
    """The part's files, one after the other; none where it has no rows. Raises Unusable where one is gone."""
    folder = _local(work, part)
    if folder.exists():  # planning the part failed, and is tried in another way
        _release(work, part)
    folder.mkdir()
    names = [name for record in records for name in record.files.get(part, ())]
    for number, name in enumerate(names):
        if work.cloud.blobs.fetch(name, folder / f"{number}.parquet") is None:
            raise once.Unusable(name)
    return sorted(folder.iterdir())


def _release(work: Work, part: int) -> None:
    folder = _local(work, part)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _local(work: Work, part: int) -> Path:
    return work.where / f"part-{part}"


def _drop(work: Work, records: Sequence[StagedPiece], part: int) -> None:
    for record in records:
        for name in record.files.get(part, ()):
            work.cloud.blobs.delete(name)
