"""From a listing to segments: which folder is a state of which segment, and what lies there besides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.snapshots import completion, dates
from shared.snapshots.blob import Blob
from shared.snapshots.completion import Completion
from shared.snapshots.delta import log
from shared.snapshots.delta.tables import TableSeen
from shared.snapshots.endings import format_of, why_not
from shared.snapshots.folders import DELTA, DatedFolder, is_hidden, table_of, table_words
from shared.snapshots.snapshot import below, last, parent
from shared.wording import Message, say, say_many

_KEPT = 10
_MOST_LOOSE = 2_000
_MOST_FILES = 20_000
_SHOWN = 20
_MOST_SIGNS = 100
_MOST_OF_A_TABLE = 5_000


@dataclass(frozen=True, slots=True)
class SegmentSeen:
    """A segment's own folder, and what lies in it."""

    path: str
    folders: tuple[DatedFolder, ...]
    """Its states, newest first."""
    beside: tuple[Message, ...] = ()
    """What else lies there and is not used, and why, in sentences without their full stop."""
    table: TableSeen | None = None
    """The Delta table that it is instead."""

    @property
    def name(self) -> str:
        """Of the segment; empty where its folder has none."""
        return last(self.path)


@dataclass(slots=True)
class _Segment:
    folders: dict[tuple[datetime, str], list[Blob]] = field(default_factory=dict)
    undated: list[Blob] = field(default_factory=list)
    first_mark: datetime | None = None
    beside: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    """What lies in the folder of a table that is more than its files."""

    kind: Message
    log: list[Blob] = field(default_factory=list)
    others: list[Blob] = field(default_factory=list)

    def add(self, blob: Blob, kind: Message | None) -> None:
        """`kind` is what the blob says of the table. One that Delta keeps is Delta's, whoever else can read it."""
        if kind is DELTA:
            self.kind = DELTA
            self.log.append(blob)
            if len(self.log) % _MOST_SIGNS == 0:
                self.log = list(log.kept(self.log))
        elif kind is None and len(self.others) < _MOST_OF_A_TABLE:
            self.others.append(blob)


class Listing:
    """Collects a listing, in any order; of each segment only the newest folders are kept.

    `root` is the folder that is listed; `start` counts its levels, above which no folder's name is taken for a date.
    """

    def __init__(self, rule: Completion, root: str = "", start: int | None = None) -> None:
        self._rule = rule
        self._root = root
        self._start = max(1, len(root.split("/")) if root else 0) if start is None else start
        self._segments: dict[str, _Segment] = {}
        self._loose: dict[str, list[Blob]] = {}
        self._begun: dict[str, dict[str, Blob]] = {}
        self._tables: dict[str, _Table] = {}
        self._left_out = 0

    def add(self, blob: Blob) -> None:
        """Take note of a blob."""
        folder = blob.name.rstrip("/") if blob.directory else parent(blob.name)
        if self._add_to_table(blob, folder):
            return
        if found := dates.dated(folder, self._start):
            self._add_dated(blob, folder, *found)
        elif table := table_of(blob.name):
            self._tables.setdefault(table[0], _Table(table[1])).add(blob, table[1])
        elif (folder_written := completion.written_to(blob.name)) is not None:
            self._note_begun(blob, folder_written)
        elif not blob.directory and (not is_hidden(below(blob.name, self._root)) or self._rule.vouches(blob.name)):
            self._add_loose(blob, folder)

    def _add_to_table(self, blob: Blob, folder: str) -> bool:
        """Whether the blob lies in the folder of a table that is known by now; what came before is looked for later."""
        if not self._tables:
            return False
        above = next((each for each in (folder, *_ancestors(folder, "")) if each in self._tables), None)
        if above is None:
            return False
        own = table_of(below(blob.name, above))
        self._tables[above].add(blob, own[1] if own and not own[0] else None)
        return True

    def _add_dated(self, blob: Blob, folder: str, first: int, behind: int, taken_at: datetime) -> None:
        parts = folder.split("/")
        segment = self._segments.setdefault("/".join(parts[:first]), _Segment())
        blobs = segment.folders.setdefault((taken_at, "/".join(parts[:behind])), [])
        if not (blob.directory and behind == len(parts)):
            blobs.append(blob)
        if self._rule.vouches(blob.name) and (segment.first_mark is None or taken_at < segment.first_mark):
            segment.first_mark = taken_at
        if len(segment.folders) > _KEPT:
            del segment.folders[min(segment.folders)]

    def _note_begun(self, blob: Blob, folder: str) -> None:
        """A sign of a write that is under way, of each kind one: that what it is about has no date says nothing yet."""
        kind = last(blob.name) if parent(blob.name) == folder else ""
        known = self._begun.setdefault(folder, {})
        if (kind in known or len(known) < _MOST_SIGNS) and (
            kind not in known or known[kind].modified_at < blob.modified_at
        ):
            known[kind] = blob

    def _add_loose(self, blob: Blob, folder: str) -> None:
        if folder not in self._loose and len(self._loose) >= _MOST_LOOSE:
            self._left_out += 1
            return
        blobs = self._loose.setdefault(folder, [])
        if len(blobs) <= _MOST_FILES:
            blobs.append(blob)

    def segments(self, exports: Iterable[str] = ()) -> list[SegmentSeen]:
        """What was found, but for what lies in the folders of exports, which their model.json describes."""
        taken = tuple(f"{export}/" if export else "" for export in exports)
        tables = {root: table for root, table in self._tables.items() if not f"{root}/".startswith(taken)}
        taken += tuple(f"{root}/" if root else "" for root in tables)
        segments = {path: found for path, found in self._segments.items() if not f"{path}/".startswith(taken)}
        for path, blobs in sorted(self._loose.items()):
            if not f"{path}/".startswith(taken):
                self._place(path, blobs, segments)
        for path, found in segments.items():
            if found.undated:
                found.undated += self._begun_in(path)
        return [
            *(_seen(path, found) for path, found in segments.items()),
            *(self._of_table(root, table) for root, table in tables.items()),
            *self._uncounted(),
        ]

    def _of_table(self, root: str, table: _Table) -> SegmentSeen:
        if table.kind is not DELTA:
            return SegmentSeen(root, (), (say("it %(why)s", why=table_words(table.kind)),))
        dated = {path: [*found.folders.values()] for path, found in self._segments.items()}
        before = [*self._loose.items(), *((path, blobs) for path, many in dated.items() for blobs in many)]
        inside = f"{root}/" if root else ""
        others = [blob for path, blobs in before if f"{path}/".startswith(inside) for blob in blobs]
        return SegmentSeen(root, (), table=TableSeen(root, log.kept(table.log), (*others, *table.others)))

    def _begun_in(self, path: str) -> Iterable[Blob]:
        inside = (known for folder, known in self._begun.items() if folder == path or folder.startswith(f"{path}/"))
        return [blob for known in inside for blob in known.values()]

    def _place(self, path: str, blobs: list[Blob], segments: dict[str, _Segment]) -> None:
        """Files without a date are told of in the segment that they lie in, or make a segment of their own."""
        data = [blob for blob in blobs if not self._rule.vouches(blob.name)]
        own = _without_writers_folders(path, self._root)
        above = [own, *_ancestors(own, self._root)]
        if not data:
            return
        if named := next((each for each in above[:-1] if dates.looks_like_a_date(last(each))), None):
            segments.setdefault(parent(named), _Segment()).beside.append(_like_a_date(named))
        elif home := next((each for each in above if each in segments and segments[each].folders), None):
            segments[home].beside += [_beside(home, blob) for blob in data[:_SHOWN]]
        elif own == self._root:
            segments.setdefault(own, _Segment()).beside += [_lost(blob) for blob in data[:_SHOWN]]
        else:
            home = next((each for each in reversed(above) if each in segments and segments[each].undated), own)
            segments.setdefault(home, _Segment()).undated += blobs

    def _uncounted(self) -> Iterable[SegmentSeen]:
        if self._left_out:
            why = say_many(
                "%(num)s more file in folders without a date was not looked at; take it elsewhere",
                "%(num)s more files in folders without a date were not looked at; take them elsewhere",
                self._left_out,
            )
            yield SegmentSeen(self._root, (), (why,))


