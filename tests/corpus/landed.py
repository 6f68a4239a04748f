"""The files handed over by people who tried real writers, and how they come to lie in storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.cloud import storage
from shared.cloud.settings import Location, Settings, StorageAddress
from shared.errors import ExportError
from shared.snapshots.dialect import Dialect
from shared.snapshots.finding import find_segments, newest_snapshot
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import SegmentFound

FILES = Path(__file__).parent / "files"
FOLDER = "Loyal/20261122T143300Z"
EXPORT = "CustomerInsights_abcd/BlobExport"
WANTED = ("EMail", "FirstName", "City")

Row = tuple[str | None, ...]


def later() -> datetime:
    """When nothing is being written any more."""
    return datetime.now(UTC) + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a segment: its rows, or why there are none; and what else is said of it."""

    rows: list[Row] | None
    said: str


def blobs_of(case: str) -> Iterator[tuple[str, bytes]]:
    """Names in the container, with content. `__` in a file's name stands for `/`."""
    files = sorted(path for path in (FILES / case).iterdir() if path.is_file())
    described = any(path.name == "model.json" for path in files)
    for path in sorted(path for path in (FILES / case).rglob("*") if path.is_file()):
        name = str(path.relative_to(FILES / case)).replace("__", "/")
        inside = "/" not in name or name.startswith("_")
        yield (f"{EXPORT if described else FOLDER}/{name}" if described or inside else name), path.read_bytes()


class Landing:
    """One container in which a case lies beside a healthy segment."""

    def __init__(self, address: StorageAddress, container: str) -> None:
        self.client = storage.blob_client(address)
        self.container = self.client.get_container_client(container)
        self.container.create_container()
        self.settings = Settings(address, address)
        self.locations = [Location(container)]
        self.dialects: dict[str, Dialect] = {}

    def put(self, name: str, content: bytes) -> None:
        self.container.upload_blob(name, content, overwrite=True)

    def found(self, now: datetime | None = None) -> list[SegmentFound]:
        return find_segments(self.client, self.locations, now or later(), dialects=self.dialects)

    def outcome(self, segment: SegmentFound, columns: tuple[str, ...] = WANTED) -> Outcome:
        said = "; ".join((*segment.problems, *segment.beside))
        if segment.snapshot is None:
            return Outcome(None, said)
        try:
            snapshot = newest_snapshot(self.client, segment, later(), dialects=self.dialects)
            with reader(self.client, self.settings) as opened:
                rows = opened.connection.execute(opened.scan(snapshot, columns).sql).fetchall()
        except ExportError as error:
            return Outcome(None, f"{said} {error}")
        return Outcome([row[:-1] for row in rows], said)
