"""Which files of the service hold a text."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tests.integration.delivery.engine import Engine


def holding(engine: Engine, text: str) -> list[str]:
    """Every blob of the service that holds a text, Parquet read as rows."""
    found = []
    for name in engine.cloud.blobs.names(""):
        stored = engine.cloud.blobs.read(name)
        content = stored[0] if stored else b""
        if content.startswith(b"PAR1"):
            with TemporaryDirectory() as folder, duckdb.connect() as connection:
                path = Path(folder) / "x.parquet"
                path.write_bytes(content)
                content = str(connection.execute(f"FROM read_parquet('{path}')").fetchall()).encode()
        if text.encode() in content:
            found.append(name)
    return found
