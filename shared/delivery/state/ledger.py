"""The ledger of a target: one row for every address that we ever touched there.

Rows lie in Parquet files that each cover a range of buckets; a manifest names the files. Committing a delivery writes
new files and then swaps the manifest, on the condition that it still is the one that the plan was made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from shared.cloud.blobs import Blobs
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile, Files
from shared.errors import Blocked
from shared.wording import say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VERSION = 1
OLDER = "ledger_older"

COLUMNS = {
    "address": "VARCHAR",
    "bucket": "UTINYINT",
    "status": "VARCHAR",
    "hash": "UBIGINT",
    "vendor_id": "VARCHAR",
    "code": "VARCHAR",
    "retry": "VARCHAR",
    "refused_hash": "UBIGINT",
    "changed_at": "TIMESTAMP",
    "removed_at": "TIMESTAMP",
    "run": "VARCHAR",
    "person": "UBIGINT",
    "row": "UBIGINT",
}
"""`hash` is of the values last accepted, NULL when not known; `removed_at` is when we last took them off, or may have,
NULL while they are members; `run` the run that last touched the row; `person` is made of the person's id, where the
export names a column with it; `row` of the row that had these values, where it tells nothing else (see
`plan/recognised.py`)."""


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """Rows of the buckets first..last; `members` of them are, or may be, on the list: `maybe` of these may be."""

    first: int
    last: int
    members: int
    file: DataFile
    maybe: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger's manifest. `commit` names the delivery that wrote it."""

    commit: str = ""
    files: tuple[LedgerFile, ...] = ()
    previous: tuple[str, ...] = ()
    """Files of the generation before, kept until the next commit."""
    generation: int = 0
    """Counts the commits. 0 was written by a version that did not count."""
    snapshots: tuple[dict[str, Any], ...] = ()
    """What was delivered last: key and time of each segment's snapshot."""
    etag: str | None = None
    listed: str = ""
    """The commit that last wrote down beside its events who was on the list before it; empty where none did, or where
    no events were written since."""

    @property
    def members(self) -> int:
        return sum(each.members for each in self.files)

    def to_json(self) -> bytes:
        plain = asdict(self) | {"version": VERSION}
        del plain["etag"]
        return json.dumps(plain).encode()


class Commit(NamedTuple):
    """A commit by name and generation, as a target's row or a plan remembers it."""

    name: str = ""
    generation: int = 0

    @classmethod
    def of(cls, memory: Mapping[str, Any]) -> Self:
        """The last commit that a target's row remembers."""
        return cls(str(memory.get("committed") or ""), int(memory.get("generation") or 0))

    def facts(self) -> dict[str, Any]:
        """What the target's row remembers of it."""
        return {"committed": self.name, "generation": self.generation}

    def is_after(self, found: Ledger) -> bool:
        """Whether the ledger that was found is older than this commit. A name begins with the time of its run, by the
        clock of whoever started it, so it only tells what a version left that did not count generations."""
        if found.generation == 0:
            return found.commit < self.name
        return (found.generation, found.commit) != self[::-1] and found.generation <= self.generation


NEVER = Commit()
"""Stands for a target of which no commit is remembered."""


def read(blobs: Blobs, folder: str, *, committed: Commit = NEVER) -> Ledger:
    """A target's ledger; an empty one where there never was any. `committed` is the last commit that is remembered.
    A ledger that is newer is right: a worker may die between writing it and remembering it.

    Raises Blocked `ledger_missing`, `ledger_damaged` or `ledger_older`: what to do is for a person to decide.
    """
    found = blobs.read(layout.ledger_manifest(folder))
    if found is None:
        if committed.name:
            raise Blocked(
                "ledger_missing", say("The record of who is on the list is missing; a full resync rebuilds it.")
            )
        return Ledger()
    try:
        current = _parse(json.loads(found[0]), found[1])
    except (ValueError, KeyError, TypeError):
        raise damaged() from None
    if committed.is_after(current):
        raise Blocked(
            OLDER,
            say(
                "The record of who is on the list is older than the last delivery, as after restoring a backup: "
                "put the newer one back, or run a full resync, which goes on from the older one, and check the "
                "list afterwards."
            ),
        )
    return current


def emptied(blobs: Blobs, folder: str, *, unless: str = "") -> Ledger:
    """An empty ledger to write in the place of whatever is there; what is there, where the commit `unless` wrote it."""
    found = blobs.read(layout.ledger_manifest(folder))
    if found is None:
        return Ledger()
    try:
        current = _parse(json.loads(found[0]), found[1])
    except (ValueError, KeyError, TypeError):
        return Ledger(etag=found[1])
    return current if unless and current.commit == unless else Ledger(etag=found[1])


def damaged() -> Blocked:
    return Blocked("ledger_damaged", say("The record of who is on the list is damaged; a full resync rebuilds it."))


def save(blobs: Blobs, folder: str, ledger: Ledger, *, etag: str | None) -> None:
    """Swap the manifest. Raises Conflict where it is not the one with `etag` (None: there must be none)."""
    name = layout.ledger_manifest(folder)
    if etag is None:
        blobs.create(name, ledger.to_json())
    else:
        blobs.write(name, ledger.to_json(), etag=etag)


def load(
    files: Files, database: DuckDBPyConnection, ledger: Ledger, first: int, last: int, where: Path
) -> Sequence[Path]:
    """Make the view `ledger` of the rows in buckets first..last, and say which local files it reads. What lies there
    already is not fetched again.

    Raises Blocked `ledger_damaged` where a file is missing or not what was written.
    """
    paths = []
    for part in ledger.files:
        if part.last < first or part.first > last:
            continue
        path = where / f"ledger-{part.file.md5}.parquet"
        if not path.exists() and not files.download(part.file.stored, path):
            path.unlink(missing_ok=True)
            raise damaged()
        paths.append(path)
    empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in COLUMNS.items())
    source = f"SELECT {empty} WHERE false"
    if paths:  # by name, since files of earlier versions have fewer columns
        listed = ", ".join(literal(str(path)) for path in paths)
        source += f" UNION ALL BY NAME FROM read_parquet([{listed}], union_by_name = true)"
        source = f"SELECT {', '.join(COLUMNS)} FROM ({source}) WHERE bucket BETWEEN {first} AND {last}"
    database.execute(f"CREATE OR REPLACE TEMP VIEW ledger AS {source}")
    return paths


def _parse(plain: dict[str, Any], etag: str) -> Ledger:
    if plain["version"] != VERSION:
        raise ValueError("another version")
    files = tuple(
        LedgerFile(each["first"], each["last"], each["members"], DataFile.of(each["file"]), each.get("maybe", 0))
        for each in plain["files"]
    )
    return Ledger(
        commit=plain["commit"],
        files=files,
        previous=tuple(plain["previous"]),
        generation=int(plain.get("generation", 0)),
        snapshots=tuple(plain["snapshots"]),
        listed=str(plain.get("listed", "")),
        etag=etag,
    )
