"""From the actions in a Delta table's log to a version of the table: its columns, and the files that hold its rows.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from shared.snapshots.delta.errors import broken, too_large, unknown
from shared.snapshots.delta.fields import fields_of
from shared.snapshots.snapshot import DeltaField
from shared.wording import Message, say

READER_VERSION = 2
MOST_FILES = 20_000
MOST_KNOWN = 100_000
"""Files of any one version on the way."""

ADD, REMOVE, METADATA, PROTOCOL, COMMIT = "add", "remove", "metaData", "protocol", "commitInfo"
OF_NO_MEANING = ("txn", "cdc", "domainMetadata")
"""Actions that are for writers, or tell of changes."""
_OF_READERS = frozenset(
    {
        *("deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "typeWidening"),
        *("typeWidening-preview", "variantType", "variantType-preview", "variantShredding-preview"),
        *("catalogManaged", "catalogOwned-preview", "adaptiveMetadata-preview", "timestampNanos"),
    }
)
"""Features that readers have to know, wherever they are listed."""
_UNSAID = object()
_ANY = re.compile(".*", re.DOTALL)
_TEXTS = {
    **dict.fromkeys(("long", "integer", "short", "byte"), re.compile(r"-?\d+")),
    "boolean": re.compile("true|false"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
}
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)

Action = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that holds rows: its path as seen from the table's folder, its size, and the values of the columns that
    the table is partitioned by."""

    path: str
    size: int
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class DeltaTable:
    """A version of a table. `files` are in the order of their paths."""

    id: str
    version: int
    written_at: datetime | None
    fields: tuple[DeltaField, ...]
    partitioned: tuple[str, ...]
    files: tuple[TableFile, ...]


