"""Definitions in Table Storage: one row each, what people wrote as one JSON property, the rest as columns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from shared.catalog.issues import Invalid, Issue
from shared.catalog.models import MAX_DEFINITION, NAME, Connection, ConnectionInput, Export, ExportInput, Written
from shared.cloud.tables import Rows, Stored
from shared.cloud.unreadable import readable, reading
from shared.wording import STORED, kept, reading_in, say

PARTITION = "definitions"

M = TypeVar("M", Connection, Export)


@dataclass(frozen=True, slots=True)
class Held(Generic[M]):
    """A definition as it was read; `etag` says which version."""

    item: M
    etag: str


class DefinitionStore(Generic[M]):
    """Connections or exports, by name. Every write is conditional and raises Conflict where another was first."""

    def __init__(self, table: Rows, name: str, kept: type[M], written: type[Written]) -> None:
        self._table = table
        self._name = name
        self._kept: type[M] = kept
        self._written = frozenset(written.model_fields)
        self._columns = frozenset(kept.model_fields)
        self._read: dict[str, Held[M]] = {}
        """Definitions by name as they were read last: what has the same version is not made anew."""

    def get(self, name: str) -> Held[M] | None:
        """None where there is none, also for a name that nothing can have (and no table may be asked for). Raises
        UnreadableRow."""
        stored = self._table.get(PARTITION, name) if NAME.fullmatch(name) else None
        return None if stored is None else self._held(stored)

    def values(self, name: str) -> dict[str, Any] | None:
        """As JSON has it, for the audit trail; None where there is none."""
        held = self.get(name)
        with reading_in("en"):
            return held.item.model_dump(mode="json") if held else None

    def all(self) -> list[Held[M]]:
        """All of them that can be read, by name."""
        found = list(readable(self._table.query(PARTITION), self._held))
        self._read = {held.item.name: held for held in found}
        return found

    def insert(self, item: M) -> Held[M]:
        return Held(item, self._table.insert(self._entity(item)))

    def replace(self, item: M, etag: str) -> Held[M]:
        return Held(item, self._table.replace(self._entity(item), etag))

    def delete(self, name: str, etag: str) -> None:
        self._table.delete(PARTITION, name, etag)

    def _entity(self, item: M) -> dict[str, Any]:
        definition = item.model_dump_json(include=set(self._written))
        if len(definition) > MAX_DEFINITION:
            size = say("%(size)s of %(most)s characters", size=len(definition), most=MAX_DEFINITION)
            raise Invalid(
                [
                    Issue(
                        "",
                        say(
                            "This is too large to be stored (%(size)s): use fewer or shorter names and texts.",
                            size=size,
                        ),
                    )
                ]
            )
        given = {name: getattr(item, name) for name in self._kept.model_fields if name not in self._written}
        columns = {name: _column(value) for name, value in given.items() if value is not None}
        return {"PartitionKey": PARTITION, "RowKey": item.name, "definition": definition, **columns}

    def _held(self, stored: Stored) -> Held[M]:
        """A newer version may have written fields that this one does not know."""
        read = self._read.get(str(stored.entity.get("RowKey")))
        if read is not None and read.etag == stored.etag:
            return read
        with reading(self._name, stored.entity):
            columns = {key: value for key, value in stored.entity.items() if key in self._columns}
            values = {**json.loads(stored.entity["definition"]), **columns}
            item = self._kept.model_validate(values, extra="ignore")
            if item.name != stored.entity["RowKey"]:
                raise ValueError("it was copied from another's")
            return Held(item, stored.etag)


def _column(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump_json(context=STORED)
    return kept(value) if isinstance(value, str) else value


def connection_store(table: Rows) -> DefinitionStore[Connection]:
    """Over the table `connections`."""
    return DefinitionStore(table, "connections", Connection, ConnectionInput)


def export_store(table: Rows) -> DefinitionStore[Export]:
    """Over the table `exports`."""
    return DefinitionStore(table, "exports", Export, ExportInput)
