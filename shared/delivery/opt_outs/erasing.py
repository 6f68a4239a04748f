"""Forgetting a person in what was landed of opt-outs: their rows go from both files of each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from shared.catalog.opt_outs import OptOutsWanted
from shared.cloud.cloud import Cloud
from shared.delivery.opt_outs import gathering, record
from shared.delivery.opt_outs.landing import Landing
from shared.delivery.opt_outs.model import Part
from shared.delivery.opt_outs.record import OptOutRecord
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.scratch import database, folder
from shared.errors import UserMustAct


def accounts(cloud: Cloud) -> set[str]:
    """Accounts of which opt-outs were landed. Raises UserMustAct where nobody can tell."""
    return {kept.account for _, kept in _records(cloud)}


def erase(cloud: Cloud, account: str, row: str) -> int:
    """Erase whose row meets a condition in SQL, while the account is ours; of how many connections they were landed.
    Safe to repeat. Raises UserMustAct where nobody can tell."""
    mine = [(connection, kept) for connection, kept in _records(cloud) if kept.account == account]
    erased = (sum(_rewrite(cloud, *each, row) for each in _parts(cloud, *one)) for one in mine)
    return sum(parts > 0 for parts in erased)


def holders(cloud: Cloud, row: str) -> Iterator[Callable[[], bool]]:
    """For each connection, whether somebody was landed of it; each of them takes a while."""
    for connection, kept in _records(cloud):
        yield partial(_holds, cloud, connection, kept, row)


def _records(cloud: Cloud) -> Iterator[tuple[str, OptOutRecord]]:
    for name in list(cloud.blobs.names(layout.OPT_OUTS)):
        connection = name.removeprefix(layout.OPT_OUTS).removesuffix(".json")
        if (kept := record.read(cloud, connection)) is not None:
            yield connection, kept


def _holds(cloud: Cloud, connection: str, kept: OptOutRecord, row: str) -> bool:
    return any(_rows_of(cloud, path, row) for _, _, path in _parts(cloud, connection, kept))


def _parts(cloud: Cloud, connection: str, kept: OptOutRecord) -> Iterator[tuple[Landing, Part, Path]]:
    """Every part that was ever landed and is still there, in a local file; also one that no record tells of yet."""
    places = {kept.location: kept.every_part, **{each.location: each.parts for each in kept.former}}
    for location, parts in places.items():
        landing = Landing(cloud, connection, OptOutsWanted(location=location))
        for part in (*parts, Part(record.next_number(parts), 0, "")):
            with folder() as where:
                path = where / "part.parquet"
                try:
                    landing.download(part.parquet, path)
                except UserMustAct:
                    continue  # it was never landed, or somebody took it away
                yield landing, part, path


def _rows_of(cloud: Cloud, path: Path, row: str) -> int:
    with database(cloud.settings, path.parent) as connection:
        source = f"read_parquet({literal(str(path))})"
        counted = connection.execute(f"SELECT count(*) FROM {source} WHERE {row}").fetchone()
    return int(counted[0]) if counted else 0


def _rewrite(cloud: Cloud, landing: Landing, part: Part, path: Path, row: str) -> bool:
    """Parquet last: it is what tells whether the address is there still."""
    if not _rows_of(cloud, path, row):
        return False
    csv_path, parquet = path.with_name("kept.csv"), path.with_name("kept.parquet")
    with database(cloud.settings, path.parent) as connection:
        query = f"SELECT * FROM read_parquet({literal(str(path))}) WHERE NOT ({row})"
        gathering.write_part(connection, query, csv_path, parquet)
    landing.upload(part.csv, csv_path)
    landing.upload(part.parquet, parquet)
    return True
