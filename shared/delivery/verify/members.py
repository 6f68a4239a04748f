"""Everyone on a target beside everyone in its ledger, part by part, so that neither memory nor disk grows with both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.blobs import Blobs
from shared.delivery.sql import harmless, literal
from shared.delivery.state import ledger as ledgers
from shared.delivery.state.files import BUCKET, Files, buckets, keep, write
from shared.delivery.state.found import FoundFile, What
from shared.delivery.state.ledger import Ledger
from shared.mailbox import normalised

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEADER = "address,difference,record\n"
_LINES = (
    "columns={address: 'VARCHAR', shown: 'VARCHAR'}, header=false, auto_detect=false, delim='\\t', quote='', "
    "escape='', max_line_size=16000000"
)
_WORDS = {What.MISSING: "not on the list", What.LOST: "not from this export", What.DIFFERS: "other values"}


@dataclass(slots=True)
class Difference:
    """People: `listed` at the vendor, `missing` from it, `strangers` there; we had taken `returned` of these off.
    `lost` are the strangers whom we added once, those whom we took off among them; `differs` have other values than
    were delivered, of `compared` people."""

    listed: int = 0
    missing: int = 0
    strangers: int = 0
    returned: int = 0
    lost: int = 0
    differs: int = 0
    compared: int = 0


@dataclass(slots=True)
class Compared:
    """What a comparison came to: numbers, and the files of whom a repair may mend."""

    counts: Difference = field(default_factory=Difference)
    files: list[FoundFile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared: the ledger, and the vendor's people, each with what it shows of them.

    `ours` fills the table `ours` with those of the view `unknown` whom earlier runs added; `values` fills the table
    `other` with people of a part whose values differ, and says of how many they were compared. Both get the part's
    first and last bucket. There are `parts`.
    """

    ledger: Ledger
    people: Iterator[tuple[str, str | None]]
    parts: int
    ours: Callable[[int, int], None]
    values: Callable[[int], int]


def compare(
    connection: DuckDBPyConnection, blobs: Blobs, sides: Sides, where: Path, *, lines: str, folder: str
) -> Compared:
    """Read all people and compare them with the ledger. Whoever differs is a line of the blob `lines`, and a row of
    files in `folder` where a repair may mend it. All of them hold addresses.

    Raises what reading the people raises, and Blocked for a damaged ledger.
    """
    found = Compared()
    _listed(connection, sides.people, where)
    blobs.compose(lines, _pieces(connection, Files(blobs), sides, found, where, folder))
    return found


def _listed(connection: DuckDBPyConnection, people: Iterator[tuple[str, str | None]], where: Path) -> None:
    """Make the view `listed` of distinct addresses with their buckets, and what is shown of each. An address that
    cannot be printed, with a tab in it, is nobody's whom an export could add, and would be no line of its own."""
    lines, path = where / "members.txt", where / "members.parquet"
    with lines.open("w", encoding="utf-8") as stream:
        stream.writelines(
            f"{address}\t{shown or ''}\n" for member, shown in people if (address := normalised(member)).isprintable()
        )
    query = f"""
        SELECT address, {BUCKET} AS bucket, nullif(any_value(shown), '') AS shown
        FROM read_csv({literal(str(lines))}, {_LINES}) GROUP BY address
    """
    write(connection, query, path)
    lines.unlink()
    connection.execute(f"CREATE OR REPLACE TEMP VIEW listed AS FROM read_parquet({literal(str(path))})")


def _pieces(
    connection: DuckDBPyConnection, files: Files, sides: Sides, found: Compared, where: Path, folder: str
) -> Iterator[Path]:
    header = where / "header.csv"
    header.write_text("\ufeff" + HEADER, encoding="utf-8")
    yield header
    for part in range(sides.parts):
        first, last = buckets(part, sides.parts)
        paths = ledgers.load(files, connection, sides.ledger, first, last, where)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW here AS FROM listed WHERE bucket BETWEEN {first} AND {last}")
        unknown = "SELECT address FROM here ANTI JOIN ledger USING (address)"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE unknown AS {unknown}")
        for table in ("ours", "other"):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} (address VARCHAR)")
        sides.ours(first, last)
        found.counts.compared += sides.values(part)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE differing AS {_DIFFERING}")
        _count(connection, found.counts)
        name = f"{part:03d}.parquet"
        if kept := keep(files, connection, _MENDABLE, folder + name, where / name):
            found.files.append(FoundFile(first, last, kept))
        rows = where / "differing.csv"
        shown = f"SELECT {harmless('address')}, difference, status FROM differing ORDER BY difference, address"
        connection.execute(f"COPY ({shown}) TO {literal(str(rows))} (FORMAT csv, HEADER false)")
        for path in paths:
            path.unlink()
        yield rows


_DIFFERING = f"""
    SELECT *, CASE what WHEN '{What.MISSING}' THEN '{_WORDS[What.MISSING]}'
                        WHEN '{What.DIFFERS}' THEN '{_WORDS[What.DIFFERS]}' ELSE '{_WORDS[What.LOST]}' END AS difference
    FROM (
        SELECT coalesce(ledger.address, here.address) AS address, coalesce(ledger.bucket, here.bucket) AS bucket,
               ledger.status,
               CASE WHEN here.address IS NULL THEN '{What.MISSING}'
                    WHEN ledger.status = 'member' THEN '{What.DIFFERS}'
                    WHEN ledger.status = 'removed' OR here.address IN (FROM ours) THEN '{What.LOST}' END AS what
        FROM ledger FULL JOIN here ON ledger.address = here.address
        WHERE (here.address IS NULL AND ledger.status = 'member')
           OR (here.address IS NOT NULL AND coalesce(ledger.status, '') NOT IN ('member', 'maybe'))
           OR (ledger.status = 'member' AND here.address IN (FROM other))
    )
"""
"""The rows that differ. People whose outcome is unknown (`maybe`) fit either way, so they are left out. `what` is NULL
for strangers whom we never added: nobody may touch them."""
_MENDABLE = "SELECT address, bucket, what FROM differing WHERE what IS NOT NULL"


def _count(connection: DuckDBPyConnection, found: Difference) -> None:
    stranger = f"coalesce(what, '{What.LOST}') = '{What.LOST}'"
    counted = connection.execute(f"""
        SELECT (SELECT count(*) FROM here), count(*) FILTER (what = '{What.MISSING}'), count(*) FILTER ({stranger}),
               count(*) FILTER ({stranger} AND status = 'removed'), count(*) FILTER (what = '{What.LOST}'),
               count(*) FILTER (what = '{What.DIFFERS}')
        FROM differing
    """).fetchone()
    for each, number in zip(fields(found), counted or (), strict=False):
        setattr(found, each.name, getattr(found, each.name) + int(number))
