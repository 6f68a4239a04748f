"""Erase somebody from the events of all lists, file by file: a file keeps its name, and loses the person's rows.

It needs no account: the ledgers and plans are without the person by then, so that no commit writes them again, and a
file is only written over the version that was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.cloud.cloud import Cloud
from shared.delivery import batching
from shared.delivery.erase.whom import Whom
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.events import EventFile
from shared.delivery.state.files import write
from shared.delivery.state.scratch import Scratch
from shared.errors import Blocked
from shared.wording import say

MOST, BYTES = 100, 64 << 20
"""Files that are looked at together, before it is written down how far that is."""
ASKED_BEFORE = say("It was asked for before events were kept: ask for it again.")


def batches(cloud: Cloud, whom: Whom, after: str = "") -> Iterator[list[EventFile]]:
    """Files that may hold the person, in the order of their names, behind one of them."""
    files = ((EventFile.of(name), size) for name, size in cloud.blobs.sizes(layout.EVENTS) if name > after)
    wanted = ((file, size) for file, size in files if file and file.has(whom.bucket, whom.bucket))
    return batching.batches(wanted, MOST, BYTES)


def holding(cloud: Cloud, room: Scratch, whom: Whom, batch: Sequence[EventFile]) -> int:
    """How many of the files hold the person. Raises Blocked for one that cannot be read."""
    path = room.where / "events.parquet"
    return sum(cloud.blobs.fetch(file.name, path) is not None and _has(room, whom, file, path) for file in batch)


def erase(cloud: Cloud, room: Scratch, whom: Whom, file: EventFile) -> int:
    """Erase the person from a file; whether it held them. Raises Blocked for one that cannot be read, and Conflict
    where somebody else writes it."""
    path, kept = room.where / "events.parquet", room.where / "events-kept.parquet"
    etag = cloud.blobs.fetch(file.name, path)
    if etag is None or not _has(room, whom, file, path):
        return 0
    with room.database() as database:
        write(database, f"FROM read_parquet({literal(str(path))}) WHERE NOT ({whom.event_row})", kept)
    cloud.blobs.compose(file.name, iter([kept]), etag=etag)
    return 1


def _has(room: Scratch, whom: Whom, file: EventFile, path: Path) -> bool:
    import duckdb

    query = f"FROM read_parquet({literal(str(path))}) WHERE {whom.event_row} LIMIT 1"
    try:
        with room.database() as database:
            return database.execute(query).fetchone() is not None
    except duckdb.Error:
        raise Blocked(
            "events_damaged",
            say("The file %(file)s of what happened to people cannot be read: delete it.", file=file.name),
        ) from None
