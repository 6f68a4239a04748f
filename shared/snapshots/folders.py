"""One state of a segment: a folder of data files, and why it is not used where it is not. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from shared.snapshots import completion, partitions
from shared.snapshots.blob import Blob
from shared.snapshots.completion import Completion, FolderState
from shared.snapshots.delta import log
from shared.snapshots.delta.tables import TableSeen
from shared.snapshots.endings import format_of, why_not
from shared.snapshots.snapshot import Format, SnapshotFile, below, join, parent
from shared.wording import Message, say, some

DELTA = say("is a Delta table")
TABLES = {log.FOLDER: DELTA, ".hoodie": say("is a Hudi table")}
"""Folder that a table's log lies in -> what the table is, in words that follow its name."""
ICEBERG = ("metadata", ".metadata.json", say("is an Iceberg table"))

_AHEAD = timedelta(days=1)
_TOGETHER = timedelta(days=1)
_DAY = re.compile(r"(?:19|20)\d\d([-_.]?)\d\d\1\d\d")
_SHOWN = 3


@dataclass(frozen=True)
class DatedFolder:
    """One state of a segment; `path` is its folder without the last slash. Where the folder has no date, `taken_at`
    is when its last file was written."""

    path: str
    taken_at: datetime
    blobs: tuple[Blob, ...]
    needs_mark: bool = False
    """Earlier folders of the segment were declared complete."""
    has_date: bool = True

    @cached_property
    def data(self) -> tuple[Blob, ...]:
        """What is read, by name: files that are understood, also where a writer made a folder called `people.csv`."""
        understood = (blob for blob in self.blobs if not self._is_folder(blob) and self._is_data(blob))
        return tuple(sorted(understood, key=lambda blob: blob.name))

    @cached_property
    def table(self) -> TableSeen | None:
        """The Delta table that this folder is, or the only one in it."""
        if len(self._tables) != 1:
            return None
        root = join(self.path, *self._tables)
        inside = tuple(blob for blob in self.blobs if blob.name.startswith(f"{root}/"))
        own = log.kept(blob for blob in inside if parent(below(blob.name, root)) == log.FOLDER)
        return TableSeen(root, own, inside) if own else None

    @cached_property
    def _tables(self) -> frozenset[str]:
        """Where in it the logs of Delta tables lie."""
        found = (table_of(self._inner(blob)) for blob in self.blobs)
        return frozenset(table[0] for table in found if table and table[1] is DELTA)

    @property
    def partitioned(self) -> tuple[str, ...]:
        """Columns whose values stand in the names of folders."""
        return self._partitionings[0] if self.data else ()

    @property
    def _partitionings(self) -> list[tuple[str, ...]]:
        folders = dict.fromkeys(parent(self._inner(blob)) for blob in self.data)
        return list(dict.fromkeys(partitions.columns_of(folder) or () for folder in folders))

    @property
    def files(self) -> tuple[SnapshotFile, ...]:
        return tuple(blob.file for blob in self.data)

    @property
    def format(self) -> Format:
        """Of the first file; a complete folder has one format."""
        found = format_of(self.files[0].name)
        assert found
        return found

    def unusable(self, now: datetime, rule: Completion) -> Message | None:
        """Why this folder is not used, in words; None where it is complete and everything in it is understood."""
        if self.table:
            why = self._beside(self.table, rule) or self._uncommitted(self.table, now, rule) or self._ahead(now)
        else:
            why = self._not_understood(rule) or self._unfinished(now, rule) or self._misplaced(now)
        return say("%(what)s %(why)s", what=self.path, why=why) if why else None

    def _beside(self, table: TableSeen, rule: Completion) -> Message | None:
        """What may belong to this state, and is not in its table."""
        outside = (blob for blob in self.blobs if not blob.name.startswith(f"{table.path}/"))
        strange = [
            self._inner(blob)
            for blob in outside
            if not (self._is_folder(blob) or is_hidden(self._inner(blob)) or rule.is_mark(blob.name))
        ]
        if not strange:
            return None
        return say(
            "holds a Delta table and, beside it, %(files)s; put the table into a folder of its own",
            files=some(strange, _SHOWN),
        )

    def _not_understood(self, rule: Completion) -> Message | None:
        if len(self._tables) > 1:
            return say("holds several Delta tables; put each into a folder of its own")
        if table := next((kind for blob in self.blobs if (kind := table_of(self._inner(blob)))), None):
            return table_words(table[1])
        strange = [self._inner(blob) for blob in self.blobs if self._is_strange(blob, rule)]
        inside = [name for name in strange if format_of(name)]
        if inside:
            return say(
                "holds files in a folder in it (%(files)s), and nobody can tell whether they belong to it; "
                "put them beside the others, or take them away",
                files=some(inside, _SHOWN),
            )
        if strange:
            return say(
                "holds %(files)s, which is not understood: %(why)s",
                files=some(strange, _SHOWN),
                why=why_not(strange[0]),
            )
        return None

    def _unfinished(self, now: datetime, rule: Completion) -> Message | None:
        if not self.data:
            return say("holds no data files yet")
        return completion.unfinished(FolderState(self.path, self.blobs, self.data, self.needs_mark), rule, now)

    def _uncommitted(self, table: TableSeen, now: datetime, rule: Completion) -> Message | None:
        """A version is whole once it is in the log, so no mark is missed; but more of them may be on the way, or the
        files of a copy."""
        return completion.unfinished(FolderState(self.path, self.blobs, table.log, needs_mark=False), rule, now)

    def _misplaced(self, now: datetime) -> Message | None:
        if len({format_of(blob.name) for blob in self.data}) > 1:
            return say("mixes CSV, compressed CSV and Parquet files")
        if len(self._partitionings) > 1:
            named = sorted({name for names in self._partitionings for name in names})
            return say(
                "has values of %(columns)s in the names of folders, and not for all of its files",
                columns=", ".join(named),
            )
        if kept := next((blob for blob in self.data if blob.archived), None):
            return say("cannot be read: %(file)s %(why)s", file=self._inner(kept), why=kept.archived)
        return self._ahead(now) or (None if self.has_date else self._several_states())

    def _ahead(self, now: datetime) -> Message | None:
        return say("has a date that is still to come") if still_to_come(self.taken_at, now) else None

    def _several_states(self) -> Message | None:
        """Without a date the files have to be of one state: what is added day by day is none."""
        days = {found[0] for blob in self.data if (found := _DAY.search(self._inner(blob)))}
        written = [blob.modified_at for blob in self.data]
        if len(days) < 2 and max(written) - min(written) <= _TOGETHER:
            return None
        return say(
            "has no date, and its files are of different days, so nobody can tell which of them are the newest state; "
            "put each state into a folder that is called by its date"
        )

    def _inner(self, blob: Blob) -> str:
        return below(blob.name, self.path)

    def _is_data(self, blob: Blob) -> bool:
        folder, _, base = self._inner(blob).rpartition("/")
        named_like_a_file = "/" not in folder and bool(format_of(folder))
        return bool(format_of(base)) and (named_like_a_file or partitions.columns_of(folder) is not None)

    @cached_property
    def _folders(self) -> frozenset[str]:
        """Names that have something below them."""
        return frozenset(above for folder in {parent(blob.name) for blob in self.blobs} for above in _upwards(folder))

    def _is_folder(self, blob: Blob) -> bool:
        return blob.directory or (not blob.file.size and blob.name in self._folders)

    def _is_strange(self, blob: Blob, rule: Completion) -> bool:
        """Neither data, nor hidden, nor a mark."""
        if is_hidden(self._inner(blob)) or rule.is_mark(blob.name):
            return False
        return not self._is_data(blob) and not self._is_folder(blob)


def still_to_come(moment: datetime, now: datetime) -> bool:
    """Whether a state of this date would win over all that come until then."""
    return moment - now > _AHEAD


def is_hidden(name: str) -> bool:
    """Spark's rule: what starts with `_` or `.` is no data, and what lies in such a folder neither."""
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def table_of(name: str) -> tuple[str, Message] | None:
    """Where a blob belongs to the log of a table that is more than its files: the table's folder, and what it is."""
    parts = name.split("/")
    for number, part in enumerate(parts[:-1]):
        if part in TABLES:
            return "/".join(parts[:number]), TABLES[part]
        if part == ICEBERG[0] and number == len(parts) - 2 and parts[-1].endswith(ICEBERG[1]):
            return "/".join(parts[:number]), ICEBERG[2]
    return None


def table_words(kind: Message) -> Message:
    """Why a segment that is such a table is not read, in words that follow its name."""
    return say(
        "%(kind)s. Its files hold rows of old states too, and only its log says which rows count, so it is not "
        "read: write the rows as CSV or Parquet into a dated folder",
        kind=kind,
    )


def _upwards(folder: str) -> list[str]:
    parts = folder.split("/")
    return ["/".join(parts[:number]) for number in range(1, len(parts) + 1)]
