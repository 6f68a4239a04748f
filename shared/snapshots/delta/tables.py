"""Reading the newest version of a Delta table in storage: its log, and where its files are now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError

from shared.snapshots.blob import Blob, blob_of
from shared.snapshots.delta import log
from shared.snapshots.delta.errors import broken
from shared.snapshots.delta.remembered import Remembered
from shared.snapshots.delta.state import Action, DeltaTable, Replay, TableFile
from shared.snapshots.snapshot import DeltaFormat, SnapshotFile, join, last
from shared.snapshots.versions import versions
from shared.snapshots.walking import everything, if_few
from shared.wording import Message, say

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

MOST_ASKED_FOR = 64
"""Files that are asked for one by one; for more of them the table's folder is listed first."""
LISTED_FOR_EACH = 500
"""Blobs that are listed at most for each file that is looked for: a tenth of a request. The rest of a folder that holds
many old files is not, and what was not found by then is asked for."""
_AT_ONCE = 8
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class TableSeen:
    """A Delta table as a listing shows it: its folder, the files of its log that can matter, and what of the rest was
    listed, which may be a part."""

    path: str
    log: tuple[Blob, ...]
    others: tuple[Blob, ...] = ()

    def beside(self, files: Iterable[SnapshotFile] = ()) -> tuple[Message, ...]:
        """What lies in its folder, is none of its `files` and can be none of another version, in sentences without
        their full stop."""
        names = {file.name for file in files}
        strange = [blob.name for blob in self.others if _is_strange(blob, self.path) and blob.name not in names]
        return tuple(
            say("%(file)s lies in the folder of a Delta table and is no file of it, so it is not used", file=name)
            for name in strange[:_SHOWN]
        )


@dataclass(frozen=True, slots=True)
class TableVersion:
    """The newest version: what a snapshot says of it."""

    taken_at: datetime
    key: str
    files: tuple[SnapshotFile, ...]
    format: DeltaFormat
    columns: tuple[str, ...]
    partitioned: tuple[str, ...]


def newest_version(
    client: BlobServiceClient, container: str, seen: TableSeen, actions: Callable[[SnapshotFile], Iterable[str]]
) -> TableVersion:
    """The newest version of a table. `actions` gives those of a part of a checkpoint, as JSON.

    Raises BadTable, and what Azure raises.
    """
    blobs = client.get_container_client(container)
    files = log.chosen(seen.log)
    word = versions(blob.file for blob in files.all)
    table = Remembered.of(client).get(join(container, seen.path), word, lambda: _Log(blobs, files, actions).table())
    there = _Files(blobs, seen).found(table)
    return TableVersion(
        taken_at=table.written_at or files.written_at,
        key=f"{table.id}/{table.version}",
        files=tuple(there),
        format=DeltaFormat(table.version, table.fields),
        columns=tuple(field.name for field in table.fields),
        partitioned=table.partitioned,
    )


def listed_log(container: ContainerClient, path: str) -> tuple[Blob, ...]:
    """Of a table in this folder the files of its log that can matter; none where there is no table."""
    folder = f"{path}/{log.FOLDER}/"
    few = if_few(container, folder)
    return log.kept(few) if few is not None else _since_the_hint(container, folder) or _kept(container, folder)


def _since_the_hint(container: ContainerClient, folder: str) -> tuple[Blob, ...]:
    """The files of the version that the hint names and of those after it; none where these alone do not make a
    version, since it is only a hint."""
    version = _hinted(container, folder)
    if version is None:
        return ()
    found = _kept(container, folder + log.block_of(version))
    whole = log.begins_with(found, version)
    while found and log.ends_block(found):
        found += _kept(container, folder + log.block_of(log.newest_commit(found) + 1))
    return found if whole else ()


def _hinted(container: ContainerClient, folder: str) -> int | None:
    try:
        return int(json.loads(container.download_blob(f"{folder}{log.HINT}").readall())["version"])
    except (ResourceNotFoundError, KeyError, TypeError, ValueError):
        return None


def _kept(container: ContainerClient, prefix: str) -> tuple[Blob, ...]:
    return log.kept(everything(container, prefix))


class _Log:
    """The content of a log's files."""

    def __init__(
        self, container: ContainerClient, files: log.LogFiles, actions: Callable[[SnapshotFile], Iterable[str]]
    ) -> None:
        self._container = container
        self._files = files
        self._actions = actions

    def table(self) -> DeltaTable:
        replay = Replay()
        for part in self._files.checkpoint:
            replay.checkpoint(_parsed(self._actions(part.file), part))
        for blob in self._files.own:
            replay.told(_parsed(self._fetched(blob), blob))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for blob, lines in zip(self._files.commits, pool.map(self._fetched, self._files.commits), strict=True):
                replay.commit(_parsed(lines, blob))
        return replay.table(self._files.version)

    def _fetched(self, blob: Blob) -> list[bytes]:
        """The lines of a commit."""
        download = self._container.download_blob(
            blob.name, etag=blob.file.etag, match_condition=MatchConditions.IfNotModified
        )
        return bytes(download.readall()).split(b"\n")


def _parsed(lines: Iterable[str | bytes], blob: Blob) -> Iterator[Action]:
    for line in lines:
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:
                raise broken(say("%(file)s in its log is not JSON", file=last(blob.name))) from None


class _Files:
    """The files of a version, where they lie now."""

    def __init__(self, container: ContainerClient, seen: TableSeen) -> None:
        self._container = container
        self._seen = seen

    def found(self, table: DeltaTable) -> Iterator[SnapshotFile]:
        """Each as its log says it. Raises BadTable where one is gone or is another."""
        names = {join(self._seen.path, file.path): file for file in table.files}
        known = {blob.name: blob for blob in self._seen.others if blob.name in names}
        missing = [name for name in names if name not in known]
        if len(missing) > MOST_ASKED_FOR:
            inside = islice(everything(self._container, f"{self._seen.path}/"), len(missing) * LISTED_FOR_EACH)
            known |= {blob.name: blob for blob in inside if blob.name in names}
            missing = [name for name in missing if name not in known]
        if missing:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                known |= {blob.name: blob for blob in pool.map(self._asked, missing) if blob}
        for name, file in names.items():
            yield _as_said(known.get(name), file, table.version)

    def _asked(self, name: str) -> Blob | None:
        try:
            properties: Any = self._container.get_blob_client(name).get_blob_properties()
        except ResourceNotFoundError:
            return None
        return blob_of(self._container.container_name, properties)


def _as_said(blob: Blob | None, file: TableFile, version: int) -> SnapshotFile:
    if blob is None:
        raise broken(
            say(
                "its version %(version)s names %(file)s, which is not there: it is still being copied, or was taken "
                "away (VACUUM); restore the file, or write the table anew",
                version=str(version),
                file=file.path,
            )
        )
    if blob.archived:
        raise broken(say("%(what)s %(why)s", what=file.path, why=blob.archived))
    if blob.file.size != file.size:
        raise broken(
            say(
                "%(file)s has %(bytes)s bytes where its log says %(said)s",
                file=file.path,
                bytes=blob.file.size,
                said=file.size,
            )
        )
    return SnapshotFile(blob.file.container, blob.file.name, blob.file.etag, blob.file.size, values=file.values)


def _is_strange(blob: Blob, root: str) -> bool:
    inside = blob.name[len(root) :].lstrip("/")
    hidden = any(part.startswith(("_", ".")) and "=" not in part for part in inside.split("/"))
    return not (blob.directory or hidden or inside.lower().endswith((".parquet", ".bin", ".crc")))
