"""Finding segments in Blob Storage: all of them by one listing per location and a few calls per segment, a named one in
its own folder only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from azure.core.exceptions import ResourceNotFoundError

from shared.cloud.settings import Location
from shared.errors import UserMustAct
from shared.snapshots.blob import Blob
from shared.snapshots.completion import USUAL, Completion
from shared.snapshots.delta.tables import TableSeen, listed_log
from shared.snapshots.dialect import PLAIN, Dialect, UnreadableDialect
from shared.snapshots.folders import still_to_come
from shared.snapshots.increments import increment
from shared.snapshots.listing import Listing, SegmentSeen
from shared.snapshots.looking import Looking
from shared.snapshots.manifest import ENDING
from shared.snapshots.model_segments import MODEL, ModelSegments, is_description, that_count
from shared.snapshots.names import Names
from shared.snapshots.snapshot import (
    CsvFormat,
    Layout,
    SegmentFound,
    Snapshot,
    join,
    last,
    parent,
    resolve,
    unknown_segment,
)
from shared.snapshots.trouble import Trouble, apart
from shared.snapshots.walking import everything, if_few, newest_states
from shared.wording import Message, say, together

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient


_AT_ONCE = 8
NONE_DECLARED: Mapping[str, Dialect] = MappingProxyType({})
_LOOSE = "(loose files)"
"""Name of what lies in no segment's folder."""
_AT_THE_TOP = say("a Delta table lies at the top of the container; put it into a folder, which gives it its name")

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def find_segments(
    client: BlobServiceClient,
    locations: Iterable[Location],
    now: datetime,
    *,
    rule: Completion = USUAL,
    dialects: Mapping[str, Dialect] = NONE_DECLARED,
) -> list[SegmentFound]:
    """Every segment below the locations, by id; `dialects` are what is declared of some, by id too.

    What cannot be used is listed with its problems, and each of them is looked at apart: nothing that lies in one of
    them keeps another from being found.

    Raises UserMustAct `no_such_container`.
    """
    finders = [_Finder(client, location, now, rule, dialects) for location in locations]
    return _by_their_ids(finder.below() for finder in finders)


def find_if_few(
    client: BlobServiceClient,
    locations: Iterable[Location],
    now: datetime,
    *,
    rule: Completion = USUAL,
    dialects: Mapping[str, Dialect] = NONE_DECLARED,
) -> list[SegmentFound] | None:
    """The same where one request lists each location; None where more lies in one of them."""
    finders = [_Finder(client, location, now, rule, dialects) for location in locations]
    listed = []
    for finder in finders:
        if (few := finder.if_few()) is None:
            return None
        listed.append(few)
    return _by_their_ids(finder.below(few) for finder, few in zip(finders, listed, strict=True))


def _by_their_ids(found: Iterable[Iterable[SegmentFound]]) -> list[SegmentFound]:
    segments: dict[str, SegmentFound] = {}
    for segment in (each for several in found for each in several):
        if not (segment.id in segments and segments[segment.id].snapshot):  # locations may lie in one another
            segments[segment.id] = segment
    return [segments[key] for key in sorted(segments)]


def newest_of(
    client: BlobServiceClient,
    locations: Sequence[Location],
    reference: str,
    now: datetime,
    *,
    rule: Completion = USUAL,
    dialects: Mapping[str, Dialect] = NONE_DECLARED,
    thorough: bool = True,
) -> Snapshot:
    """The newest complete snapshot of the segment that a reference means; no other segment is looked into. An id tells
    where it lies, so nothing else is listed. A name may be anywhere, and is looked for there; which id it means is then
    remembered for a few minutes. What was not found lately is only looked for again if this is to be `thorough`.

    Raises UserMustAct `unknown_segment` or `ambiguous_segment`, and what `newest_snapshot` raises.
    """
    finders = [_Finder(client, location, now, rule, dialects) for location in locations]
    names, key = Names.of(client), (tuple(locations), reference)
    known = names.get(key, now)
    if found := _by_id(finders, reference) or (_by_id(finders, known) if known else None):
        return _usable(found, reference)
    if known == "" and not thorough:
        raise unknown_segment(reference)
    names.keep(key, "", now)
    looks: dict[str, Callable[[], SegmentFound | None]] = {}
    for finder in finders:
        looks = finder.called(reference) | looks
    chosen = reference if reference in looks else next(iter(looks)) if len(looks) == 1 else None
    if chosen is None:
        known_ones = find_segments(client, locations, now, rule=rule, dialects=dialects)
        return _usable(resolve(known_ones, reference), reference)
    names.keep(key, chosen, now)
    return _usable(looks[chosen](), reference)


