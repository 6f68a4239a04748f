"""Who is on the list at the vendor now, read once for a rehearsal and kept for its slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile, write
from shared.delivery.work import Work
from shared.mailbox import normalised
from shared.vendors.contract import TargetFound, Vendor
from shared.vendors.hashes import Hashes

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LINES = "columns={address: 'VARCHAR'}, header=false, auto_detect=false, delim='\\t', quote='', escape=''"
_AT_ONCE = 10_000
_NOBODY = "SELECT NULL::VARCHAR AS address WHERE false"


def read(work: Work, vendor: Vendor, target: TargetFound, folder: str) -> dict[str, object]:
    """Read everyone on the target into a blob of `folder`. What is to be remembered of it: the file and how many they
    are, or that they are too many to be read. Raises what a call raises."""
    counted = vendor.count(target)
    if counted is not None and counted.people > most(work):
        return {"people": None}
    lines, path = work.where / "listed.txt", work.where / "listed.parquet"
    read = _write(lines, islice(vendor.members(target), most(work) + 1))
    if read > most(work):
        lines.unlink()
        return {"people": None}
    with work.scratch.database() as database:
        rows = write(database, f"SELECT DISTINCT address FROM read_csv({literal(str(lines))}, {_LINES})", path)
    stored = work.files.upload(layout.listed(folder), path)
    lines.unlink()
    path.unlink()
    return {"people": rows, "listed": asdict(DataFile(stored.name, stored.md5, stored.size, rows))}


def most(work: Work) -> int:
    """People who can be read within a slice."""
    return work.opened.definition.most_members


def _write(lines: Path, people: Iterator[str]) -> int:
    """A line for each; an address that cannot be printed is nobody's whom an export could add."""
    read = 0
    with lines.open("w", encoding="utf-8") as stream:
        for member in people:
            read += 1
            if (address := normalised(member)).isprintable():
                stream.write(f"{address}\n")
    return read


def view(work: Work, database: DuckDBPyConnection) -> None:
    """Make the view `listed` of their addresses."""
    source = _NOBODY
    if kept := work.delivery.foreseen.get("listed"):
        path = work.where / "listed.parquet"
        if not work.files.download(DataFile.of(kept).stored, path):
            raise RuntimeError("a file of this rehearsal's own is missing")
        source = f"FROM read_parquet({literal(str(path))})"
    database.execute(f"CREATE OR REPLACE TEMP VIEW listed AS {source}")


def in_memory(work: Work) -> Hashes | None:
    """The same as a set; None where they were too many to be read."""
    if work.delivery.foreseen.get("people") is None:
        return None
    found = Hashes()
    with work.scratch.database() as database:
        view(work, database)
        asked = database.execute("SELECT address FROM listed")
        while rows := asked.fetchmany(_AT_ONCE):
            for (address,) in rows:
                found.add(address)
    return found
