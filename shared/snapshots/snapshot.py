"""What a segment and its snapshot are: plain values, with JSON for the plan that pins them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.errors import UserMustAct
from shared.wording import Message, Value, kept, read, say, some, together

_LISTED = 20
_SHOWN = 5


class Layout(StrEnum):
    """How a segment's files lie in their container."""

    CUSTOMER_INSIGHTS = "Customer Insights"
    """A model.json names the segments of an export and the files of the newest snapshot of each."""
    DATED_FOLDERS = "dated folders"
    """`<segment>/<timestamp>/part-*`, CSV with a header or Parquet."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How to read a CSV file."""

    delimiter: str = ","
    """Empty where the header has to say it."""
    quote: str = '"'
    """Empty where cells are never quoted."""
    header: bool = True
    encoding: str = "utf-8"
    """`utf-8`, `latin-1`, or what Python calls another one."""
    compression: str = "none"
    """`none`, `gzip` or `zstd`."""
    escape: str = ""
    """What stands before a quotation mark inside a quoted cell; empty where it is doubled."""
    nulls: tuple[str, ...] = ()
    """Texts that stand for no value, besides `\\N`."""


@dataclass(frozen=True, slots=True)
class ParquetFormat:
    """Parquet says everything itself."""


@dataclass(frozen=True, slots=True)
class DeltaField:
    """A column of a Delta table: its name, what it is called in the files, and its type in Delta's words."""

    name: str
    stored_as: str
    kind: str


@dataclass(frozen=True, slots=True)
class DeltaFormat:
    """A version of a Delta table: Parquet files whose columns are those of the table's schema."""

    version: int
    fields: tuple[DeltaField, ...]


