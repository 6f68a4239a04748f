"""Segments that a Spark job has divided as docs/large-segments.md says, so that nothing is routed here. Pure.

Each file lies in a folder `parted_v1_<number of parts>=<part>`: version 1 of the layout. Rows whose address is not all
plain ASCII lie in part -1, and are routed here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from shared.delivery.plan.pieces import Stretch
from shared.delivery.state.files import BUCKETS
from shared.snapshots.partitions import values_of
from shared.snapshots.snapshot import DeltaFormat, Snapshot, SnapshotFile

REST = -1
"""The part of rows that the job does not divide."""
MOST_STRETCHES = 2000
"""As many numbers as there are for stretches of rows, nearly."""
_COLUMN = re.compile(r"parted_v1_([1-9][0-9]{0,2})")
_PART = re.compile(r"-1|0|[1-9][0-9]{0,2}")


def parts_of(snapshots: Sequence[Snapshot]) -> int | None:
    """Into how many parts all of them are divided; None where one is not, or they differ."""
    numbers = {_parts(each) for each in snapshots}
    [number] = numbers if len(numbers) == 1 else [None]
    return number if number and len(snapshots) * (number + 1) <= MOST_STRETCHES else None


def stretches(snapshots: Sequence[Snapshot]) -> dict[int, list[Stretch]]:
    """The files of each part, those of one snapshot after those of the one before."""
    found: dict[int, list[Stretch]] = {}
    count = 0
    for segment, snapshot in enumerate(snapshots):
        first = 0
        for part, files in groupby(_parts_of_files(snapshot)):
            number = len(list(files))
            found.setdefault(part, []).append(Stretch(count, segment, first, number))
            first, count = first + number, count + 1
    return found


def _parts(snapshot: Snapshot) -> int | None:
    """A power of two, whose parts' files each lie together; None where it is something else."""
    column = _column(snapshot)
    number = int(column.removeprefix("parted_v1_")) if column else 0
    if not 1 < number <= BUCKETS or number & (number - 1):
        return None
    texts = [_value(snapshot, file, column) or "" for file in snapshot.files]
    runs = [text for text, _ in groupby(texts)]
    right = len(set(runs)) == len(runs) and all(_PART.fullmatch(text) and int(text) < number for text in runs)
    return number if right else None


def _parts_of_files(snapshot: Snapshot) -> list[int]:
    column = _column(snapshot)
    return [int(_value(snapshot, file, column) or REST) for file in snapshot.files]


def _column(snapshot: Snapshot) -> str:
    return next(filter(_COLUMN.fullmatch, snapshot.partitioned), "")


def _value(snapshot: Snapshot, file: SnapshotFile, column: str) -> str | None:
    if isinstance(snapshot.format, DeltaFormat):
        return dict(zip(snapshot.partitioned, file.values or (), strict=True))[column]
    return dict(values_of(file.name, [column]))[column]
