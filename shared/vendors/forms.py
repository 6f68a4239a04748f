"""How a vendor writes one person in a bulk request, as data: DuckDB fills the form in, by the million. Pure.

A form says the same as the vendor's Python does. It is for people who hold nothing odd; whoever does is left to Python:
an address that JSON has to escape, and, where values are picked out one by one, a value that is no short text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"\w[\w ]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """The address, in quotation marks."""


@dataclass(frozen=True, slots=True)
class AllValues:
    """`before` and the object of values as the plan has it; nothing of somebody without values."""

    before: str


@dataclass(frozen=True, slots=True)
class Value:
    """`before`, the text of one field in quotation marks, and `after`; nothing of somebody without it."""

    field: str
    before: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class ValueList:
    """`before`, those values that there are with commas between them, and `after`; nothing of somebody without any."""

    before: str
    values: tuple[Value, ...]
    after: str


Piece = str | Address | AllValues | Value | ValueList


@dataclass(frozen=True, slots=True)
class Form:
    """`pieces` one after the other. Values that are picked out are texts of `longest` bytes at most; whoever has
    another one is left to Python."""

    pieces: tuple[Piece, ...]
    longest: int = 0

    @property
    def picked(self) -> list[str]:
        """Fields whose values are picked out one by one."""
        values: list[Value] = []
        for piece in self.pieces:
            values += piece.values if isinstance(piece, ValueList) else [piece] if isinstance(piece, Value) else []
        return list(dict.fromkeys(each.field for each in values))

    def address_in(self, entry: bytes) -> str:
        """The address of an entry that was filled in, which every form begins with. There is nothing escaped in it."""
        before, place = self.pieces[:2]
        assert isinstance(before, str) and isinstance(place, Address), "a form begins with the address"
        start = len(before.encode()) + 1
        return entry[start : entry.index(b'"', start)].decode()


def can_pick(fields: Iterable[str]) -> bool:
    """Whether values can be picked out by these names."""
    return all(map(_NAME.fullmatch, fields))
