"""`python -m dev.bench.gzip_memory MILLIONS`: peak of memory while one gzip CSV of so many million rows is read within
the deployed bounds. The installed DuckDB is measured: put another one first on PYTHONPATH to compare."""

from __future__ import annotations

import gzip
import resource
import sys
import time
from datetime import UTC, datetime

import duckdb
from azure.storage.blob import BlobBlock

from dev.host.azurite import Azurite
from shared.cloud.settings import Settings, StorageAddress
from shared.cloud.storage import blob_client
from shared.errors import ExportError
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import CsvFormat, Snapshot, SnapshotFile

CONTAINER = "bench"
BLOCK_ROWS = 100_000


def main() -> None:
    blocks = int(sys.argv[1]) * 1_000_000 // BLOCK_ROWS
    rows = "".join(f"{number},person{number}@example.com,{'x' * 70}\n" for number in range(BLOCK_ROWS)).encode()
    with Azurite() as azurite:
        storage = StorageAddress(connection_string=azurite.connection_string)
        client = blob_client(storage)
        container = client.create_container(CONTAINER)
        blob, packed = container.get_blob_client("part-0.csv.gz"), gzip.compress(rows, 1)
        for number in range(blocks):  # a gzip file may have many members
            blob.stage_block(f"{number:06d}", packed)
        blob.commit_block_list([BlobBlock(f"{number:06d}") for number in range(blocks)])
        found = blob.get_blob_properties()
        file = SnapshotFile(CONTAINER, "part-0.csv.gz", str(found.etag), int(found.size))
        packing = CsvFormat(header=False, compression="gzip")
        snapshot = Snapshot("bench", "bench", datetime.now(UTC), "bench", (file,), packing, (*"abc",))
        started, outcome = time.monotonic(), "read"
        settings = Settings(state_storage=storage, segment_storage=storage)
        try:
            with reader(client, settings) as opened:
                opened.connection.sql(opened.scan(snapshot, ["b"]).sql).max("cell_0").fetchall()
        except (duckdb.Error, ExportError) as error:
            outcome = f"failed: {type(error).__name__}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        unpacked = blocks * len(rows) >> 20
        print(
            f"duckdb {duckdb.__version__}: {sys.argv[1]} million rows, {unpacked} MB unpacked, {outcome}, "
            f"peak {peak} MB, {time.monotonic() - started:.1f} s"
        )


if __name__ == "__main__":
    main()
