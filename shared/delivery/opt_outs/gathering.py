"""People of rolls, of whom those are kept that we sent to the vendor and that were not landed yet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.cloud import Cloud
from shared.delivery.opt_outs.landing import Landing
from shared.delivery.opt_outs.model import COLUMNS, Part
from shared.delivery.sql import literal
from shared.delivery.state import ledger as ledgers
from shared.delivery.state.files import BUCKET, BUCKETS, Files, buckets, write
from shared.mailbox import normalised
from shared.vendors.opt_outs import OptOut, OptOutKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMES = ", ".join(f"{name}: 'VARCHAR'" for name in ("address", "kind", "opted_out_at", "reason", "list_id"))
_LINES = f"columns={{{_NAMES}}}, header=false, auto_detect=false, delim=',', quote='\"', escape='\"'"
_SAME = " AND ".join(f"landed.{name} = found.{name}" for name in ("address", "kind", "opted_out_at", "list_id"))
"""What one person said at one time to one list is landed once."""
_OURS = ("member", "maybe")
"""Whoever is none of these is off the list by our own doing."""


@dataclass(frozen=True, slots=True)
class SentList:
    """A list that exports send people to, and its ledger's folder."""

    list_id: str
    name: str
    ledger: str


class Lines:
    """People of rolls as they come, in a local file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._stream = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream, quoting=csv.QUOTE_ALL)

    def add(self, list_id: str, people: Iterable[OptOut]) -> None:
        for each in people:
            self._writer.writerow((normalised(each.address), each.kind, each.at, each.reason, list_id))
            self.count += 1

    def close(self) -> None:
        self._stream.close()


def sift(cloud: Cloud, database: DuckDBPyConnection, lines: Lines, lists: Sequence[SentList], where: Path) -> None:
    """Make the table `found` of those people whom we sent: on that very list, or on any where the roll is the
    account's. Raises Blocked for a damaged ledger."""
    lines.close()
    read = f"read_csv({literal(str(lines.path))}, {_LINES})"
    told = where / "told.parquet"
    write(database, f"SELECT DISTINCT *, {BUCKET} AS bucket FROM {read}", told)
    lines.path.unlink()
    database.execute(f"CREATE TEMP VIEW told AS FROM read_parquet({literal(str(told))})")
    database.execute(
        "CREATE TEMP TABLE found (address VARCHAR, kind VARCHAR, opted_out_at VARCHAR, reason VARCHAR, "
        "list_id VARCHAR, list_name VARCHAR)"
    )
    for each in lists:
        _in_ledger(cloud, database, each, where)


def _in_ledger(cloud: Cloud, database: DuckDBPyConnection, sent: SentList, where: Path) -> None:
    """Part by part, so that neither memory nor disk grows with the ledger."""
    ledger = ledgers.read(cloud.blobs, sent.ledger)
    parts = max((BUCKETS // (each.last - each.first + 1) for each in ledger.files), default=1)
    ours = ", ".join(map(literal, _OURS))
    for part in range(parts):
        first, last = buckets(part, parts)
        paths = ledgers.load(Files(cloud.blobs), database, ledger, first, last, where)
        database.execute(f"""
            INSERT INTO found
            SELECT told.address, told.kind, coalesce(told.opted_out_at, ''), coalesce(told.reason, ''),
                   coalesce(told.list_id, ''),
                   CASE WHEN coalesce(told.list_id, '') = '' THEN '' ELSE {literal(sent.name)} END
            FROM told JOIN ledger ON told.address = ledger.address
            WHERE told.bucket BETWEEN {first} AND {last}
              AND coalesce(told.list_id, '') IN ('', {literal(sent.list_id)})
              AND (told.kind <> {literal(OptOutKind.DELETED)} OR ledger.status IN ({ours}))
        """)
        for path in paths:
            path.unlink()


def forget_landed(database: DuckDBPyConnection, landing: Landing, parts: Sequence[Part], where: Path) -> None:
    """Leave in `found` who is in none of these parts, one after the other. Raises UserMustAct where one is gone."""
    path = where / "landed.parquet"
    for each in parts:
        landing.download(each.parquet, path)
        landed = f"read_parquet({literal(str(path))}) AS landed"
        database.execute(f"DELETE FROM found USING {landed} WHERE {_SAME}")
        path.unlink()


def counts(database: DuckDBPyConnection) -> dict[str, int]:
    """People in `found` by what became of them."""
    rows = database.execute(f"SELECT kind, count(*) FROM ({_EACH_ONCE}) GROUP BY kind ORDER BY kind").fetchall()
    return {str(kind): int(number) for kind, number in rows}


def save(database: DuckDBPyConnection, told: Mapping[str, str], csv_path: Path, parquet: Path) -> None:
    """Write `found` into both files of a part; `told` are the cells that are the same in every row."""
    cells = {each: f"{literal(told[each])} AS {each}" if each in told else each for each in COLUMNS}
    query = f"SELECT {', '.join(cells.values())} FROM ({_EACH_ONCE}) ORDER BY address, opted_out_at, kind, list_id"
    write_part(database, query, csv_path, parquet)


def write_part(database: DuckDBPyConnection, query: str, csv_path: Path, parquet: Path) -> None:
    """Run a query into both files of a part."""
    write(database, query, parquet)
    rows = f"SELECT * FROM read_parquet({literal(str(parquet))})"
    database.execute(f"COPY ({rows}) TO {literal(str(csv_path))} (FORMAT csv, HEADER true, FORCE_QUOTE *)")


_EACH_ONCE = """
    SELECT address, kind, opted_out_at, list_id, any_value(reason) AS reason, any_value(list_name) AS list_name
    FROM found GROUP BY address, kind, opted_out_at, list_id
"""
