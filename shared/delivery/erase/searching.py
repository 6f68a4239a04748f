"""Does a delivery's folder hold somebody? Only reads; most deliveries take a request for each file of their plan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.cloud import Cloud
from shared.delivery import batching
from shared.delivery.erase.places import LINES, DeliveryFiles
from shared.delivery.erase.whom import Whom
from shared.delivery.sql import literal
from shared.delivery.state import layout, rejected_rows
from shared.delivery.state import plan as plans
from shared.delivery.state.scratch import Scratch
from shared.errors import Blocked

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST, BYTES = 100, 64 << 20
"""Deliveries that are searched together, and how much room their files take on disk."""
FEW = 8
"""Files of a plan that are all looked at; of more, its manifest says which have the person's bucket."""
_WITHOUT_ADDRESSES = "-left-out.parquet"
_STAGED = "/staged/"


class Holding(IntEnum):
    """`PERHAPS`: there are files that a worker left who died, or that cannot be read; erasing drops them."""

    NO = auto()
    PERHAPS = auto()
    YES = auto()


def batches(found: Iterable[DeliveryFiles]) -> Iterator[list[DeliveryFiles]]:
    """Deliveries that are searched together, since a query over many small files takes hardly longer than one."""
    return batching.batches(((each, sum(each.files.values())) for each in found), MOST, BYTES)


def search(cloud: Cloud, room: Scratch, whom: Whom, batch: Sequence[DeliveryFiles]) -> dict[str, Holding]:
    """Folder of each delivery -> whether its files hold the person; those of one that expires meanwhile do not."""
    found = {
        each.folder: Holding.YES
        if _in_lines(cloud, room.where, whom, each) or _in_sample(cloud, whom, each)
        else Holding.NO
        for each in batch
    }
    with room.database() as database:
        tables = _Tables(database, room.where, whom, found)
        for each in batch:
            if found[each.folder] is Holding.NO:
                for name in _tables(cloud, whom, each):
                    tables.add(cloud, each.folder, name)
        tables.look()
    return found


class _Tables:
    """Parquet files that are looked at together, and where they are from."""

    def __init__(self, database: DuckDBPyConnection, where: Path, whom: Whom, found: dict[str, Holding]) -> None:
        self._database = database
        self._where = where
        self._whom = whom
        self._found = found
        self._from: dict[str, str] = {}
        self._size = 0

    def add(self, cloud: Cloud, folder: str, name: str) -> None:
        """Fetch a file; those that were fetched are looked at where there is no more room."""
        if _STAGED in name:
            self._found[folder] = Holding.PERHAPS
            return
        path = self._where / f"searched-{len(self._from)}.parquet"
        if cloud.blobs.fetch(folder + name, path) is None:
            return
        self._from[str(path)] = folder
        self._size += path.stat().st_size
        if self._size > BYTES:
            self.look()

    def look(self) -> None:
        """Say of each folder whether it holds the person, and drop the files."""
        import duckdb

        try:
            self._look(list(self._from))
        except duckdb.Error:
            self._look_at_each()
        for path in self._from:
            Path(path).unlink()
        self._from, self._size = {}, 0

    def _look(self, paths: Sequence[str]) -> None:
        if not paths:
            return
        listed = ", ".join(map(literal, paths))
        source = f"read_parquet([{listed}], union_by_name=true, filename=true)"
        query = f"SELECT DISTINCT filename FROM {source} WHERE {self._whom.written_row}"
        for (path,) in self._database.execute(query).fetchall():
            self._found[self._from[path]] = Holding.YES

    def _look_at_each(self) -> None:
        """One of them cannot be read."""
        import duckdb

        for path, folder in self._from.items():
            try:
                self._look([path])
            except duckdb.Error:
                self._found[folder] = max(self._found[folder], Holding.PERHAPS)


def _tables(cloud: Cloud, whom: Whom, delivery: DeliveryFiles) -> Iterator[str]:
    folders = (layout.plan_files(""), layout.rejected_files(""), layout.rehearsal(""))
    names = [each for each in delivery.files if each.startswith(folders) and each.endswith(".parquet")]
    needless = _of_other_parts(cloud, whom, delivery) if len(names) > FEW else frozenset()
    yield from (each for each in names if not each.endswith(_WITHOUT_ADDRESSES) and each not in needless)


def _of_other_parts(cloud: Cloud, whom: Whom, delivery: DeliveryFiles) -> frozenset[str]:
    """Files of the plan whose people have other buckets."""
    try:
        found = plans.read(cloud.blobs, delivery.folder)
    except Blocked:
        return frozenset()
    if found is None:
        return frozenset()
    part = whom.bucket * found[0].parts // 256
    others = (each.file.name for each in found[0].files if each.part != part)
    return frozenset(name.removeprefix(delivery.folder) for name in others)


def _in_lines(cloud: Cloud, where: Path, whom: Whom, delivery: DeliveryFiles) -> bool:
    path = where / "lines.csv"
    for place, name in LINES.items():
        empty = rejected_rows.EMPTY if place == "rejected" else 0
        has_lines = delivery.files.get(name, 0) > empty and cloud.blobs.fetch(delivery.folder + name, path) is not None
        if has_lines and rejected_rows.hold(whom.is_it, path):
            return True
    return False


def _in_sample(cloud: Cloud, whom: Whom, delivery: DeliveryFiles) -> bool:
    name = layout.sample("")
    stored = cloud.blobs.read(delivery.folder + name) if name in delivery.files else None
    return stored is not None and any(whom.is_it(row["address"]) for row in json.loads(stored[0]))
