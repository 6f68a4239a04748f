"""The segments that a model.json in storage describes, each with the snapshot that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError

from shared.snapshots import model_json
from shared.snapshots.blob import Blob
from shared.snapshots.completion import Completion
from shared.snapshots.dates import run_folder_date
from shared.snapshots.dialect import PLAIN, Dialect, UnreadableDialect
from shared.snapshots.model_json import BadModel
from shared.snapshots.places import Place, place
from shared.snapshots.shelves import Shelves
from shared.snapshots.snapshot import CsvFormat, Format, Layout, SegmentFound, join
from shared.snapshots.trouble import Trouble, apart
from shared.wording import Message, say

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

MODEL = "model.json"
MODEL_BYTES = 16 << 20

_IT = say("it")
_ITS_MODEL = say("its model.json")


@dataclass(frozen=True, slots=True)
class _Described:
    """A model.json: what it says, and when it was written."""

    model: model_json.Model
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ModelSegments:
    """The segments of `<folder>/model.json`, each looked at apart."""

    container: ContainerClient
    folder: str
    rule: Completion
    now: datetime
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    """What people declare of segments, by id; what the model.json says of its files goes before."""

    def found(self, only: str | None = None) -> Iterator[SegmentFound]:
        """All of them, or `only` the one of that name; a few calls for each.

        What cannot be read comes with its problems; where that is the model.json itself, under its name.
        """
        name = self.container.container_name
        blank = SegmentFound(only or MODEL, name, self.folder, Layout.CUSTOMER_INSIGHTS, (), None)
        described = apart(self._read, _ITS_MODEL)
        if isinstance(described, Trouble):
            yield replace(blank, problems=(described.words,))
            return
        shelves = Shelves(self.container)
        if only is None:
            shelves.fetch(self._well_placed(described.model.tables))
        for table in described.model.tables:
            if only in (None, table.name):
                segment = replace(blank, name=table.name, columns=table.columns, problems=table.problems)
                yield segment if table.problems else self._with_snapshot(segment, table, described, shelves)

    def names(self) -> list[str]:
        """Names of the segments; none where the model.json cannot be read."""
        described = apart(self._read, _ITS_MODEL)
        return [] if isinstance(described, Trouble) else [table.name for table in described.model.tables]

    def _read(self) -> _Described:
        try:
            download = self.container.download_blob(join(self.folder, MODEL))
        except ResourceNotFoundError:
            raise BadModel(say("its model.json is gone")) from None
        if download.size > MODEL_BYTES:
            raise BadModel(say("its model.json is larger than %(megabytes)s MB", megabytes=MODEL_BYTES >> 20))
        return _Described(model_json.parse(download.readall()), download.properties.last_modified)

    def _with_snapshot(
        self, segment: SegmentFound, table: model_json.ModelTable, described: _Described, shelves: Shelves
    ) -> SegmentFound:
        dialect = self.dialects.get(segment.id, PLAIN)
        if isinstance(dialect, UnreadableDialect):
            return replace(segment, problems=(dialect.why,))
        formats = {_format(partition, dialect) for partition in table.partitions} or {CsvFormat()}
        if len(formats) > 1:
            return replace(segment, problems=(say("the model.json declares different formats for its files"),))
        blobs = apart(lambda: self._blobs(table, shelves), _IT)
        if isinstance(blobs, Trouble):
            return replace(segment, problems=(blobs.words,))
        if problem := self._unfinished(blobs, described.written_at):
            return replace(segment, problems=(problem,))
        taken_at = _newest(
            [partition.refreshed_at for partition in table.partitions],
            [described.model.modified_at],
            [run_folder_date(blob.name) for blob in blobs],
            [blob.modified_at for blob in blobs],
            [described.written_at],
        )
        return segment.with_snapshot(taken_at, [blob.file for blob in blobs], formats.pop(), table.columns)

    def _well_placed(self, tables: Iterable[model_json.ModelTable]) -> Iterator[Place]:
        """Where the files of all tables lie; those of a table whose locations are wrong are not asked for."""
        for table in tables:
            places = apart(partial(self._places, table), _IT)
            if not isinstance(places, Trouble):
                yield from places

    def _places(self, table: model_json.ModelTable) -> list[Place]:
        """Raises BadModel where one is outside of the container."""
        name = self.container.container_name
        account = str(self.container.primary_endpoint).partition("?")[0].removesuffix(f"/{name}")
        return [
            place(partition.location, account_url=account, container=name, folder=self.folder)
            for partition in table.partitions
        ]

    def _blobs(self, table: model_json.ModelTable, shelves: Shelves) -> list[Blob]:
        """The blobs of a table. Raises BadModel where one is somewhere else or missing."""
        chosen = [shelves.find(wanted) for wanted in self._places(table)]
        blobs = [blob for blob in chosen if blob]
        if missing := len(chosen) - len(blobs):
            raise BadModel(
                say(
                    "%(missing)s of the %(files)s files that the model.json names do not exist (yet)",
                    missing=missing,
                    files=len(chosen),
                )
            )
        return blobs

    def _unfinished(self, blobs: Sequence[Blob], written_at: datetime) -> Message | None:
        """A file without content is one that is being written, unless the model.json came after it, and rests."""
        if archived := next((blob for blob in blobs if blob.archived), None):
            return say("%(what)s %(why)s", what=archived.name, why=archived.archived)
        empty = next((blob for blob in blobs if not blob.file.size), None)
        if empty is None:
            return None
        if empty.directory:
            return say("the model.json names the folder %(folder)s, and not the files in it", folder=empty.name)
        vouched = written_at >= max(blob.modified_at for blob in blobs)
        if vouched and self.now - written_at >= self.rule.settled_after:
            return None
        return say(
            "%(file)s is empty, so it is still being written; else write the model.json after it", file=empty.name
        )


def _format(partition: model_json.Partition, dialect: Dialect) -> Format:
    """As the model.json says, and else as it is declared of the segment; the columns are the model.json's."""
    if not isinstance(partition.format, CsvFormat):
        return partition.format
    return replace(dialect, columns=()).over(partition.format, partition.said)


def _newest(*sources: Iterable[datetime | None]) -> datetime:
    """The newest moment of the first source that knows any."""
    known = ([moment for moment in source if moment] for source in sources)
    return max(next(moments for moments in known if moments))