Format = CsvFormat | ParquetFormat | DeltaFormat


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One version of one blob; size in bytes. `blob_snapshot` is set where a blob snapshot is meant, `values` where the
    snapshot's `partitioned` columns have them elsewhere than in the names of folders."""

    container: str
    name: str
    etag: str
    size: int
    blob_snapshot: str | None = None
    values: tuple[str | None, ...] | None = None

    @property
    def path(self) -> str:
        return f"{self.container}/{self.name}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One dated state of a segment: a fixed list of files, whose order counts.

    `key` names it; together with the files' ETags it says that two snapshots hold the same rows.
    `columns` are in the order of the first file. `passed_over` says in words why a newer state was not used.
    """

    segment_id: str
    name: str
    taken_at: datetime
    key: str
    files: tuple[SnapshotFile, ...]
    format: Format
    columns: tuple[str, ...]
    passed_over: tuple[Message, ...] = ()
    beside: tuple[Message, ...] = ()
    """What else lies in the segment's folder and is not used, and why."""
    partitioned: tuple[str, ...] = ()
    """Columns whose values are not in the files: in the names of folders (`country=SE/`), or in a table's log."""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Only what JSON knows."""
        kind = next(kind for kind, of in _KINDS.items() if isinstance(self.format, of))
        return {
            **asdict(self),
            "taken_at": self.taken_at.isoformat(),
            "files": [asdict(file) for file in self.files],
            "format": {"kind": kind, **asdict(self.format)},
            "columns": list(self.columns),
            "passed_over": [kept(each) for each in self.passed_over],
            "beside": [kept(each) for each in self.beside],
            "partitioned": list(self.partitioned),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Snapshot:
        """What `to_json` gave. Raises KeyError or TypeError on anything else."""
        return cls(
            segment_id=data["segment_id"],
            name=data["name"],
            taken_at=datetime.fromisoformat(data["taken_at"]),
            key=data["key"],
            files=tuple(_file(**file) for file in data["files"]),
            format=_format(**data["format"]),
            columns=tuple(data["columns"]),
            passed_over=tuple(map(read, data.get("passed_over", ()))),
            beside=tuple(map(read, data.get("beside", ()))),
            partitioned=tuple(data.get("partitioned", ())),
        )


_KINDS: Mapping[str, type[Format]] = {"csv": CsvFormat, "parquet": ParquetFormat, "delta": DeltaFormat}


def _format(kind: str, **said: Any) -> Format:
    if kind == "delta":
        return DeltaFormat(said["version"], tuple(DeltaField(**field) for field in said["fields"]))
    lists = {name: tuple(each) for name, each in said.items() if isinstance(each, list)}
    return _KINDS[kind](**{**said, **lists})


def _file(values: Sequence[str | None] | None = None, **said: Any) -> SnapshotFile:
    return SnapshotFile(**said, values=None if values is None else tuple(values))


@dataclass(frozen=True, slots=True)
class SegmentFound:
    """A segment as it lies in storage, with its newest complete snapshot if there is one.

    `problems` say in words why there is none, or why a newer one is not used.
    """

    name: str
    container: str
    folder: str
    """Of the segment's export: the folder of the model.json, or the one that holds the segment's own folder."""
    layout: Layout
    columns: tuple[str, ...]
    """Also known where there is no snapshot, if a model.json names them."""
    snapshot: Snapshot | None
    problems: tuple[Message, ...] = ()
    beside: tuple[Message, ...] = ()
    """What else lies in its folder and is not used, and why; no reason against its snapshot."""

    @property
    def id(self) -> str:
        """`container/folder/of/the/export:Name`."""
        return f"{join(self.container, self.folder)}:{self.name}"

    def with_snapshot(
        self,
        taken_at: datetime,
        files: Iterable[SnapshotFile],
        kind: Format,
        columns: tuple[str, ...],
        partitioned: tuple[str, ...] = (),
        state: str = "",
    ) -> SegmentFound:
        """`state` names it where its date does not."""
        key = f"{self.id}@{state or taken_at.isoformat()}"
        snapshot = Snapshot(self.id, self.name, taken_at, key, tuple(files), kind, columns, partitioned=partitioned)
        return replace(self, snapshot=snapshot, columns=columns)


def join(*parts: str) -> str:
    """A path of the parts that are not empty."""
    return "/".join(part for part in parts if part)


def parent(path: str) -> str:
    """The folder that a blob or folder lies in; empty at the top of the container."""
    return path.rpartition("/")[0]


def last(path: str) -> str:
    """A blob's or folder's own name."""
    return path.rpartition("/")[2]


def below(path: str, folder: str) -> str:
    """A path as it is seen from a folder that it lies in."""
    return path[len(folder) :].lstrip("/")


def resolve(segments: Sequence[SegmentFound], reference: str) -> SegmentFound:
    """The segment that a reference means: its id, or its name where only one segment has it.

    Raises UserMustAct: `unknown_segment`, or `ambiguous_segment` where several have the name.
    """
    by_id = [segment for segment in segments if segment.id == reference]
    candidates = by_id or [segment for segment in segments if segment.name == reference]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise UserMustAct(
            "ambiguous_segment",
            say(
                "Several segments are called '%(reference)s'. Use one of these ids: %(candidates)s.",
                reference=reference,
                candidates=_listed(candidates),
            ),
        )
    raise unknown_segment(reference, _seen(segments))


def unknown_segment(reference: str, seen: Value = "") -> UserMustAct:
    """`seen` is what is there instead."""
    return UserMustAct(
        "unknown_segment", say("There is no segment '%(reference)s'. %(seen)s", reference=reference, seen=seen)
    )


def _seen(segments: Sequence[SegmentFound]) -> str:
    """What is there instead: segments, and what is none, with why it is not."""
    if not segments:
        return say("Nothing lies where segments are looked for: look at the app setting SEGMENT_LOCATIONS.")
    others = [(join(each.container, each.folder), each) for each in segments if not each.snapshot]
    said = [
        say("%(place)s: %(why)s", place=place, why=(*each.problems, *each.beside)[0])
        for place, each in others
        if each.problems or each.beside
    ]
    known = say("Known segments: %(segments)s.", segments=_listed(segments))
    if not said:
        return known
    more = say("; and %(more)s more", more=len(said) - _SHOWN) if len(said) > _SHOWN else ""
    return say(
        "%(known)s What is not used, and why: %(said)s%(more)s.",
        known=known,
        said=together(said[:_SHOWN], "; "),
        more=more,
    )


def _listed(segments: Sequence[SegmentFound]) -> str:
    return some([segment.id for segment in segments], _LISTED)
