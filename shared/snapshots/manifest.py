"""Reading a Common Data Model manifest (`*.manifest.cdm.json`), and the document that has the columns of one of its
entities. Pure.

Files that are named one by one are read. Patterns would have to be listed, and a file that is still missing would not
be noticed; increments are changes and not everyone: both are refused by name. Manifests that a manifest names are found
where they lie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.snapshots.dialect import DELIMITER, ENCODING, ENCODINGS, HEADER, QUOTE
from shared.snapshots.endings import compression_of
from shared.snapshots.model_json import BadModel, Model, ModelTable, Partition, each_once, flag, member, moment
from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat
from shared.wording import Message, say

ENDING = "manifest.cdm.json"

_CSV, _PARQUET = "is.partition.format.csv", "is.partition.format.parquet"
_REFUSED = {
    "is.partition.format.deltalake": say("is a Delta table"),
    "is.partition.incremental": say("holds changes, and not all rows"),
}
"""Trait, in small letters -> what it says of a file."""
_NO_FILES = {
    "incrementalPartitions": say("its manifest has incremental partitions for it: changes, and not all of its rows"),
    "incrementalPartitionPatterns": say(
        "its manifest has incremental partitions for it: changes, and not all of its rows"
    ),
    "dataPartitionPatterns": say(
        "its manifest names patterns and not files, so nobody can tell whether all of them are there; have it name "
        "each file (dataPartitions)"
    ),
}
"""Member of an entity that is refused where it is not empty."""
_NAMESPACE = re.compile(r"\w+:/(?!/)")


@dataclass(frozen=True, slots=True)
class Entity:
    """A segment as a manifest has it. Its columns are in another document; where that cannot be read, its files have
    to say them."""

    table: ModelTable
    schema: str = ""
    """`Loyal.cdm.json/Loyal`: a document beside the manifest, and the definition in it."""

    @property
    def is_blind(self) -> bool:
        """Whether its files have no header, so that the columns have to be known."""
        formats = [each.format for each in self.table.partitions]
        return any(isinstance(kind, CsvFormat) and not kind.header for kind in formats)


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a manifest."""
    return name.lower() == ENDING or name.lower().endswith(f".{ENDING}")


def parse(data: bytes) -> tuple[Entity, ...]:
    """The entities; none where there are only other manifests. Raises BadModel where it is no manifest at all."""
    root = _json(data)
    entities = member(root, "entities", list)
    if entities is None and member(root, "subManifests", list) is None:
        raise BadModel(say("the manifest has no entities"))
    found = [_entity(entity) for entity in entities or ()]
    unique = each_once([entity.table for entity in found])
    schemas = {entity.table.name: entity.schema for entity in found}
    return tuple(Entity(table, schemas[table.name]) for table in unique)


def model_of(entities: Iterable[Entity], columns: Mapping[str, tuple[str, ...]]) -> Model:
    """What the manifest says in the terms of a model.json; `columns` are those that were found, by entity."""
    return Model(None, tuple(_with_columns(entity, columns.get(entity.table.name, ())) for entity in entities))


def columns_of(data: bytes, definition: str) -> tuple[str, ...]:
    """Names of an entity's columns, by its document; empty where they would have to be looked for elsewhere."""
    try:
        definitions = member(_json(data), "definitions", list) or ()
    except BadModel:
        return ()
    entity = next((each for each in definitions if member(each, "entityName", str) == definition), None)
    names = list(_attributes(member(entity, "hasAttributes", list)))
    return () if None in names else tuple(name for name in names if name)


def _with_columns(entity: Entity, columns: tuple[str, ...]) -> ModelTable:
    table = entity.table
    if columns or not entity.is_blind or table.problems:
        return replace(table, columns=columns)
    why = say(
        "its files have no header, and the document that its manifest names (entityPath) has no plain list of columns; "
        "write a header and declare it (columnHeaders), or attributes with names"
    )
    return replace(table, problems=(why,))


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadModel(say("the manifest is not JSON")) from None


