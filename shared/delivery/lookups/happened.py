"""What was written down of a person on a list, and who was on the list on a day. Only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cloud.cloud import Cloud
from shared.delivery.batching import batches
from shared.delivery.sql import harmless, literal
from shared.delivery.state import events, layout, ledger, lookup
from shared.delivery.state.events import LIST, EventFile
from shared.delivery.state.files import BUCKETS, Files
from shared.delivery.state.scratch import Scratch, scratch
from shared.errors import Unprocessable
from shared.wording import say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOOK_SECONDS = 30.0
"""A person waits for the look."""
MOST_EVENTS = 500
AT_ONCE, BYTES = 64, 64 << 20
"""Files that are looked at together."""
MOST_MEMBERS = 200_000
"""In a file that is answered at once."""
MOST_BYTES = 128 << 20
"""Of events that are read for it."""
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Happenings:
    """What happened to a person on a list, the newest first; since when this is known, None where nothing is. Not all
    of it where there is too much. `list_key` is what events call the list."""

    list_key: str
    events: list[dict[str, Any]] = field(default_factory=list)
    known_since: datetime | None = None
    complete: bool = True


def of_person(
    cloud: Cloud,
    place: str,
    address: str,
    *,
    seconds: float = LOOK_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Happenings:
    """What happened to an address on the list of a ledger, as far as that is found in so many seconds."""
    salt, ends = events.known_salt(cloud.blobs), clock() + seconds
    hashed, bucket = events.address_hash(salt, address), lookup.bucket(address)
    listed = [(file, size) for file, size in _sizes(cloud, place) if salt and file.has(bucket, bucket)]
    newest = sorted(listed, key=lambda each: each[0].commit, reverse=True)
    found, complete = list[dict[str, Any]](), True
    with scratch(cloud.settings) as room:
        for batch in batches(newest, AT_ONCE, BYTES):
            if clock() > ends or len(found) > MOST_EVENTS:
                complete = False
                break
            found += _of_hash(cloud, room, batch, hashed)
    since = min((file.began for file, _ in listed), default=None)
    key = layout.events_folder(place).split("/")[-2]
    return Happenings(key, found[:MOST_EVENTS], since, complete and len(found) <= MOST_EVENTS)


def hash_of(cloud: Cloud, address: str) -> str:
    """What events call a person; empty where there are none yet."""
    salt = events.known_salt(cloud.blobs)
    return events.address_hash(salt, address) if salt else ""


def _sizes(cloud: Cloud, place: str) -> Iterator[tuple[EventFile, int]]:
    for name, size in cloud.blobs.sizes(layout.events_folder(place)):
        if file := EventFile.of(name):
            yield file, size


_TOLD = ("committed_at", "export", "run", "operation", "outcome", "code", "why", "status")


def _of_hash(cloud: Cloud, room: Scratch, batch: Sequence[EventFile], hashed: str) -> list[dict[str, Any]]:
    with room.database() as database:
        paths = _fetched(cloud, room.where, batch)
        if not paths:
            return []
        query = f"""
            SELECT {", ".join(_TOLD)} FROM {_read(paths)} WHERE address_hash = {literal(hashed)}
            ORDER BY generation DESC, operation = {literal(LIST)}
        """
        rows = database.execute(query).fetchall()
    for path in paths:
        path.unlink()
    return [dict(zip(("at", *_TOLD[1:]), (f"{at.isoformat()}+00:00", *rest), strict=True)) for at, *rest in rows]


def _fetched(cloud: Cloud, where: Path, files: Iterable[EventFile]) -> list[Path]:
    """Local copies; of files that expire meanwhile there is none."""
    wanted = [(file.name, where / f"events-{number:06d}.parquet") for number, file in enumerate(files)]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda each: cloud.blobs.fetch(*each), wanted)
    return [path for (_, path), etag in zip(wanted, found, strict=True) if etag is not None]


def _read(paths: Iterable[Path]) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}])"


@contextmanager
def members_on(cloud: Cloud, place: str, day: date) -> Iterator[Path]:
    """A CSV file of who was, or may have been, on the list of a ledger at the end of a day, UTC, which is gone after
    the block. Raises Unprocessable where that is not known, or too much for an answer."""
    files = _since_the_list(list(_sizes(cloud, place)), day)
    with scratch(cloud.settings) as room, room.database() as database:
        kept = ledger.read(cloud.blobs, place)
        ledger.load(Files(cloud.blobs), database, kept, 0, BUCKETS - 1, room.where)
        paths = _fetched(cloud, room.where, files)
        database.execute(f"CREATE TEMP VIEW until AS FROM {_read(paths)} WHERE committed_at < {_end_of(day)}")
        known = database.execute(f"SELECT max(generation) FROM until WHERE operation = {literal(LIST)}").fetchone()
        if known is None or known[0] is None:
            raise _unknown()
        database.execute(f"CREATE TEMP TABLE there AS {_there(int(known[0]))}")
        yield _written(database, room.where, events.known_salt(cloud.blobs))


def _since_the_list(found: Sequence[tuple[EventFile, int]], day: date) -> list[EventFile]:
    """The files that tell of a day: the newest complete list whose run began by then, and what came after it."""
    complete = events.complete_lists(file for file, _ in found)
    # A commit comes after its run began, so it may be an earlier list that counts.
    begun = sorted(commit for commit in complete if events.began(commit).date() <= day)[-3:]
    if not begun:
        raise _unknown()
    wanted = [(file, size) for file, size in found if begun[0] <= file.commit and file.began.date() <= day]
    wanted = [each for each in wanted if not each[0].listing or each[0].commit in complete]
    if sum(size for _, size in wanted) > MOST_BYTES:
        raise _too_many()
    return [file for file, _ in wanted]


def _end_of(day: date) -> str:
    return f"(DATE {literal(day.isoformat())} + INTERVAL 1 DAY)"


def _there(generation: int) -> str:
    """Who was on the list, by what is said last of each."""
    order = f"2 * generation + if(operation = {literal(LIST)}, 0, 1)"
    newest = ", ".join(f"arg_max({name}, {order}) AS {name}" for name in ("status", "run", "committed_at"))
    return f"""
        SELECT * FROM (
            SELECT address_hash, {newest} FROM until
            WHERE generation >= {generation} AND status IS NOT NULL AND address_hash IS NOT NULL GROUP BY address_hash
        ) WHERE status IN ('member', 'maybe')
    """


def _written(database: DuckDBPyConnection, where: Path, salt: str) -> Path:
    """The lines; people whom the ledger does not know any more have no address."""
    counted = database.execute("SELECT count(*) FROM there").fetchone()
    if counted and counted[0] > MOST_MEMBERS:
        raise _too_many()
    path = where / "members.csv"
    database.execute(f"""
        COPY (
            SELECT {harmless("ledger.address")} AS address, address_hash, there.status, there.run, there.committed_at
            FROM there LEFT JOIN ledger ON {events.hashed(salt, "ledger.address")} = address_hash
            ORDER BY address, address_hash
        ) TO {literal(str(path))} (FORMAT csv, HEADER)
    """)
    return path


def _unknown() -> Unprocessable:
    return Unprocessable(
        "not_known",
        say(
            "Who was on the list that day is not known, as nothing was written down by then, or "
            "it expired: choose a later day."
        ),
    )


def _too_many() -> Unprocessable:
    return Unprocessable(
        "too_many_members",
        say(
            "The list is too large for a file that is made at once: ask for the day in SQL, as the page on events says."
        ),
    )
