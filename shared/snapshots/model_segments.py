"""The segments that a model.json or a manifest in storage describes, each with the snapshot that it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from posixpath import normpath
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError

from shared.snapshots import manifest, model_json
from shared.snapshots.blob import Blob
from shared.snapshots.completion import Completion
from shared.snapshots.dates import run_folder_date
from shared.snapshots.dialect import PLAIN, Dialect, UnreadableDialect
from shared.snapshots.model_json import BadModel
from shared.snapshots.places import Place, place
from shared.snapshots.shelves import Shelves
from shared.snapshots.snapshot import CsvFormat, Format, Layout, SegmentFound, join, last
from shared.snapshots.trouble import Trouble, apart
from shared.wording import Message, say

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

MODEL = "model.json"
MODEL_BYTES = 16 << 20

_IT = say("it")


@dataclass(frozen=True, slots=True)
class _Described:
    """A document: its name, what it says, and when it was written."""

    document: str
    model: model_json.Model
    written_at: datetime


def is_description(name: str) -> bool:
    """Whether a file of this name says which files in its folder are whose."""
    return name == MODEL or manifest.is_manifest(name)


def that_count(documents: Iterable[str]) -> tuple[str, ...]:
    """Of the descriptions in one folder: where there is a model.json, manifests beside it say the same once more."""
    names = sorted(set(documents))
    return (MODEL,) if MODEL in names else tuple(names)


@dataclass(frozen=True, slots=True)
class ModelSegments:
    """The segments that the `documents` in a folder describe, each looked at apart.

    A manifest may leave the columns of files with a header to the files; their snapshots then have none.
    """

    container: ContainerClient
    folder: str
    rule: Completion
    now: datetime
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    """What people declare of segments, by id; what the documents say of their files goes before."""
    documents: tuple[str, ...] = (MODEL,)

    def found(self, only: str | None = None) -> Iterator[SegmentFound]:
        """All of them, or `only` the one of that name; a few calls for each.

        What cannot be read comes with its problems; where that is a document itself, under its name.
        """
        name = self.container.container_name
        read = self._read_all()
        for document, trouble in read:
            if isinstance(trouble, Trouble):
                blank = SegmentFound(only or document, name, self.folder, Layout.CUSTOMER_INSIGHTS, (), None)
                yield replace(blank, problems=(trouble.words,))
        shelves = Shelves(self.container)
        described = [each for _, each in read if isinstance(each, _Described)]
        tables = [(each, table) for each in described for table in each.model.tables]
        if only is None:
            shelves.fetch(self._well_placed(table for _, table in tables))
        count = Counter(table.name for _, table in tables)
        for each, table in tables:
            if only in (None, table.name):
                blank = SegmentFound(table.name, name, self.folder, Layout.CUSTOMER_INSIGHTS, table.columns, None)
                twice = (say("several manifests beside each other describe it"),) if count[table.name] > 1 else ()
                segment = replace(blank, problems=(*table.problems, *twice))
                yield segment if segment.problems else self._with_snapshot(segment, table, each, shelves)

    def names(self) -> list[str]:
        """Names of the segments; none of a document that cannot be read."""
        described = (each for _, each in self._read_all() if isinstance(each, _Described))
        return list(dict.fromkeys(table.name for each in described for table in each.model.tables))

    def _read_all(self) -> list[tuple[str, _Described | Trouble]]:
        its = say("its %(document)s")
        return [
            (document, apart(partial(self._read, document), its.filled(document=document)))
            for document in self.documents
        ]

    def _read(self, document: str) -> _Described:
        data, written_at = self._fetched(join(self.folder, document))
        if document == MODEL:
            return _Described(document, model_json.parse(data), written_at)
        entities = manifest.parse(data)
        columns = {each.table.name: self._columns(each.schema) for each in entities if each.is_blind}
        return _Described(document, manifest.model_of(entities, columns), written_at)

    def _columns(self, schema: str) -> tuple[str, ...]:
        """Columns by `Loyal.cdm.json/Loyal`; empty where that is not to be had."""
        path, _, definition = schema.rpartition("/")
        name = normpath(path.lstrip("/") if path.startswith("/") else join(self.folder, path))
        if not path or ":" in path or name.startswith(".."):
            return ()
        data = apart(partial(self._fetched, name), _IT)
        return () if isinstance(data, Trouble) else manifest.columns_of(data[0], definition)

    def _fetched(self, name: str) -> tuple[bytes, datetime]:
        document = last(name)
        try:
            download = self.container.download_blob(name)
        except ResourceNotFoundError:
            raise BadModel(say("its %(document)s is gone", document=document)) from None
        if download.size > MODEL_BYTES:
            raise BadModel(
                say("its %(document)s is larger than %(megabytes)s MB", document=document, megabytes=MODEL_BYTES >> 20)
            )
        return download.readall(), download.properties.last_modified

    def _with_snapshot(
        self, segment: SegmentFound, table: model_json.ModelTable, described: _Described, shelves: Shelves
    ) -> SegmentFound:
        dialect = self.dialects.get(segment.id, PLAIN)
        if isinstance(dialect, UnreadableDialect):
            return replace(segment, problems=(dialect.why,))
        formats = {_format(partition, dialect) for partition in table.partitions} or {CsvFormat()}
        if len(formats) > 1:
            return replace(
                segment,
                problems=(say("%(document)s declares different formats for its files", document=described.document),),
            )
        blobs = apart(lambda: self._blobs(table, shelves, described.document), _IT)
        if isinstance(blobs, Trouble):
            return replace(segment, problems=(blobs.words,))
        if problem := self._unfinished(blobs, described):
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

    def _blobs(self, table: model_json.ModelTable, shelves: Shelves, document: str) -> list[Blob]:
        """The blobs of a table. Raises BadModel where one is somewhere else or missing."""
        chosen = [shelves.find(wanted) for wanted in self._places(table)]
        blobs = [blob for blob in chosen if blob]
        if missing := len(chosen) - len(blobs):
            raise BadModel(
                say(
                    "%(missing)s of the %(files)s files that %(document)s names do not exist (yet)",
                    missing=missing,
                    files=len(chosen),
                    document=document,
                )
            )
        return blobs

    def _unfinished(self, blobs: Sequence[Blob], described: _Described) -> Message | None:
        """A file without content is one that is being written, unless the document came after it, and rests."""
        if archived := next((blob for blob in blobs if blob.archived), None):
            return say("%(what)s %(why)s", what=archived.name, why=archived.archived)
        empty = next((blob for blob in blobs if not blob.file.size), None)
        if empty is None:
            return None
        document, written_at = described.document, described.written_at
        if empty.directory:
            return say(
                "%(document)s names the folder %(folder)s, and not the files in it",
                document=document,
                folder=empty.name,
            )
        vouched = written_at >= max(blob.modified_at for blob in blobs)
        if vouched and self.now - written_at >= self.rule.settled_after:
            return None
        return say(
            "%(file)s is empty, so it is still being written; else write %(document)s after it",
            file=empty.name,
            document=document,
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
