"""Which files of a Delta table's log make its newest version, by their names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.snapshots.blob import Blob
from shared.snapshots.delta.errors import broken, too_large, unknown
from shared.snapshots.snapshot import last
from shared.wording import say

FOLDER = "_delta_log"
HINT = "_last_checkpoint"
"""Names a checkpoint, which need not be there, nor the newest."""
MOST_COMMITS = 1_000
MOST_BYTES = 64 << 20
"""Of all commits that are read, and of a checkpoint."""

_DIGITS = 20
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet")
_CHECKPOINT_2 = re.compile(r"(\d{20})\.checkpoint\.[0-9A-Fa-f-]{36}\.(?:json|parquet)")
_MANY = 500
_BLOCK = 3
"""Digits of a version that are left out where a log is listed in pieces: 1,000 versions, and what belongs to them."""
_VERSIONS = 1_000


@dataclass(frozen=True, slots=True)
class LogFiles:
    """What has to be read for a version: the parts of a checkpoint, if there is one, and the commits after it. `own` is
    the commit of the checkpoint's version, where it is still there: it says when that was made."""

    version: int
    checkpoint: tuple[Blob, ...]
    own: tuple[Blob, ...]
    commits: tuple[Blob, ...]

    @property
    def all(self) -> tuple[Blob, ...]:
        return (*self.checkpoint, *self.own, *self.commits)

    @property
    def written_at(self) -> datetime:
        """When storage got the version."""
        return self.all[-1].modified_at


def chosen(blobs: Sequence[Blob]) -> LogFiles:
    """The files for the newest version. Raises BadTable where one is missing, or they are too many."""
    commits, checkpoints = _commits(blobs), _checkpoints(blobs)
    if not commits and not checkpoints:
        raise _begins_later(blobs) or broken(say("its log holds no version"))
    version, start = max((*commits, *checkpoints)), max(checkpoints, default=-1)
    numbers = range(start + 1, version + 1)
    if start < 0 and 0 not in commits:
        raise _begins_later(blobs) or broken(
            say("its log begins with version %(version)s and has no whole checkpoint", version=str(min(commits)))
        )
    missing = next((number for number in numbers if number not in commits), None)
    if missing is not None:
        raise broken(say("its log lacks version %(version)s", version=str(missing)))
    own = (commits[start],) if start in commits else ()
    found = LogFiles(version, checkpoints.get(start, ()), own, tuple(commits[each] for each in numbers))
    _bounded(found)
    return found


def _begins_later(blobs: Sequence[Blob]) -> Exception | None:
    """What to say where the log begins with a checkpoint of the other kind."""
    return unknown("v2Checkpoint") if any(_CHECKPOINT_2.fullmatch(last(blob.name)) for blob in blobs) else None


def _bounded(found: LogFiles) -> None:
    if len(found.commits) > MOST_COMMITS:
        words = say(
            "its log has %(commits)s versions since the last checkpoint, of which %(most)s are read",
            commits=len(found.commits),
            most=MOST_COMMITS,
        )
        raise too_large(words)
    for blobs in ((*found.own, *found.commits), found.checkpoint):
        size = sum(blob.file.size for blob in blobs)
        if size > MOST_BYTES:
            raise too_large(
                say(
                    "%(megabytes)s MB of its log would have to be read, and %(most)s MB are",
                    megabytes=size >> 20,
                    most=MOST_BYTES >> 20,
                )
            )
    if empty := next((blob for blob in found.all if not blob.file.size), None):
        raise broken(say("%(file)s in its log is empty, so it is still being written", file=last(empty.name)))


def kept(blobs: Iterable[Blob]) -> tuple[Blob, ...]:
    """Of a log those files that can still matter: from the newest whole checkpoint on."""
    found: list[Blob] = []
    for blob in blobs:
        if _matters(blob.name):
            found.append(blob)
            found = found if len(found) % _MANY else _newest(found)
    return tuple(_newest(found))


def _newest(blobs: Sequence[Blob]) -> list[Blob]:
    start = max(_checkpoints(blobs), default=0)
    return [blob for blob in blobs if _version(blob.name) >= start]


def _matters(name: str) -> bool:
    return any(pattern.fullmatch(last(name)) for pattern in (_COMMIT, _CHECKPOINT, _CHECKPOINT_2))


def block_of(version: int) -> str:
    """How the names of this version's files begin, and those of its neighbours."""
    return f"{version:0{_DIGITS}}"[:-_BLOCK]


def begins_with(blobs: Sequence[Blob], version: int) -> bool:
    """Whether there is a whole checkpoint of this version or a newer one, and this version's own commit, so that no
    later one can have been cleared away."""
    return any(found >= version for found in _checkpoints(blobs)) and version in _commits(blobs)


def newest_commit(blobs: Iterable[Blob]) -> int:
    """0 where there is none."""
    return max(_commits(blobs), default=0)


def ends_block(blobs: Iterable[Blob]) -> bool:
    """Whether there is the last version whose files' names begin so, so that there may be more."""
    return (newest_commit(blobs) + 1) % _VERSIONS == 0


def _version(name: str) -> int:
    """Of a file that may matter."""
    return int(last(name)[:_DIGITS])


def _commits(blobs: Iterable[Blob]) -> Mapping[int, Blob]:
    return {int(found[1]): blob for blob in blobs if (found := _COMMIT.fullmatch(last(blob.name)))}


def _checkpoints(blobs: Iterable[Blob]) -> Mapping[int, tuple[Blob, ...]]:
    """Whole checkpoints by their version. Where one was written twice, that in a single file is taken."""
    parts: dict[tuple[int, int], dict[int, Blob]] = {}
    for blob in blobs:
        if found := _CHECKPOINT.fullmatch(last(blob.name)):
            version, part, of = int(found[1]), int(found[2] or 1), int(found[3] or 1)
            parts.setdefault((version, of), {})[part] = blob
    whole = {key: found for key, found in parts.items() if found.keys() == set(range(1, key[1] + 1))}
    in_order = ((key, sorted(whole[key].items())) for key in sorted(whole, reverse=True))
    return {version: tuple(blob for _, blob in found) for (version, _), found in in_order}