def _by_id(finders: Sequence[_Finder], reference: str) -> SegmentFound | None:
    found = (finder.of_id(reference) for finder in finders)
    return next((segment for segment in found if segment and segment.snapshot), None)


def newest_snapshot(
    client: BlobServiceClient,
    segment: SegmentFound,
    now: datetime,
    *,
    rule: Completion = USUAL,
    dialects: Mapping[str, Dialect] = NONE_DECLARED,
) -> Snapshot:
    """The newest complete snapshot as it is now, its files' ETags pinned. Looks only at what is the segment's own.

    Raises UserMustAct `segment_not_ready`, with the reasons, or `no_such_container`.
    """
    kind = segment.snapshot.format if segment.snapshot else None
    known = isinstance(kind, CsvFormat) and not kind.header and segment.layout is Layout.DATED_FOLDERS
    columns, delimiter = (segment.columns, kind.delimiter) if known and isinstance(kind, CsvFormat) else ((), ",")
    location = Location(segment.container, segment.folder, columns, delimiter)
    return _usable(_Finder(client, location, now, rule, dialects).again(segment), segment.id)


def _usable(segment: SegmentFound | None, name: str) -> Snapshot:
    if segment and segment.snapshot:
        return replace(segment.snapshot, passed_over=segment.problems, beside=segment.beside)
    said = (*segment.problems, *segment.beside) if segment else ()
    called = segment.id if segment else name
    raise UserMustAct(
        "segment_not_ready",
        say(
            "The segment %(called)s cannot be read: %(reasons)s.",
            called=called,
            reasons=together(said or (say("it is no longer there"),), "; "),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Finder:
    client: BlobServiceClient
    location: Location
    now: datetime
    rule: Completion
    dialects: Mapping[str, Dialect]

    @property
    def container(self) -> str:
        return self.location.container

    def if_few(self) -> list[Blob] | None:
        """What lies below the location, None where one request does not list it."""
        with self._said():
            return if_few(self._blobs, self._prefix)

    def below(self, listed: Iterable[Blob] | None = None) -> list[SegmentFound]:
        """All segments; `listed` is what lies there, where that is known."""
        exports, loose = self._split(listed)
        described = _together(lambda export: list(self._described(export, exports[export]).found()), list(exports))
        with closing(Looking(self.client)) as looking:
            found = _together(lambda seen: self._judged(seen, looking), loose)
            told = _together(
                lambda segment: _with_columns(segment, looking), [each for many in described for each in many]
            )
        return [*told, *found]

    def called(self, reference: str) -> dict[str, Callable[[], SegmentFound | None]]:
        """Segments with this id or name, by id, each with what looks into it."""
        exports, loose = self._split()
        names = [(export, name) for export, of in exports.items() for name in self._described(export, of).names()]
        looks: dict[str, Callable[[], SegmentFound | None]] = {
            self._blank(export, name).id: partial(self._one, export, name, exports[export]) for export, name in names
        }
        for seen in loose:
            looks[self._blank(parent(seen.path), seen.name or _LOOSE).id] = partial(self._of_folders, seen)
        return {key: look for key, look in looks.items() if reference in (key, key.rpartition(":")[2])}

    def of_id(self, reference: str) -> SegmentFound | None:
        """The segment with this id where it lies below the location; None where it seems to be something else."""
        place, _, name = reference.rpartition(":")
        container, _, folder = place.partition("/")
        root = self.location.prefix.strip("/")
        if not name or container != self.container or not f"{folder}/".startswith(f"{root}/" if root else ""):
            return None
        for above in _upwards(folder, root):
            if self._blobs.get_blob_client(join(above, MODEL)).exists():
                return self._one(folder, name, (MODEL,)) if above == folder else None
        if (manifests := self._manifests(folder)) and (found := self._one(folder, name, manifests)):
            return found
        return self.again(self._blank(folder, name))

    def again(self, segment: SegmentFound) -> SegmentFound | None:
        if segment.layout is Layout.CUSTOMER_INSIGHTS:
            there = self._blobs.get_blob_client(join(segment.folder, MODEL)).exists()
            documents = () if there else self._manifests(segment.folder)
            return self._one(segment.folder, segment.name, documents or (MODEL,))
        path = join(segment.folder, segment.name)
        start = len(path.split("/"))

        def listing(blobs: Iterable[Blob]) -> Listing:
            return self._into(Listing(self.rule, segment.folder, start), blobs)[1]

        def enough(state: Sequence[Blob]) -> bool:
            seen = listing(state).segments()
            usable = [folder.unusable(self.now, self.rule) is None for each in seen for folder in each.folders]
            return any(usable) and any(self.rule.vouches(blob.name) for blob in state)

        with self._said():
            few = if_few(self._blobs, f"{path}/")
            if few is None and (log := listed_log(self._blobs, path)):
                return self._of_folders(SegmentSeen(path, (), table=TableSeen(path, log)))
            found = listing(newest_states(self._blobs, path, start, enough) if few is None else few)
        return next((self._of_folders(seen) for seen in found.segments() if seen.path == path), None)

    @property
    def _of_location(self) -> Dialect:
        """What the location declares of all that lies below it."""
        place = self.location
        return Dialect(delimiter=place.delimiter, columns=place.columns) if place.columns else PLAIN

    @property
    def _blobs(self) -> ContainerClient:
        return self.client.get_container_client(self.container)

    def _described(self, export: str, documents: Sequence[str]) -> ModelSegments:
        return ModelSegments(self._blobs, export, self.rule, self.now, self.dialects, tuple(documents))

    def _one(self, export: str, name: str, documents: Sequence[str]) -> SegmentFound | None:
        """The segment of this name that documents in a folder describe."""
        found = next(self._described(export, documents).found(only=name), None)
        with closing(Looking(self.client)) as looking:
            return _with_columns(found, looking) if found else None

    def _manifests(self, folder: str) -> tuple[str, ...]:
        """Manifests straight in a folder, where no model.json is; looked for every few minutes."""
        names, key = Names.of(self.client), (self.container, folder, ENDING)
        known = names.get(key, self.now)
        if known is None:
            items = self._blobs.walk_blobs(name_starts_with=f"{folder}/" if folder else "")
            known = "/".join(that_count(last(item.name) for item in items if is_description(last(item.name))))
            names.keep(key, known, self.now)
        return tuple(known.split("/")) if known else ()

    def _blank(self, folder: str, name: str) -> SegmentFound:
        return SegmentFound(name, self.container, folder, Layout.DATED_FOLDERS, (), None)

    @property
    def _prefix(self) -> str:
        root = self.location.prefix.strip("/")
        return f"{root}/" if root else ""

    def _split(self, listed: Iterable[Blob] | None = None) -> tuple[dict[str, tuple[str, ...]], list[SegmentSeen]]:
        """Folders with documents that describe them, and the segments that lie in none of them."""
        with self._said():
            blobs = everything(self._blobs, self._prefix) if listed is None else listed
            exports, found = self._into(Listing(self.rule, self._prefix.rstrip("/")), blobs)
        return exports, found.segments(exports)

    def _into(self, listing: Listing, blobs: Iterable[Blob]) -> tuple[dict[str, tuple[str, ...]], Listing]:
        """The folders with a model.json or manifests, with these; and everything else."""
        documents: dict[str, list[str]] = {}
        for blob in blobs:
            if is_description(last(blob.name)) and not blob.directory:
                documents.setdefault(parent(blob.name), []).append(last(blob.name))
            else:
                listing.add(blob)
        return {folder: that_count(names) for folder, names in documents.items()}, listing

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except ResourceNotFoundError:
            message = say(
                "Segments are looked for in the container '%(container)s', which does not exist.",
                container=self.container,
            )
            raise UserMustAct("no_such_container", message) from None

    def _of_folders(self, seen: SegmentSeen) -> SegmentFound:
        with closing(Looking(self.client)) as looking:
            return self._judged(seen, looking)

    def _judged(self, seen: SegmentSeen, looking: Looking) -> SegmentFound:
        segment = replace(self._blank(parent(seen.path), seen.name or _LOOSE), beside=seen.beside)
        if not seen.name and seen.table:
            return replace(segment, problems=(_AT_THE_TOP,))
        if not seen.name and seen.folders:
            return replace(
                segment, problems=(say("%(folder)s is a folder without a name; give it one", folder=seen.path),)
            )
        if seen.table:
            return self._of_table(segment, seen.table, looking)
        problems: list[Message] = []
        for folder in seen.folders:
            if problem := folder.unusable(self.now, self.rule):
                problems.append(problem)
                continue
            if folder.table:
                found = self._of_table(segment, folder.table, looking, folder.taken_at)
                if found.snapshot is None:
                    problems += found.problems
                    continue
                segment = found
                break
            dialect = self.dialects.get(segment.id, self._of_location)
            looked = apart(partial(looking.at, folder.files, folder.format, dialect), folder.path)
            if isinstance(looked, Trouble):
                problems.append(looked.words)
            elif why := increment(seen.path, looked[1]):
                problems.append(say("%(what)s %(why)s", what=folder.path, why=why))
            else:
                kind, columns = looked
                columns += tuple(name for name in folder.partitioned if name not in columns)
                segment = segment.with_snapshot(folder.taken_at, folder.files, kind, columns, folder.partitioned)
            break
        return replace(segment, problems=tuple(problems))

    def _of_table(
        self, segment: SegmentFound, seen: TableSeen, looking: Looking, taken_at: datetime | None = None
    ) -> SegmentFound:
        """A segment that is a Delta table, or whose state of a date is one."""
        dialect = self.dialects.get(segment.id, PLAIN)
        if isinstance(dialect, UnreadableDialect):
            return replace(segment, problems=(dialect.why,))
        found = apart(partial(looking.into, self.container, seen), seen.path)
        if isinstance(found, Trouble):
            return replace(segment, problems=(found.words,), beside=(*segment.beside, *seen.beside()))
        segment = replace(segment, beside=(*segment.beside, *seen.beside(found.files)))
        moment = taken_at or found.taken_at
        problem = increment(seen.path, found.columns)
        if problem is None and still_to_come(moment, self.now):
            problem = say("has a date that is still to come")
        if problem:
            return replace(segment, problems=(say("%(what)s %(why)s", what=seen.path, why=problem),))
        return segment.with_snapshot(
            moment, found.files, found.format, found.columns, found.partitioned, state=found.key
        )


def _upwards(folder: str, root: str) -> Iterator[str]:
    """A folder and those above it, down to `root`."""
    while True:
        yield folder
        if folder in ("", root):
            return
        folder = parent(folder)


def _with_columns(segment: SegmentFound, looking: Looking) -> SegmentFound:
    """A segment that a manifest describes without its columns, with those of its files."""
    snapshot = segment.snapshot
    if snapshot is None or snapshot.columns or not snapshot.files:
        return segment
    looked = apart(partial(looking.at, snapshot.files, snapshot.format, PLAIN), segment.name)
    if isinstance(looked, Trouble):
        return replace(segment, snapshot=None, problems=(looked.words,))
    kind, columns = looked
    return replace(segment, columns=columns, snapshot=replace(snapshot, format=kind, columns=columns))


def _together(work: Callable[[_In], _Out], items: Sequence[_In]) -> list[_Out]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, items))
