"""What the last run of an export wrote of people whom it did not deliver: person by person, and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from shared.cloud.cloud import Cloud
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import BUCKET
from shared.delivery.state.records import Run
from shared.delivery.state.rejected_rows import HEADER
from shared.delivery.state.scratch import PARQUET, Scratch
from shared.wording import Message, read

MOST_BYTES = 200 << 20
"""Of a `rejected.csv` that is read for reasons."""

_NOBODY = "SELECT ''::VARCHAR AS address, '' AS outcome, '' AS code, '' AS reason, 0 AS bucket WHERE false"


def rows(cloud: Cloud, run: Run | None, number: int, room: Scratch) -> str:
    """SQL for who was not delivered to a target, each once, with the bucket of the address. The file is read once,
    however many parts it is asked for. Nobody where there is none, or it is too long to be read."""
    path = room.where / "rejected.csv"
    if run is None or not _fetch(cloud, run, number, path):
        return _NOBODY
    kept = room.where / "rejected.parquet"
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in HEADER)
    with room.database() as database:
        database.execute(f"""
            COPY (
                SELECT DISTINCT ON (address) *, {BUCKET} AS bucket FROM (
                    SELECT regexp_replace(address, '^''', '') AS address, outcome, code, reason
                    FROM read_csv({literal(str(path))}, header = true, auto_detect = false, columns = {{{columns}}},
                                  delim = ',', quote = '"', escape = '"', parallel = false, max_line_size = 16777216)
                    WHERE coalesce(operation, '') <> 'remove'
                )
            ) TO {literal(str(kept))} {PARQUET}
        """)
    path.unlink()
    return f"SELECT * FROM read_parquet({literal(str(kept))})"


def _fetch(cloud: Cloud, run: Run, number: int, path: Path) -> bool:
    name = layout.rejected(layout.delivery_folder(run.export, run.run, number))
    size = next((size for each, size in cloud.blobs.sizes(name) if each == name), 0)
    return 0 < size <= MOST_BYTES and bool(cloud.blobs.fetch(name, path))


def words(cloud: Cloud, run: Run | None, number: int) -> Mapping[tuple[str, str], Message]:
    """Outcome and code -> the reason in the reader's language, from the run's report."""
    stored = cloud.blobs.read(layout.report(layout.delivery_folder(run.export, run.run, number))) if run else None
    reasons = json.loads(stored[0])["reasons"] if stored else ()
    return {(each["outcome"], each["code"]): read(each.get("message", each["reason"])) for each in reasons}
