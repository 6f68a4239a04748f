"""Reading a model.json, the description that Customer Insights puts beside its files. Pure.

The format is the Common Data Model's: which members there are and what holds where one is missing. No real file of
a Customer Insights export was ever seen, so this is lenient: `entities` may be called `tables`, a header may be
declared in two ways, and members that are not known are ignored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from shared.errors import ExportError
from shared.snapshots.dialect import DELIMITER, ENCODING, ENCODINGS, HEADER, QUOTE
from shared.snapshots.endings import compression_of
from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat
from shared.wording import Message, say

_FIRST_YEAR = 1970
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    **{name: name for name in ENCODINGS if name not in ("utf-8", "iso-8859-1")},
}
_INCREMENTS = ("incrementalPartitions", "incrementalPartitionPatterns")


class BadModel(ExportError):
    """What is wrong with a model.json or what it names, in words for people."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One file of a table. `location` is as it stands there: absolute or relative, perhaps with a query."""

    location: str
    refreshed_at: datetime | None
    format: Format
    said: frozenset[str] = frozenset()
    """What of the format of a CSV file the model.json says; the rest is the Common Data Model's default."""


@dataclass(frozen=True, slots=True)
class ModelTable:
    """One segment. `problems` say in words why it cannot be read; without partitions nobody is in it."""

    name: str
    columns: tuple[str, ...]
    partitions: tuple[Partition, ...]
    problems: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A whole model.json."""

    modified_at: datetime | None
    tables: tuple[ModelTable, ...]


def parse(data: bytes) -> Model:
    """Raises BadModel, in words for people, where the file is no model.json at all."""
    try:
        root = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadModel(say("the model.json is not JSON")) from None
    tables = _first(member(root, name, list) for name in ("entities", "tables"))
    if tables is None:
        raise BadModel(say("the model.json has neither entities nor tables"))
    return Model(moment(member(root, "modifiedTime", str)), each_once([_table(table) for table in tables]))


def each_once(tables: Sequence[ModelTable]) -> tuple[ModelTable, ...]:
    """Tables of one name are one that cannot be read: nobody can say which of them is meant."""
    count = Counter(table.name for table in tables)
    why = say("there are %(tables)s tables of this name; each needs a name of its own")
    shown = {
        table.name: replace(table, problems=(why.filled(tables=count[table.name]),)) if count[table.name] > 1 else table
        for table in tables
    }
    return tuple(shown.values())


def _table(table: Any) -> ModelTable:
    problems: list[Message] = []
    name = member(table, "name", str) or ""
    kind = member(table, "$type", str)
    if kind not in (None, "LocalEntity"):
        problems.append(say("it is a %(kind)s in the model.json, which has no files of its own", kind=kind))
    columns = tuple(member(attribute, "name", str) or "" for attribute in member(table, "attributes", list) or ())
    if not name or not columns or "" in columns:
        problems.append(say("the model.json names no columns for it, or leaves a name out"))
    listed, partitions = member(table, "partitions", list), []
    for partition in listed or ():
        try:
            partitions.append(_partition(partition))
        except BadModel as error:
            problems.append(error.words)
    if listed is None and not problems:
        problems.append(say("the model.json names no files for it"))
    if incremental := next((name for name in _INCREMENTS if member(table, name, list)), None):
        problems.append(
            say("the model.json has %(member)s for it: changes, and not all of its rows", member=incremental)
        )
    return ModelTable(name or "(no name)", columns, tuple(partitions), tuple(dict.fromkeys(problems)))


def _partition(partition: Any) -> Partition:
    location = member(partition, "location", str)
    if not location:
        raise BadModel(say("a partition in the model.json has no location"))
    if location.partition("?")[0].endswith(("/", "\\")):
        raise BadModel(say("the model.json names the folder %(folder)s, and not the files in it", folder=location))
    refreshed_at = moment(member(partition, "refreshTime", str))
    path = location.partition("?")[0].lower()
    if path.endswith(".parquet"):
        return Partition(location, refreshed_at, ParquetFormat())
    return Partition(location, refreshed_at, _csv(partition, compression_of(path)), _said(partition))


def _said(partition: Any) -> frozenset[str]:
    settings = member(partition, "fileFormatSettings", dict) or {}
    members = {"delimiter": DELIMITER, "encoding": ENCODING, "quoteStyle": QUOTE}
    return frozenset(name for each, name in members.items() if member(settings, each, str)) | {HEADER}


def _csv(partition: Any, compression: str) -> CsvFormat:
    """Where nothing is declared the Common Data Model says: no header, commas, quoted as in CSV, UTF-8."""
    settings = member(partition, "fileFormatSettings", dict) or {}
    declared = [(settings, "columnHeaders"), (settings, "hasHeader"), (partition, "hasHeader")]
    headers = (flag(place, name) for place, name in declared)
    delimiter = member(settings, "delimiter", str) or ","
    if len(delimiter) != 1:
        raise BadModel(
            say(
                "the model.json declares the delimiter %(delimiter)s; it must be one character",
                delimiter=repr(delimiter),
            )
        )
    encoding = member(settings, "encoding", str) or "utf-8"
    if encoding.lower() not in _ENCODINGS:
        raise BadModel(
            say(
                "the model.json declares the encoding '%(encoding)s'; read are %(encodings)s",
                encoding=encoding,
                encodings=", ".join(ENCODINGS),
            )
        )
    return CsvFormat(
        delimiter=delimiter,
        quote="" if member(settings, "quoteStyle", str) == "QuoteStyle.None" else '"',
        header=_first(headers) or False,
        encoding=_ENCODINGS[encoding.lower()],
        compression=compression,
    )


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def member(place: Any, name: str, kind: type) -> Any:
    """The member of a JSON object if it is there and of this type, else None."""
    value = place.get(name) if isinstance(place, Mapping) else None
    return value if isinstance(value, kind) else None


def flag(place: Any, name: str) -> bool | None:
    """A boolean member, also as the text that some writers make of it."""
    text = member(place, name, str)
    return {"true": True, "false": False}.get(text.strip().lower()) if text else member(place, name, bool)


def moment(text: str | None) -> datetime | None:
    """ISO 8601 -> UTC; without a time zone it is taken as UTC. None where it is missing, unreadable, or `0001-01-01`,
    which writers put where they know no date."""
    try:
        found = datetime.fromisoformat(text or "")
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year >= _FIRST_YEAR else None
