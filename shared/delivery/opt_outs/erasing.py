"""Forgetting a person in what was landed of opt-outs: their rows go from both files of each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from shared.catalog.issues import NotNow
from shared.catalog.opt_outs import OptOutsWanted
from shared.cloud.cloud import Cloud
from shared.delivery.account.lease import AccountLease, InUse
from shared.delivery.account.waiting import WaitingRow
from shared.delivery.opt_outs import gathering, record
from shared.delivery.opt_outs.landing import Landing
from shared.delivery.opt_outs.model import Part
from shared.delivery.opt_outs.record import OptOutRecord
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.scratch import database, folder
from shared.errors import UserMustAct
from shared.wording import say


def erase(cloud: Cloud, address: str) -> int:
    """Erase a normalised address; of how many connections it was landed. Safe to repeat. Raises NotNow while opt-outs
    are read."""
    return sum(_erase(cloud, connection, kept, address) for connection, kept in _records(cloud))


def holders(cloud: Cloud, address: str) -> Iterator[Callable[[], bool]]:
    """For each connection, whether the address was landed of it; each of them takes a while."""
    for connection, kept in _records(cloud):
        yield partial(_holds, cloud, connection, kept, address)


def _records(cloud: Cloud) -> Iterator[tuple[str, OptOutRecord]]:
    for name in list(cloud.blobs.names(layout.OPT_OUTS)):
        connection = name.removeprefix(layout.OPT_OUTS).removesuffix(".json")
        if (kept := record.read(cloud, connection)) is not None:
            yield connection, kept


def _erase(cloud: Cloud, connection: str, kept: OptOutRecord, address: str) -> bool:
    row = WaitingRow(cloud.waiting, cloud.slices, kept.account)
    try:
        with AccountLease(cloud.blobs, kept.account, quiet_seconds=0, look=lambda: None, row=row):
            found = [_rewrite(cloud, *each, address) for each in _parts(cloud, connection, kept)]
    except InUse:
        raise NotNow("running", say("Opt-outs are being read: wait for the end and try again.")) from None
    return any(found)


def _holds(cloud: Cloud, connection: str, kept: OptOutRecord, address: str) -> bool:
    return any(_rows_of(cloud, path, address) for _, _, path in _parts(cloud, connection, kept))


def _parts(cloud: Cloud, connection: str, kept: OptOutRecord) -> Iterator[tuple[Landing, Part, Path]]:
    """Every part that was ever landed and is still there, in a local file."""
    places = {kept.location: kept.parts, **{each.location: each.parts for each in kept.former}}
    for location, parts in places.items():
        landing = Landing(cloud, connection, OptOutsWanted(location=location))
        for part in parts:
            with folder() as where:
                path = where / "part.parquet"
                try:
                    landing.download(part.parquet, path)
                except UserMustAct:
                    continue  # somebody took it away
                yield landing, part, path


def _rows_of(cloud: Cloud, path: Path, address: str) -> int:
    with database(cloud.settings, path.parent) as connection:
        source = f"read_parquet({literal(str(path))})"
        counted = connection.execute(f"SELECT count(*) FROM {source} WHERE address = {literal(address)}").fetchone()
    return int(counted[0]) if counted else 0


def _rewrite(cloud: Cloud, landing: Landing, part: Part, path: Path, address: str) -> bool:
    """Parquet last: it is what tells whether the address is there still."""
    if not _rows_of(cloud, path, address):
        return False
    csv_path, parquet = path.with_name("kept.csv"), path.with_name("kept.parquet")
    with database(cloud.settings, path.parent) as connection:
        query = f"SELECT * FROM read_parquet({literal(str(path))}) WHERE address <> {literal(address)}"
        gathering.write_part(connection, query, csv_path, parquet)
    landing.upload(part.csv, csv_path)
    landing.upload(part.parquet, parquet)
    return True
