"""Finding segments in Blob Storage: one listing per location, and a few calls per segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from shared.cloud.settings import Location
from shared.errors import UserMustAct
from shared.snapshots.folders import SETTLED_AFTER, DatedFolder, DatedFolders, blob_of
from shared.snapshots.heads import BadHead, csv_head
from shared.snapshots.model_segments import MODEL, names_of, segments_of
from shared.snapshots.snapshot import (
    CsvFormat,
    Format,
    Layout,
    SegmentFound,
    Snapshot,
    SnapshotFile,
    join,
    parent,
    resolve,
)

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

_AT_ONCE = 8

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def find_segments(
    client: BlobServiceClient,
    locations: Iterable[Location],
    now: datetime,
    *,
    settled_after: timedelta = SETTLED_AFTER,
) -> list[SegmentFound]:
    """Every segment below the locations, by id. What cannot be used is listed with its problems.

    Raises UserMustAct `no_such_container`.
    """
    found: dict[str, SegmentFound] = {}
    for location in locations:
        finder = _Finder(client, location.container, now, settled_after)
        found |= {segment.id: segment for segment in finder.below(location.prefix)}
    return [found[key] for key in sorted(found)]


def newest_of(client: BlobServiceClient, locations: Sequence[Location], reference: str, now: datetime) -> Snapshot:
    """The newest complete snapshot of the segment that a reference means; no other segment is looked into.

    Raises UserMustAct `unknown_segment` or `ambiguous_segment`, and what `newest_snapshot` raises.
    """
    looks: dict[str, Callable[[], SegmentFound | None]] = {}
    for location in locations:
        looks |= _Finder(client, location.container, now, SETTLED_AFTER).called(location.prefix, reference)
    look = looks.get(reference) or (next(iter(looks.values())) if len(looks) == 1 else None)
    if look is None:
        return newest_snapshot(client, resolve(find_segments(client, locations, now), reference), now)
    return _usable(look(), reference)


def newest_snapshot(
    client: BlobServiceClient, segment: SegmentFound, now: datetime, *, settled_after: timedelta = SETTLED_AFTER
) -> Snapshot:
    """The newest complete snapshot as it is now, its files' ETags pinned. Looks only at what is the segment's own.

    Raises UserMustAct `segment_not_ready`, with the reasons, or `no_such_container`.
    """
    return _usable(_Finder(client, segment.container, now, settled_after).again(segment), segment.id)


def _usable(segment: SegmentFound | None, name: str) -> Snapshot:
    if segment and segment.snapshot:
        return replace(segment.snapshot, passed_over=segment.problems)
    reasons = "; ".join(segment.problems) if segment else "it is no longer there"
    called = segment.id if segment else name
    raise UserMustAct("segment_not_ready", f"The segment {called} cannot be read: {reasons}.")


@dataclass(frozen=True, slots=True)
class _Finder:
    client: BlobServiceClient
    container: str
    now: datetime
    settled_after: timedelta

    def below(self, prefix: str) -> list[SegmentFound]:
        exports, loose = self._split(prefix)
        described = _together(lambda export: list(segments_of(self._blobs, export)), exports)
        return [
            *(segment for several in described for segment in several),
            *_together(lambda path: self._of_folders(path, loose[path]), list(loose)),
        ]

    def called(self, prefix: str, reference: str) -> dict[str, Callable[[], SegmentFound | None]]:
        """Segments with this id or name, by id, each with what looks into it."""
        exports, loose = self._split(prefix)
        names = [(export, name) for export in exports for name in names_of(self._blobs, export)]
        looks: dict[str, Callable[[], SegmentFound | None]] = {
            self._id(export, name): partial(self._described, export, name) for export, name in names
        }
        for path, folders in loose.items():
            looks[self._id(parent(path), path.rpartition("/")[2])] = partial(self._of_folders, path, folders)
        return {key: look for key, look in looks.items() if reference in (key, key.rpartition(":")[2])}

    def again(self, segment: SegmentFound) -> SegmentFound | None:
        if segment.layout is Layout.CUSTOMER_INSIGHTS:
            return self._described(segment.folder, segment.name)
        path = join(segment.folder, segment.name)
        _, dated = self._list(f"{path}/")
        return self._of_folders(path, dated[path]) if path in dated else None

    @property
    def _blobs(self) -> ContainerClient:
        return self.client.get_container_client(self.container)

    def _described(self, export: str, name: str) -> SegmentFound | None:
        """The last one of that name, as `find_segments` has it."""
        return next(reversed(list(segments_of(self._blobs, export, only=name))), None)

    def _id(self, folder: str, name: str) -> str:
        return SegmentFound(name, self.container, folder, Layout.DATED_FOLDERS, (), None).id

    def _split(self, prefix: str) -> tuple[list[str], dict[str, list[DatedFolder]]]:
        """Folders with a model.json, and the segments in dated folders that lie in none of them."""
        exports, dated = self._list(f"{prefix.strip('/')}/" if prefix.strip("/") else "")
        taken = tuple(f"{export}/" if export else "" for export in exports)
        return exports, {path: folders for path, folders in dated.items() if not path.startswith(taken)}

    def _list(self, prefix: str) -> tuple[list[str], dict[str, list[DatedFolder]]]:
        """One listing, as a stream: the folders with a model.json, and the segments in dated folders."""
        exports, dated = [], DatedFolders()
        try:
            for properties in self._blobs.list_blobs(name_starts_with=prefix):
                if properties.name.rpartition("/")[2] == MODEL:
                    exports.append(parent(properties.name))
                else:
                    dated.add(blob_of(self.container, properties))
        except ResourceNotFoundError:
            message = f"Segments are looked for in the container {self.container!r}, which does not exist."
            raise UserMustAct("no_such_container", message) from None
        return exports, dated.segments()

    def _of_folders(self, path: str, folders: Sequence[DatedFolder]) -> SegmentFound:
        name = path.rpartition("/")[2]
        segment = SegmentFound(name, self.container, parent(path), Layout.DATED_FOLDERS, (), None)
        problems = []
        for folder in folders:
            if problem := folder.unfinished(self.now, self.settled_after):
                problems.append(problem)
                continue
            try:
                columns = _columns(self.client, folder.files, folder.format)
            except (BadHead, UserMustAct) as error:
                problems.append(f"{folder.path} cannot be read: {error}")
            except (ResourceModifiedError, ResourceNotFoundError):
                problems.append(f"{folder.path} is being replaced")
            else:
                segment = segment.with_snapshot(folder.taken_at, folder.files, folder.format, columns)
            break
        return replace(segment, problems=tuple(problems))


def _columns(client: BlobServiceClient, files: Sequence[SnapshotFile], kind: Format) -> tuple[str, ...]:
    """The columns of the first file that has any."""
    if isinstance(kind, CsvFormat):
        heads = (csv_head(client, file, kind, ()) for file in files)
        return next((head.columns for head in heads if head), ())
    from shared.snapshots.reading import footers  # DuckDB is only loaded where Parquet is

    with footers(client) as reader:
        return reader.parquet_head(files[0]).columns


def _together(work: Callable[[_In], _Out], items: Sequence[_In]) -> list[_Out]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, items))