def _seen(path: str, found: _Segment) -> SegmentSeen:
    newest = sorted(found.folders.items(), key=lambda item: (item[0][0], _written_at(item[1]), item[0][1]))
    folders = [
        DatedFolder(
            folder, taken_at, tuple(blobs), needs_mark=found.first_mark is not None and found.first_mark < taken_at
        )
        for (taken_at, folder), blobs in reversed(newest)
    ]
    if len(found.undated) > _MOST_FILES:
        found.beside.append(
            say("%(path)s holds more than %(most)s files and no dated folder", path=path, most=_MOST_FILES)
        )
    elif found.undated:
        folders.append(DatedFolder(path, _written_at(found.undated), tuple(found.undated), has_date=False))
    return SegmentSeen(path, tuple(folders), tuple(dict.fromkeys(found.beside)))


def _written_at(blobs: Sequence[Blob]) -> datetime:
    return max((blob.modified_at for blob in blobs), default=datetime.min.replace(tzinfo=UTC))


def _like_a_date(path: str) -> Message:
    if dates.timestamp(last(path)):
        return say("%(path)s is a date and lies in no segment's folder, so it is not used; put it into one", path=path)
    return say(
        "%(path)s looks like a date and cannot be read as one, so it is not used; call it %(spelling)s",
        path=path,
        spelling=dates.SPELLING,
    )


def _lost(blob: Blob) -> Message:
    return say("%(file)s lies in no segment's folder, so it is not used; put it into one", file=blob.name)


def _beside(home: str, blob: Blob) -> Message:
    if format_of(blob.name):
        return say(
            "%(file)s lies in %(folder)s, but in no dated folder, so it is not used; put it into one",
            file=blob.name,
            folder=home,
        )
    return say(
        "%(file)s lies in %(folder)s and is not used: %(why)s", file=blob.name, folder=home, why=why_not(blob.name)
    )


def _without_writers_folders(path: str, root: str) -> str:
    """The folder that holds folders which writers make for the files of one state: `people.csv/`, `country=SE/`."""
    name = last(path)
    if path != root and "/" in path and (format_of(name) or "=" in name) and not dates.looks_like_a_date(name):
        return _without_writers_folders(parent(path), root)
    return path


def _ancestors(path: str, root: str) -> list[str]:
    """The folders above, inside first, down to the one that is listed."""
    above = []
    while path and path != root:
        path = parent(path)
        above.append(path)
    return above
