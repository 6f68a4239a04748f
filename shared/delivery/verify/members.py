"""Everyone on a target beside everyone in its ledger, part by part, so that neither memory nor disk grows with both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.cloud import Cloud
from shared.delivery.sql import harmless, literal
from shared.delivery.state import ledger as ledgers
from shared.delivery.state.files import BUCKET, BUCKETS, Files, buckets, write
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.scratch import database, folder
from shared.mailbox import normalised

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEADER = "address,difference,record\n"
_LINES = "columns={address: 'VARCHAR'}, header=false, auto_detect=false, delim='\\t', quote='', escape=''"


@dataclass(slots=True)
class Difference:
    """People: `listed` at the vendor, `missing` from it, `strangers` there; we had taken `returned` of these off."""

    listed: int = 0
    missing: int = 0
    strangers: int = 0
    returned: int = 0


def compare(cloud: Cloud, ledger: Ledger, members: Iterator[str], name: str) -> Difference:
    """Read all members, compare them with the ledger, and store who differs as the blob `name`, which holds addresses.

    Raises what `members` raises, and Blocked for a damaged ledger.
    """
    found = Difference()
    with folder() as where, database(cloud.settings, where) as connection:
        _listed(connection, members, where)
        cloud.blobs.compose(name, _pieces(cloud, connection, ledger, found, where))
    return found


def _listed(connection: DuckDBPyConnection, members: Iterator[str], where: Path) -> None:
    """Make the view `listed` of distinct addresses with their buckets."""
    lines, path = where / "members.txt", where / "members.parquet"
    with lines.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{normalised(address)}\n" for address in members)
    query = f"SELECT DISTINCT address, {BUCKET} AS bucket FROM read_csv({literal(str(lines))}, {_LINES})"
    write(connection, query, path)
    lines.unlink()
    connection.execute(f"CREATE TEMP VIEW listed AS FROM read_parquet({literal(str(path))})")


def _pieces(
    cloud: Cloud, connection: DuckDBPyConnection, ledger: Ledger, found: Difference, where: Path
) -> Iterator[Path]:
    header = where / "header.csv"
    header.write_text("\ufeff" + HEADER, encoding="utf-8")
    yield header
    parts = max((BUCKETS // (each.last - each.first + 1) for each in ledger.files), default=1)
    for part in range(parts):
        first, last = buckets(part, parts)
        paths = ledgers.load(Files(cloud.blobs), connection, ledger, first, last, where)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE differing AS {_differing(first, last)}")
        _count(connection, found, first, last)
        rows = where / "differing.csv"
        shown = f"SELECT {harmless('address')}, difference, status FROM differing ORDER BY difference, address"
        connection.execute(f"COPY ({shown}) TO {literal(str(rows))} (FORMAT csv, HEADER false)")
        for path in paths:
            path.unlink()
        yield rows


def _differing(first: int, last: int) -> str:
    """The rows that differ. People whose outcome is unknown (`maybe`) fit either way, so they are left out."""
    return f"""
        SELECT coalesce(ledger.address, here.address) AS address, ledger.status,
               CASE WHEN here.address IS NULL THEN 'not on the list' ELSE 'not from this export' END AS difference
        FROM ledger FULL JOIN (SELECT * FROM listed WHERE bucket BETWEEN {first} AND {last}) AS here
             ON ledger.address = here.address
        WHERE (here.address IS NULL AND ledger.status = 'member')
           OR (here.address IS NOT NULL AND coalesce(ledger.status, '') NOT IN ('member', 'maybe'))
    """


def _count(connection: DuckDBPyConnection, found: Difference, first: int, last: int) -> None:
    counted = connection.execute(f"""
        SELECT (SELECT count(*) FROM listed WHERE bucket BETWEEN {first} AND {last}),
               count(*) FILTER (WHERE difference = 'not on the list'),
               count(*) FILTER (WHERE difference <> 'not on the list'),
               count(*) FILTER (WHERE difference <> 'not on the list' AND status = 'removed')
        FROM differing
    """).fetchone()
    for each, number in zip(fields(found), counted or (0, 0, 0, 0), strict=True):
        setattr(found, each.name, getattr(found, each.name) + int(number))
