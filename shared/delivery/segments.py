"""Segments as the service sees them: found in storage, their newest snapshot, and row counts that are kept.

Row counts come from the table `snapshots`, keyed by the snapshot and its files' ETags. No request reads a snapshot:
what is not counted yet is asked of a queue slice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from shared.catalog.dialects import DialectInput, DialectStore
from shared.catalog.export_validation import SegmentKnown
from shared.cloud.cloud import Cloud
from shared.delivery.messages import CountMessage
from shared.delivery.state.records import now
from shared.errors import Conflict, RetryAfter, UserMustAct
from shared.snapshots.completion import Completion
from shared.snapshots.counts import count_rows
from shared.snapshots.dialect import Dialect, UnreadableDialect
from shared.snapshots.finding import find_if_few, find_segments, newest_of
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import SegmentFound, Snapshot, resolve

PARTITION = "rows"

_NOT_THERE = frozenset({"unknown_segment", "ambiguous_segment", "segment_not_ready"})


def found(cloud: Cloud) -> list[SegmentFound]:
    """Every segment below the configured locations. Raises UserMustAct where a container is missing."""
    locations = cloud.settings.segment_locations
    return find_segments(cloud.segments, locations, now(), rule=_completion(cloud), dialects=_dialects(cloud))


def newest(cloud: Cloud, reference: str) -> Snapshot:
    """The newest complete snapshot of a segment. Raises UserMustAct, which says what is missing."""
    locations = cloud.settings.segment_locations
    return newest_of(cloud.segments, locations, reference, now(), rule=_completion(cloud), dialects=_dialects(cloud))


def _dialects(cloud: Cloud) -> Mapping[str, Dialect]:
    """What people declare of segments, by id."""
    declared = DialectStore(cloud.snapshots).all()
    return {
        segment: Dialect(**found.model_dump())
        if isinstance(found, DialectInput)
        else UnreadableDialect(why=found.words)
        for segment, found in declared.items()
    }


def _completion(cloud: Cloud) -> Completion:
    settings = cloud.settings
    return Completion(timedelta(minutes=settings.settle_minutes), settings.segment_marks)


def seen(cloud: Cloud, references: Sequence[str]) -> Mapping[str, SegmentKnown]:
    """Those segments that are there."""
    look = Newest(cloud)
    with suppress(UserMustAct):
        return {reference: there for reference in references if (there := look.segment(reference)) is not None}
    return {}


def first_rows(cloud: Cloud, snapshot: Snapshot, columns: Sequence[str], most: int) -> list[tuple[str | None, ...]]:
    """Cells of the first rows of its first file, as they are read: they hold people. Raises UserMustAct."""
    begun = replace(snapshot, files=snapshot.files[:1])
    with reader(cloud.segments, cloud.settings) as opened:
        rows = opened.connection.execute(f"SELECT * FROM ({opened.scan(begun, columns).sql}) LIMIT {most}").fetchall()
    return [row[:-1] for row in rows]


def counts(cloud: Cloud, segments: Sequence[SegmentFound]) -> Mapping[str, int]:
    """Rows by segment id, of those whose newest snapshot is counted; the others are put in the queue."""
    known = {}
    for segment in segments:
        if segment.snapshot is None:
            continue
        stored = cloud.snapshots.get(PARTITION, _key(segment.snapshot))
        if stored is None:
            _ask(cloud, segment.id, segment.snapshot)
        elif "rows" in stored.entity:
            known[segment.id] = int(stored.entity["rows"])
    return known


def _ask(cloud: Cloud, segment: str, snapshot: Snapshot) -> None:
    """Have a snapshot counted; its row says that it was asked for, so that it is asked for once."""
    try:
        cloud.snapshots.insert({"PartitionKey": PARTITION, "RowKey": _key(snapshot), "asked_at": now()})
    except Conflict:
        return
    cloud.slices.send(CountMessage(segment).body())


def count(cloud: Cloud, reference: str) -> None:
    """Count the newest snapshot of a segment and keep the number. A snapshot that cannot be read stays uncounted."""
    try:
        snapshot = newest(cloud, reference)
        with reader(cloud.segments, cloud.settings) as opened:
            rows = count_rows(opened, snapshot)
    except (UserMustAct, RetryAfter):
        return
    stored = cloud.snapshots.get(PARTITION, _key(snapshot))
    entity = {"PartitionKey": PARTITION, "RowKey": _key(snapshot), "rows": rows, "counted_at": now()}
    with suppress(Conflict):
        if stored:
            cloud.snapshots.replace(entity, stored.etag)
        else:
            cloud.snapshots.insert(entity)


def _key(snapshot: Snapshot) -> str:
    """Two snapshots with this key hold the same rows."""
    text = "\n".join([snapshot.segment_id, snapshot.key, *(f"{file.path} {file.etag}" for file in snapshot.files)])
    return hashlib.sha256(text.encode()).hexdigest()


def _resolved(segments: Sequence[SegmentFound], reference: str) -> SegmentFound | None:
    with suppress(UserMustAct):
        return resolve(segments, reference)
    return None


class Newest:
    """Newest snapshots, for one tick of the timer. Where little lies in storage it is listed once, however many exports
    ask; else each segment is looked for in its own folder."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._seen: dict[str, Snapshot | None] = {}

    def __call__(self, reference: str) -> Snapshot | None:
        """None where it is not there, or cannot be read. Raises UserMustAct where a container is missing."""
        if self._few is not None:
            segment = _resolved(self._few, reference)
            return segment.snapshot if segment else None
        if reference not in self._seen:
            self._seen[reference] = self._in_its_folder(reference)
        return self._seen[reference]

    def segment(self, reference: str) -> SegmentKnown | None:
        """None where it is not there."""
        segment = _resolved(self._few or (), reference)
        if segment:
            return SegmentKnown(segment.id, segment.columns)
        snapshot = self(reference)
        return SegmentKnown(snapshot.segment_id, snapshot.columns) if snapshot else None

    @cached_property
    def _few(self) -> list[SegmentFound] | None:
        cloud = self._cloud
        locations = cloud.settings.segment_locations
        return find_if_few(cloud.segments, locations, now(), rule=_completion(cloud), dialects=self._dialects)

    @cached_property
    def _dialects(self) -> Mapping[str, Dialect]:
        return _dialects(self._cloud)

    def _in_its_folder(self, reference: str) -> Snapshot | None:
        cloud = self._cloud
        try:
            return newest_of(
                cloud.segments,
                cloud.settings.segment_locations,
                reference,
                now(),
                rule=_completion(cloud),
                dialects=self._dialects,
                thorough=False,
            )
        except UserMustAct as error:
            if error.code in _NOT_THERE:
                return None
            raise
