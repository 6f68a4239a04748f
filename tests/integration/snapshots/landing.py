"""Where tests put the files of segments."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

from shared.cloud.settings import Location, Settings, StorageAddress
from shared.snapshots.finding import find_segments
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import CsvFormat, Format, SegmentFound, Snapshot, SnapshotFile

SETTINGS = Settings(StorageAddress(), StorageAddress())
EXPORT = "CustomerInsights_abcd/BlobExport"


def later() -> datetime:
    """A time at which nothing was touched just now."""
    return datetime.now(UTC) + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Landing:
    """The container, with short ways to fill it and to look at it."""

    client: BlobServiceClient
    container: ContainerClient

    def put(self, name: str, content: bytes | str) -> str:
        """Write a blob; its address."""
        data = content.encode() if isinstance(content, str) else content
        self.container.upload_blob(name, data, overwrite=True)
        return self.container.get_blob_client(name).url

    def export(self, *tables: dict[str, Any], folder: str = EXPORT, **members: Any) -> None:
        """Write a model.json."""
        self.put(f"{folder}/model.json", json.dumps({"entities": tables} | members))

    def found(self, prefix: str = "", now: datetime | None = None) -> list[SegmentFound]:
        return find_segments(self.client, [Location(self.container.container_name, prefix)], now or later())

    def only(self) -> SegmentFound:
        [segment] = self.found()
        return segment

    def snapshot(self, *contents: bytes | str, kind: Format | None = None, columns: Sequence[str] = ()) -> Snapshot:
        """Files that together are a snapshot, made without looking for it."""
        names = [f"seg/part-{number}" for number in range(len(contents))]
        for name, content in zip(names, contents, strict=True):
            self.put(name, content)
        return self.with_files(*names, kind=kind, columns=columns)

    def with_files(self, *names: str, kind: Format | None = None, columns: Sequence[str] = ()) -> Snapshot:
        """A snapshot of blobs that are there."""
        files = tuple(self.file(name) for name in names)
        return Snapshot("seg", "seg", datetime.now(UTC), "key", files, kind or CsvFormat(), tuple(columns))

    def file(self, name: str) -> SnapshotFile:
        """A blob as it is now."""
        blob = self.container.get_blob_client(name).get_blob_properties()
        return SnapshotFile(self.container.container_name, name, str(blob.etag), blob.size)

    def rows(self, snapshot: Snapshot, *columns: str) -> list[tuple[Any, ...]]:
        """Cells of the columns, then the index of the file."""
        with reader(self.client, SETTINGS) as opened:
            return opened.connection.execute(opened.scan(snapshot, columns).sql).fetchall()


def table(name: str, *locations: str, attributes: Sequence[str] = ("Id", "EMail"), **partition: Any) -> dict[str, Any]:
    """A table of a model.json; `partition` is said of each of its files."""
    return {
        "$type": "LocalEntity",
        "name": name,
        "attributes": [{"name": attribute, "dataType": "string"} for attribute in attributes],
        "partitions": [{"location": location} | partition for location in locations],
    }


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
