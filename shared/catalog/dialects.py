"""What people declare of how a segment's texts are written: one row for each segment of which anything is declared."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.catalog.shapes import Column, Strict
from shared.catalog.targets import table_key
from shared.cloud.tables import Rows, Stored
from shared.cloud.unreadable import UnreadableRow, reading
from shared.wording import say

PARTITION = "dialects"
UNDECLARED = "undeclared"

Sign = Annotated[str, StringConstraints(max_length=1, pattern=r"^[^\r\n]?$", strip_whitespace=False)]
Encoding = Literal[
    "",
    "utf-8",
    "utf-16",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1257",
]


class DialectInput(Strict):
    """How a segment's texts are written. What is left out, the header, the file's name or RFC 4180 says; and what a
    model.json says of its files goes before it."""

    delimiter: Sign = Field(default="", description="One character; empty: the header shows it.")
    quote: Sign | None = Field(default=None, description='Empty: cells are never quoted; null: `"`.')
    escape: Literal["", "\\"] = Field(
        default="",
        description="A backslash stands before a quotation mark inside a cell, as Spark and Data Factory write; empty: "
        "it is doubled.",
    )
    nulls: tuple[Annotated[str, StringConstraints(min_length=1, max_length=50)], ...] = Field(
        default=(), max_length=20, description="Texts that stand for no value, besides `\\N`."
    )
    columns: tuple[Column, ...] = Field(
        default=(), max_length=1000, description="The columns, of files that have no header."
    )
    encoding: Encoding = Field(default="", description="Empty: UTF-8.")
    compression: Literal["", "none", "gzip"] = Field(default="", description="Empty: the file's name says it.")

    @model_validator(mode="after")
    def _is_sound(self) -> DialectInput:
        if self.escape and self.quote == "":
            raise ValueError(say("Where cells are never quoted, nothing can stand before a quotation mark."))
        if self.delimiter and self.delimiter in (self.quote if self.quote is not None else '"', self.escape):
            raise ValueError(say("The delimiter has to be another character than those of quoting."))
        if len({column.lower() for column in self.columns}) < len(self.columns):
            raise ValueError(say("A column is there twice."))
        return self


class SegmentInput(Strict):
    """What people say of a segment."""

    dialect: DialectInput | None = Field(default=None, description="How its texts are written; null: nothing declared.")


class DialectStore:
    """Dialects by a segment's id. Writes raise Conflict where another was first."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def all(self) -> dict[str, DialectInput | UnreadableRow]:
        """By segment; of a row that cannot be read, what is wrong with it, since its segment cannot be read then."""
        found: dict[str, DialectInput | UnreadableRow] = {}
        for stored in self._table.query(PARTITION):
            try:
                found[stored.entity["segment"]] = _read(stored)
            except UnreadableRow as error:
                found[stored.entity["segment"]] = error
        return found

    def get(self, segment: str) -> tuple[DialectInput | None, str]:
        """What is declared, and which version of it that is. Raises UnreadableRow."""
        stored = self._table.get(PARTITION, table_key(segment))
        if stored is None:
            return None, UNDECLARED
        return _read(stored), stored.etag

    def declare(self, segment: str, dialect: DialectInput | None, version: str) -> None:
        """In place of `version`. None takes the declaration back."""
        key = table_key(segment)
        if dialect is None:
            if version != UNDECLARED:
                self._table.delete(PARTITION, key, version)
            return
        entity = {"PartitionKey": PARTITION, "RowKey": key, "segment": segment, "definition": dialect.model_dump_json()}
        if version == UNDECLARED:
            self._table.insert(entity)
        else:
            self._table.replace(entity, version)


def _read(stored: Stored) -> DialectInput:
    with reading("snapshots", stored.entity):
        return DialectInput.model_validate(json.loads(stored.entity["definition"]), extra="ignore")