class Replay:
    """Takes the actions of a checkpoint and of the commits after it, oldest first."""

    def __init__(self) -> None:
        self._metadata: Mapping[str, Any] = {}
        self._protocol: Mapping[str, Any] = {}
        self._files: dict[str, Mapping[str, Any]] = {}
        self._written_at: datetime | None = None

    def checkpoint(self, actions: Iterable[Action]) -> None:
        """What was there at the time of a checkpoint, or of a part of it."""
        for kind, said in _of(actions):
            self._take(kind, said)

    def commit(self, actions: Iterable[Action]) -> None:
        """What a version changed. Its removals come before its additions, whatever their order in the file."""
        listed = list(_of(actions))
        self._note(listed)
        removed = {_path(said) for kind, said in listed if kind == REMOVE}
        if both := removed & {_path(said) for kind, said in listed if kind == ADD}:
            raise broken(say("a version of it adds and removes the same file (%(file)s)", file=min(both)))
        for path in removed:
            self._files.pop(path, None)
        for kind, said in listed:
            self._take(kind, said)

    def told(self, actions: Iterable[Action]) -> None:
        """The commit of a checkpoint's own version: when it was made."""
        self._note(_of(actions))

    def table(self, version: int) -> DeltaTable:
        """What there is now. Raises BadTable where that is not understood."""
        if not self._protocol or not self._metadata:
            raise broken(say("its log does not say what it is"))
        reader = _reader_version(self._protocol)
        if (self._metadata.get("format") or {}).get("provider", "parquet") != "parquet":
            raise unknown(say("another format than Parquet"))
        fields = fields_of(self._metadata, reader)
        partitioned = self._metadata.get("partitionColumns") or []
        known = {field.name: field for field in fields}
        if not isinstance(partitioned, list) or not all(name in known for name in partitioned):
            raise broken(say("it is partitioned by a column that it does not have"))
        by = [known[name] for name in partitioned]
        if len(self._files) > MOST_FILES:
            raise too_large(_files(len(self._files), MOST_FILES))
        return DeltaTable(
            _text(self._metadata, "id"),
            version,
            self._written_at,
            fields,
            tuple(partitioned),
            tuple(_file(path, said, by) for path, said in sorted(self._files.items())),
        )

    def _note(self, actions: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """When a version was made. It is never older than the one before, whatever the clocks of two writers say."""
        moments = [_moment(said) for kind, said in actions if kind == COMMIT]
        known = [each for each in (self._written_at, *moments) if each]
        self._written_at = max(known, default=None)

    def _take(self, kind: str, said: Mapping[str, Any]) -> None:
        if kind == PROTOCOL:
            self._protocol = said
        elif kind == METADATA:
            self._metadata = said
        elif kind == ADD:
            if said.get("deletionVector"):
                raise unknown("deletionVectors")
            self._files[_path(said)] = {name: said.get(name) for name in ("size", "partitionValues")}
            if len(self._files) > MOST_KNOWN:
                raise too_large(_files(len(self._files), MOST_KNOWN))


def _of(actions: Iterable[Action]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Kinds of actions and what they say. Raises BadTable on a kind that is not known."""
    known = (ADD, REMOVE, METADATA, PROTOCOL, COMMIT, *OF_NO_MEANING)
    for action in actions:
        if not isinstance(action, Mapping):
            raise broken(say("its log holds something that is no action"))
        for kind, said in action.items():
            if said is None:
                continue
            if kind not in known or not isinstance(said, Mapping):
                raise unknown(say("the action %(kind)s in its log", kind=kind))
            yield kind, said


def _reader_version(protocol: Mapping[str, Any]) -> int:
    version = protocol.get("minReaderVersion")
    listed = {kind: [str(each) for each in protocol.get(kind) or ()] for kind in ("readerFeatures", "writerFeatures")}
    features = [*listed["readerFeatures"], *(each for each in listed["writerFeatures"] if each in _OF_READERS)]
    if not isinstance(version, int) or version > READER_VERSION or features:
        raise unknown(_named(version, features))
    return version


def _named(version: object, features: Iterable[str]) -> Message:
    words = say("reader version %(version)s", version=str(version))
    named = ", ".join(dict.fromkeys(features))
    return say("%(words)s (%(features)s)", words=words, features=named) if named else words


def _path(said: Mapping[str, Any]) -> str:
    """Where a file lies, as seen from the table's folder. A path in the log is an address, so it is decoded once."""
    text = _text(said, "path")
    if text.startswith("/") or urlsplit(text.partition("/")[0]).scheme:
        raise unknown(say("files by their whole address, which may lie outside of its folder (a shallow clone)"))
    try:
        path = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise broken(say("its log names a file that nobody can be called")) from None
    if {"", ".", ".."} & set(path.split("/")):
        raise unknown(say("files outside of its folder"))
    return path


def _file(path: str, said: Mapping[str, Any], by: Sequence[DeltaField]) -> TableFile:
    size, values = said["size"], said["partitionValues"] or {}
    if not isinstance(size, int) or not isinstance(values, Mapping):
        raise broken(say("its log does not say how large %(file)s is", file=path))
    for field in by:
        if not _is_a(field.kind, values.get(field.stored_as, _UNSAID)):
            raise broken(
                say("its log does not say which value %(file)s has for '%(name)s'", file=path, name=field.name)
            )
    return TableFile(path, size, tuple(values[field.stored_as] for field in by))


def _is_a(kind: str, value: object) -> bool:
    """Whether a value of a partition is of a type, as far as its text is read as it stands; an empty one is none."""
    if value is None or value == "":
        return True
    return isinstance(value, str) and bool(_TEXTS.get(kind, _ANY).fullmatch(value))


def _text(said: Mapping[str, Any], name: str) -> str:
    text = said.get(name)
    if not isinstance(text, str) or not text:
        raise broken(say("something in its log has no %(name)s", name=name))
    return text


def _moment(commit: Mapping[str, Any]) -> datetime | None:
    """When a version was made, in milliseconds since 1970; None where the commit does not say it."""
    said = (commit.get(name) for name in ("inCommitTimestamp", "timestamp"))
    milliseconds = next((each for each in said if isinstance(each, int)), None)
    if milliseconds is None or not 0 <= milliseconds < _LATEST.timestamp() * 1000:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def _files(count: int, most: int) -> Message:
    return say("it has %(files)s files, of which %(most)s are read", files=count, most=most)
