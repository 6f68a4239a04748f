"""How many rows a snapshot has."""

from __future__ import annotations

from shared.snapshots.reading import Reader
from shared.snapshots.snapshot import Snapshot


def count_rows(reader: Reader, snapshot: Snapshot) -> int:
    """Rows of all files, whatever is in them; Parquet knows, CSV is read through. Raises as reading does."""
    row = reader.connection.execute(f"SELECT count(*) FROM ({reader.scan(snapshot, ()).sql})").fetchone()
    assert row is not None
    return int(row[0])
