"""Recognising dated folders: `<segment>/<timestamp>/part-*` with CSV or Parquet files. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat, SnapshotFile

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties

SETTLED_AFTER = timedelta(minutes=1)
"""Without a `_SUCCESS` file a folder is complete when none of its files was touched for so long."""

_KEPT = 10
_DONE = "_SUCCESS"
_TIMESTAMP = re.compile(
    r"(?P<y>\d{4})-?(?P<m>\d\d)-?(?P<d>\d\d)([T_ -]?(?P<h>\d\d)[-:]?(?P<min>\d\d)([-:]?(?P<s>\d\d))?Z?)?", re.IGNORECASE
)
_FORMATS: dict[str, Format] = {
    ".csv": CsvFormat(),
    ".csv.gz": CsvFormat(compression="gzip"),
    ".parquet": ParquetFormat(),
}
_RUN_FOLDER = re.compile(r"/(\d{4})/(\d\d)/(\d\d)(?:/(\d\d)(\d\d))?/")


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as a listing shows it."""

    file: SnapshotFile
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class DatedFolder:
    """One dated state of a segment; `path` is its folder without the last slash."""

    path: str
    taken_at: datetime
    blobs: tuple[Blob, ...]

    @property
    def files(self) -> tuple[SnapshotFile, ...]:
        """The files with data, by name."""
        return tuple(sorted((blob.file for blob in self.blobs if format_of(blob.file)), key=lambda file: file.name))

    @property
    def format(self) -> Format:
        """Of the first file; a complete folder has one format."""
        found = format_of(self.files[0])
        assert found
        return found

    def unfinished(self, now: datetime, settled_after: timedelta) -> str | None:
        """Why this folder is not used yet, in words; None where it is complete."""
        if not self.files:
            return f"{self.path} holds no data files yet"
        if len({format_of(file) for file in self.files}) > 1:
            return f"{self.path} mixes CSV, compressed CSV and Parquet files"
        if any(blob.file.name == f"{self.path}/{_DONE}" for blob in self.blobs):
            return None
        newest = max(blob.modified_at for blob in self.blobs)
        if now - newest < settled_after:
            return f"{self.path} is still being written: it has no {_DONE} file, and a file in it changed just now"
        return None


class DatedFolders:
    """Collects a listing, in any order; of each segment only the newest folders are kept."""

    def __init__(self) -> None:
        self._segments: dict[str, dict[tuple[datetime, str], list[Blob]]] = {}

    def add(self, blob: Blob) -> None:
        """Take note of a blob if it lies directly in a dated folder."""
        path, _, base = blob.file.name.rpartition("/")
        segment, _, date = path.rpartition("/")
        taken_at = timestamp(date)
        if not (segment and taken_at) or not (base == _DONE or format_of(blob.file)):
            return
        folders = self._segments.setdefault(segment, {})
        folders.setdefault((taken_at, path), []).append(blob)
        if len(folders) > _KEPT:
            del folders[min(folders)]

    def segments(self) -> dict[str, list[DatedFolder]]:
        """Path of the segment's own folder -> its dated folders, newest first."""
        return {
            segment: [
                DatedFolder(path, taken_at, tuple(folders[taken_at, path]))
                for taken_at, path in sorted(folders, reverse=True)
            ]
            for segment, folders in self._segments.items()
        }


def blob_of(container: str, properties: BlobProperties) -> Blob:
    """Listings leave out the quotation marks that an ETag has everywhere else."""
    etag = f'"{str(properties.etag).strip(chr(34))}"'
    file = SnapshotFile(container, properties.name, etag, properties.size, properties.snapshot)
    return Blob(file, properties.last_modified)


def format_of(file: SnapshotFile) -> Format | None:
    """What a file's name promises; None where it is not data. Hidden files (`_…`, `.…`) never are."""
    base = file.name.rpartition("/")[2].lower()
    if base.startswith(("_", ".")):
        return None
    return next((known for ending, known in _FORMATS.items() if base.endswith(ending)), None)


@lru_cache(maxsize=1)
def timestamp(text: str) -> datetime | None:
    """`2026-11-22`, `20261122T1433Z`, `2026-11-22T14-33-00Z` and the like, in UTC."""
    found = _TIMESTAMP.fullmatch(text)
    return _utc(*(found[part] for part in ("y", "m", "d", "h", "min", "s"))) if found else None


def run_folder_date(name: str) -> datetime | None:
    """When a blob below `…/<yyyy>/<MM>/<dd>/<HHMM>/`, as Customer Insights lays them out, was written; as if UTC."""
    found = _RUN_FOLDER.search(f"/{name}")
    return _utc(*found.groups()) if found else None


def _utc(*parts: str | None) -> datetime | None:
    digits = "".join(part or "" for part in parts).ljust(14, "0")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