def _entity(entity: Any) -> Entity:
    problems: list[Message] = []
    name = member(entity, "entityName", str) or member(entity, "name", str) or ""
    kind = member(entity, "type", str)
    if kind not in (None, "LocalEntity"):
        problems.append(say("it is a %(kind)s in the manifest, which has no files of its own", kind=kind))
    problems += [why for each, why in _NO_FILES.items() if member(entity, each, list)]
    listed = member(entity, "dataPartitions", list)
    if listed is None and not problems:
        problems.append(say("the manifest names no files for it"))
    partitions = []
    for partition in listed or ():
        try:
            partitions.append(_partition(partition))
        except BadModel as error:
            problems.append(error.words)
    schema = member(entity, "entityPath", str) or member(entity, "entitySchema", str) or ""
    return Entity(ModelTable(name or "(no name)", (), tuple(partitions), tuple(dict.fromkeys(problems))), schema)


def _partition(partition: Any) -> Partition:
    location = member(partition, "location", str)
    if not location:
        raise BadModel(say("a partition in the manifest has no location"))
    if _NAMESPACE.match(location):
        raise BadModel(
            say("the manifest names a file in the namespace %(name)s of its own", name=location.partition(":")[0])
        )
    if location.partition("?")[0].endswith(("/", "\\")):
        raise BadModel(
            say("%(document)s names the folder %(folder)s, and not the files in it", document=ENDING, folder=location)
        )
    traits = dict(_traits(partition))
    if refused := next((why for trait, why in _REFUSED.items() if trait in traits), None):
        raise BadModel(say("%(file)s %(why)s, as the manifest says, so it is not read", file=location, why=refused))
    refreshed_at = moment(member(partition, "lastFileModifiedTime", str))
    path = location.partition("?")[0].lower()
    if _PARQUET in traits or (_CSV not in traits and path.endswith(".parquet")):
        return Partition(location, refreshed_at, ParquetFormat())
    said = traits.get(_CSV, {})
    names = {"delimiter": DELIMITER, "encoding": ENCODING, "quoteStyle": QUOTE}
    declared = frozenset(name for argument, name in names.items() if argument in said) | {HEADER}
    return Partition(location, refreshed_at, _csv(said, compression_of(path)), declared)


def _csv(said: Mapping[str, Any], compression: str) -> Format:
    """What the Common Data Model says of a CSV file; where nothing is said, commas, UTF-8 and no header."""
    settings = {
        "columnHeaders": flag(said, "columnHeaders"),
        "delimiter": said.get("delimiter", ","),
        "encoding": said.get("encoding", "UTF-8"),
        "escape": said.get("escape", '"'),
        "quote": said.get("quote", '"'),
        "skipLines": str(said.get("skipLines", "0")),
    }
    known = {name.lower(): name for name in ENCODINGS} | {"utf8": "utf-8", "us-ascii": "utf-8"}
    encoding = known.get(str(settings["encoding"]).lower())
    wrong = {
        "delimiter": len(str(settings["delimiter"])) != 1,
        "encoding": encoding is None,
        "escape": settings["escape"] not in ('"', "\\"),
        "quote": settings["quote"] != '"',
        "skipLines": settings["skipLines"] != "0",
    }
    if name := next((name for name, is_wrong in wrong.items() if is_wrong), None):
        raise BadModel(
            say("the manifest says %(name)s %(value)s, which is not read", name=name, value=repr(settings[name]))
        )
    return CsvFormat(
        delimiter=str(settings["delimiter"]),
        quote="" if said.get("quoteStyle") == "QuoteStyle.None" else '"',
        header=bool(settings["columnHeaders"]),
        encoding={"iso-8859-1": "latin-1"}.get(str(encoding), str(encoding)),
        compression=compression,
        escape="\\" if settings["escape"] == "\\" else "",
    )


def _traits(partition: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names of traits in small letters, with their arguments. Raises BadModel where these have no names."""
    for trait in member(partition, "exhibitsTraits", list) or ():
        name = trait if isinstance(trait, str) else member(trait, "traitReference", str)
        arguments = member(trait, "arguments", list) or ()
        named = {str(each["name"]): each.get("value") for each in arguments if member(each, "name", str)}
        if name and name.lower() == _CSV and len(named) < len(arguments):
            raise BadModel(say("the manifest describes its files by arguments without names, which is not read"))
        if name:
            yield name.lower(), named


def _attributes(attributes: Sequence[Any] | None) -> Iterator[str | None]:
    """Names of plain attributes, also of those in groups that are written out; None for what is not."""
    for attribute in attributes or (None,):
        group = member(attribute, "attributeGroupReference", dict)
        if group is not None:
            yield from _attributes(member(group, "members", list))
        else:
            yield member(attribute, "name", str) or None
