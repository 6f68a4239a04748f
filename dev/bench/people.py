"""A million people in seconds: CSV files of 12 columns, written by DuckDB into Blob Storage as a segment's snapshot.

A person follows from a number and a version, so that the next version differs in known people only.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
from azure.storage.blob import ContainerClient

ROWS_PER_FILE = 250_000
COLUMNS = (
    *("CustomerId", "EMail", "FirstName", "LastName", "City", "PostalCode", "Country", "LoyaltyTier"),
    *("DateOfBirth", "Points", "CustomerSince", "Note"),
)
SEGMENT = "LoyalCustomers"

_DAY_TWO = 200
"""On day two every so many are gone, as many are new, and twice as many have another city."""


@dataclass(frozen=True, slots=True)
class Day:
    """One version of the segment: what it has in it, and how it differs from the day before."""

    rows: int
    second: bool = False
    first: int = 0
    """Number of the first person."""

    @property
    def changed(self) -> int:
        return 2 * (self.rows // _DAY_TWO) if self.second else 0

    @property
    def gone(self) -> int:
        return self.rows // _DAY_TWO if self.second else 0

    @property
    def new(self) -> int:
        return self.gone

    @property
    def files(self) -> int:
        return max(1, -(-self.rows // ROWS_PER_FILE))


def land(container: ContainerClient, day: Day, taken_at: datetime, segment: str = SEGMENT) -> int:
    """Write a snapshot in the layout of dated folders; its size in bytes."""
    folder, size = f"{segment}/{taken_at:%Y%m%dT%H%M%SZ}", 0
    with tempfile.TemporaryDirectory(prefix="bench-") as name, duckdb.connect(config={"threads": 2}) as database:
        for number in range(day.files):
            path = Path(name) / "part.csv"
            database.execute(f"COPY ({_query(day, number)}) TO '{path}' (FORMAT csv, HEADER true)")
            with path.open("rb") as file:
                container.upload_blob(f"{folder}/part-{number:03}.csv", file, overwrite=True, max_concurrency=2)
            size += path.stat().st_size
    container.upload_blob(f"{folder}/_SUCCESS", b"", overwrite=True)
    return size


def _query(day: Day, file: int) -> str:
    """The rows of one file; those who are new come last."""
    first, last = (day.first + each for each in (file * ROWS_PER_FILE, min((file + 1) * ROWS_PER_FILE, day.rows)))
    rows = f"SELECT range AS i FROM range({first}, {last})"  # noqa: S608 - numbers only
    changed = "false"
    if day.second:
        rows += f" WHERE i % {_DAY_TWO} <> 0"
        if file == day.files - 1:
            rows += f" UNION ALL SELECT range AS i FROM range({day.rows}, {day.rows + day.new})"  # noqa: S608
        changed = f"i < {day.rows} AND i % {_DAY_TWO} IN (1, 2)"
    return f"""
        SELECT md5(i::VARCHAR) AS CustomerId,
               CASE WHEN i % 10 = 0 THEN 'Person.' ELSE 'person.' END || lpad(i::VARCHAR, 9, '0') || '@'
                   || ['example.com', 'example.org', 'example.net'][1 + i % 3] AS EMail,
               ['Testa', 'Demo', 'Sample', 'Mocka', 'Bëispiel', 'Ficção', 'サンプル'][1 + i % 7] AS FirstName,
               ['McExample', 'Van der Test', 'Fixture', 'O''Sample', 'Nobody-Here', 'Příklad'][1 + i % 6] AS LastName,
               CASE WHEN {changed} THEN 'New ' ELSE '' END
                   || ['Exampleville', 'Sample City, North', 'Testhausen', 'São Exemplo', 'Ørneby'][1 + i % 5] AS City,
               lpad((i % 10000)::VARCHAR, 5, '0') || ' EX' AS PostalCode,
               ['NL', 'DE', 'BE', 'GB', 'US', 'JP', ''][1 + i % 7] AS Country,
               ['Bronze', 'Silver', 'Gold', ''][1 + i % 4] AS LoyaltyTier,
               (DATE '1930-01-01' + (i % 30000)::INTEGER)::VARCHAR AS DateOfBirth,
               i % 30000 AS Points,
               strftime(TIMESTAMP '2020-01-01' + INTERVAL (i % 1000) HOUR, '%Y-%m-%dT%H:%M:%SZ') AS CustomerSince,
               ['', '', 'Likes tea', 'Said "hello"', ', ,'][1 + i % 5] AS Note
        FROM ({rows})
    """  # noqa: S608 - numbers and constants only
