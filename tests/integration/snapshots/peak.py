"""Read a snapshot in a process of its own: prints the number of rows and the peak of memory in bytes."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from azure.storage.blob import BlobServiceClient

from shared.snapshots.reading import reader
from shared.snapshots.snapshot import Snapshot
from tests.integration.snapshots.landing import SETTINGS

snapshot = Snapshot.from_json(json.loads(sys.argv[1]))
client = BlobServiceClient.from_connection_string(os.environ["STORAGE"])
with reader(client, replace(SETTINGS, memory_mb=60, temporary_mb=1)) as opened:
    query = f"SELECT count(*), max(lower(cell_0)) FROM ({opened.scan(snapshot, ['b']).sql})"
    [(rows, _)] = opened.connection.execute(query).fetchall()
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
assert peak
sys.stdout.write(f"{rows} {int(peak[1]) * 1024}")
