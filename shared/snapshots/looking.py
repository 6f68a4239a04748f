"""Looking into what was found: the columns of files, and the newest version of a table."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.errors import UserMustAct
from shared.snapshots.delta.tables import TableSeen, TableVersion, newest_version
from shared.snapshots.dialect import Dialect, UnreadableDialect
from shared.snapshots.heads import csv_look
from shared.snapshots.snapshot import CsvFormat, Format, SnapshotFile
from shared.snapshots.versions import Versions, versions

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

    from shared.snapshots.reading import Footers


class Looking:
    """Looks at the columns of files. DuckDB is only loaded where Parquet is, and opened as often as threads ask."""

    def __init__(self, client: BlobServiceClient) -> None:
        self._client = client
        self._seen = Versions.of(client)
        self._footers: Footers | None = None
        self._loading = threading.Lock()

    def close(self) -> None:
        if self._footers:
            self._footers.close()

    def at(self, files: Sequence[SnapshotFile], kind: Format, dialect: Dialect) -> tuple[Format, tuple[str, ...]]:
        """How the files are to be read, and their columns: as they are declared, or by the first file that has any."""
        if isinstance(dialect, UnreadableDialect):
            raise UserMustAct("dialect_unreadable", dialect.why)
        return self._seen.get((versions(files), kind, dialect), lambda: self._look(files, kind, dialect))

    def into(self, container: str, table: TableSeen) -> TableVersion:
        """The newest version of a Delta table. Raises BadTable."""
        return newest_version(self._client, container, table, self._actions)

    def _actions(self, checkpoint: SnapshotFile) -> list[str]:
        return self._opened.actions(checkpoint)

    @property
    def _opened(self) -> Footers:
        from shared.snapshots.reading import Footers

        with self._loading:
            self._footers = self._footers or Footers(self._client)
        return self._footers

    def _look(self, files: Sequence[SnapshotFile], kind: Format, dialect: Dialect) -> tuple[Format, tuple[str, ...]]:
        if isinstance(kind, CsvFormat):
            kind = dialect.over(kind)
        if isinstance(kind, CsvFormat) and dialect.columns:
            looks = (csv_look(self._client, file, kind, dialect.columns)[0] for file in files)
            next((head for head in looks if head), None)  # raises where the first rows have another number of cells
            return kind, dialect.columns
        if isinstance(kind, CsvFormat):
            heads = ((head, csv) for file in files for head, csv in [csv_look(self._client, file, kind)])
            head, csv = next(((head, csv) for head, csv in heads if head), (None, _with_a_delimiter(kind)))
            return csv, head.columns if head else ()
        return kind, self._opened.columns(files[0])


def _with_a_delimiter(kind: CsvFormat) -> CsvFormat:
    return replace(kind, delimiter=kind.delimiter or ",")
