"""Is a folder complete? What each way of writing leaves behind, and how a careful reader takes it. Pure.

The order of trust: a write that says that it is under way, a mark that says that it is done, and last the time since
anything changed, which is all that there is where a writer leaves no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from shared.snapshots.blob import Blob
from shared.snapshots.snapshot import below, last, parent
from shared.wording import Message, either, say, say_many

SETTLED_AFTER = timedelta(minutes=10)

_GIVEN_UP = timedelta(hours=24)
_UNDER_WAY = "_temporary"
"""Folder of Hadoop's committers; gone when a job ends well."""
_STARTED = re.compile(r"_started_(\w+)")
_COMMITTED = re.compile(r"_committed_(?!vacuum)(\w+)")
_WRITE = re.compile(r"-tid-(\d+)-")
"""Databricks: what a write leaves when it starts and ends, and its id in the name of each of its files."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What says that a folder is complete: a file with one of these names (`*` stands for anything), or time."""

    settled_after: timedelta = SETTLED_AFTER
    marks: tuple[str, ...] = ("_SUCCESS",)

    def is_mark(self, name: str) -> bool:
        """A file's name, or a blob's."""
        base = last(name)
        return any(fnmatchcase(base, mark) for mark in self.marks)

    def vouches(self, name: str) -> bool:
        """Whether a blob of this name says that a write is done, by our marks or Databricks' own."""
        return self.is_mark(name) or bool(_COMMITTED.fullmatch(last(name)))


USUAL = Completion()


def written_to(name: str) -> str | None:
    """Where a blob of this name says that a write was begun: the folder that is written to; None where it says
    nothing."""
    if _STARTED.fullmatch(last(name)):
        return parent(name)
    parts = name.split("/")
    return "/".join(parts[: parts.index(_UNDER_WAY)]) if _UNDER_WAY in parts else None


@dataclass(frozen=True, slots=True)
class FolderState:
    """All blobs of a folder, and those of them that are its data; `needs_mark`: earlier folders had one."""

    path: str
    blobs: Sequence[Blob]
    data: Sequence[Blob]
    needs_mark: bool


def unfinished(written: FolderState, rule: Completion, now: datetime) -> Message | None:
    """Why a folder is not complete yet, in words that follow its name; None where it is."""
    newest = max(blob.modified_at for blob in written.blobs)
    done = _done(written, rule)
    why = _under_way(written, done) or _unmarked(written, rule, now, done)
    if why and now - newest > _GIVEN_UP:
        return say_many(
            "%(why)s. Nothing changed in it for %(num)s day: its writer probably failed, so write it again",
            "%(why)s. Nothing changed in it for %(num)s days: its writer probably failed, so write it again",
            round((now - newest) / timedelta(days=1)),
            why=why,
        )
    return why


def _under_way(written: FolderState, done: datetime | None) -> Message | None:
    """A write that says itself that it is not done."""
    temporary = [blob.modified_at for blob in written.blobs if _UNDER_WAY in below(blob.name, written.path).split("/")]
    if temporary and not (done and done >= max(temporary)):
        return say("is still being written: there is a folder %(folder)s in it", folder=_UNDER_WAY)
    started, committed = _ids(_STARTED, written.blobs), _ids(_COMMITTED, written.blobs)
    if left := sorted(started - committed):
        return say(
            "is still being written: Databricks started the write %(write)s and has not committed it", write=left[0]
        )
    writes = {found[1] for blob in written.data if (found := _WRITE.search(blob.name))}
    if (started or committed) and (left := sorted(writes - committed)):
        return say("is still being written: the write %(write)s of Databricks is not committed", write=left[0])
    if committed and len(writes) > 1:
        return say(
            "holds files of %(writes)s writes of Databricks, and only its own log says which of them count; "
            "write each snapshot into a folder of its own",
            writes=len(writes),
        )
    return None


def _unmarked(written: FolderState, rule: Completion, now: datetime, done: datetime | None) -> Message | None:
    """What only time can tell, or a mark. Files that came after the mark have to settle as if there were none."""
    names = either(rule.marks)
    newest = max(blob.modified_at for blob in written.data)
    if done and done >= newest:
        return None
    if not done and written.needs_mark:
        return say(
            "has no file %(names)s, which earlier folders of this segment have: it is not complete. If it is, put that "
            "file into it",
            names=names,
        )
    if empty := [blob.name for blob in written.data if not blob.file.size]:
        return say(
            "is still being written: %(file)s is empty, and no file %(names)s says that it has to be",
            file=last(empty[0]),
            names=names,
        )
    if now - max(blob.modified_at for blob in written.blobs) < rule.settled_after:
        return say(
            "is still being written: it has no file %(names)s, and a file in it changed less than %(minutes)s minutes "
            "ago",
            names=names,
            minutes=rule.settled_after / timedelta(minutes=1),
        )
    return None


def _done(written: FolderState, rule: Completion) -> datetime | None:
    """When the folder was declared complete: by a mark of its own, or by one in each folder in it that holds data."""
    places = {parent(below(blob.name, written.path)) for blob in written.data}
    marked = (blob for blob in written.blobs if rule.is_mark(blob.name))
    marks = {parent(below(blob.name, written.path)): blob.modified_at for blob in marked}
    if "" in marks:
        return marks[""]
    if places and places <= marks.keys():
        return max(marks[place] for place in places)
    writes = [_WRITE.search(blob.name) for blob in written.data]
    committed = [blob.modified_at for blob in written.blobs if _COMMITTED.fullmatch(last(blob.name))]
    return max(committed) if committed and all(writes) else None


def _ids(pattern: re.Pattern[str], blobs: Iterable[Blob]) -> set[str]:
    return {found[1] for blob in blobs if (found := pattern.fullmatch(last(blob.name)))}
