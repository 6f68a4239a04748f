"""Gives fields that the project does not have yet the type that the data matching says. Iterable contract, section 6.

Iterable takes a new field's type from the first value that it sees, for good: a text like a date makes a date
field, a whole number one for whole numbers. Where all values of a batch can be taken for nothing else, the batch itself
makes the field, and others with that field wait for it. Else a request of its own goes first, with such a value:
somebody's own where there is one, or a stand-in, which the same person's own value replaces with the next request. It
writes profiles and no list, so nothing that waits for the list starts.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.contract import FieldType, Row
from shared.vendors.iterable.types import type_of
from shared.wording import Message, say

MOST_TRIES = 3
"""People who are tried for one field; Iterable may not take one of them."""

_MAYBE_A_DATE = re.compile(r"\s*[+-]?\d{4}(?!\d)")
"""A year, and whatever may follow it."""


_SURE: Mapping[FieldType, Callable[[Any], bool]] = {
    FieldType.STRING: lambda value: isinstance(value, str) and bool(value) and not _MAYBE_A_DATE.match(value),
    FieldType.INTEGER: lambda value: isinstance(value, int),
    FieldType.NUMBER: lambda value: isinstance(value, float) and not value.is_integer(),
    FieldType.BOOLEAN: lambda value: isinstance(value, bool),
    FieldType.DATE: lambda value: isinstance(value, str),
}
"""Type -> can this value be taken for nothing else?"""
_STAND_INS: Mapping[FieldType, Any] = {FieldType.STRING: "text", FieldType.NUMBER: 0.5}

Person = tuple[Row, dict[str, Any]]
AskFields = Callable[[], Mapping[str, str]]
"""The project's fields, as Iterable names their types."""
WriteProfiles = Callable[[Sequence[Person]], set[str]]
"""Writes these values of profiles: the fields of which the answer says that they were made, or are not wanted."""


class NewFields:
    """What is settled of the project's fields, as long as this object lives. Thread safe: whoever comes with a new
    field waits until it has its type."""

    def __init__(self, ask: AskFields, write: WriteProfiles) -> None:
        self._ask = ask
        self._write = write
        self._lock = threading.Lock()
        self._settled: set[str] | None = None

    @contextmanager
    def settling(self, wanted: Mapping[str, FieldType], rows: Sequence[Row]) -> Iterator[None]:
        """Send these rows within this block, with their new fields settled before or by it.

        Raises UserMustAct `field_type` where a field got another type, `field_refused` where Iterable makes none.
        """
        if wanted.keys() <= (self._settled or set()):
            yield
            return
        with self._lock:
            if self._settled is None:
                self._settled = set(self._ask())
            missing = {name: kind for name, kind in wanted.items() if name not in self._settled}
            sure, unsure = _named(missing, rows) if missing else (set(), set())
            if unsure:
                self._settle({name: missing[name] for name in unsure}, rows)
            if sure:
                yield
                self._settled |= sure
        if not sure:
            yield

    def _settle(self, missing: Mapping[str, FieldType], rows: Sequence[Row]) -> None:
        assert self._settled is not None
        for _ in range(MOST_TRIES):
            people = list(_people(missing, rows))
            if not people:
                return
            self._make(missing, people)
            missing = {name: kind for name, kind in missing.items() if name not in self._settled}
            tried = {row.address for row, _ in people}
            rows = [row for row in rows if row.address not in tried]
        if missing:
            names = ", ".join(excerpt(name, 80) for name in sorted(missing))
            raise UserMustAct(
                "field_refused",
                say(
                    "Iterable did not make the field %(names)s, so its type cannot be made sure of and nothing "
                    "was sent: make the field in Iterable, or take it out of the data matching.",
                    names=names,
                ),
            )

    def _make(self, missing: Mapping[str, FieldType], people: Sequence[Person]) -> None:
        assert self._settled is not None
        told = self._write(people)
        known = self._ask()
        for name, kind in missing.items():
            if name in known and type_of(known[name]) is not kind:
                raise UserMustAct(
                    "field_type",
                    say(
                        "Iterable gave the new field %(name)s the type %(known)s, and the data matching says "
                        "%(kind)s: change the type there, or have the field deleted in Iterable.",
                        name=excerpt(name, 80),
                        known=excerpt(known[name], 20),
                        kind=Message(kind),
                    ),
                )
        self._settled |= known.keys() | told


def _named(missing: Mapping[str, FieldType], rows: Sequence[Row]) -> tuple[set[str], set[str]]:
    """The missing fields that these rows have values of: those that all can be taken for nothing else, and the rest."""
    held: set[str] = set()
    unsure: set[str] = set()
    for row in rows:
        values: Mapping[str, Any] = orjson.loads(row.values)
        there = {name for name in missing.keys() & values.keys() if values[name] is not None}
        held |= there
        unsure |= {name for name in there - unsure if not _SURE[missing[name]](values[name])}
    return held - unsure, unsure


def _people(missing: Mapping[str, FieldType], rows: Sequence[Row]) -> Iterator[Person]:
    """People who give the missing fields their type, as few as may be. A field that nobody has a value for waits."""
    sure: dict[str, tuple[Row, Any]] = {}
    unsure: dict[str, tuple[Row, Any]] = {}
    for row in rows:
        values: Mapping[str, Any] = orjson.loads(row.values)
        for name in missing.keys() & values.keys() - sure.keys():
            if values[name] is None:
                continue
            if _SURE[missing[name]](values[name]):
                sure[name] = row, values[name]
            elif missing[name] in _STAND_INS:
                unsure.setdefault(name, (row, _STAND_INS[missing[name]]))
        if len(sure) == len(missing):
            break
    chosen: dict[str, Person] = {}
    for name, (row, value) in {**unsure, **sure}.items():
        chosen.setdefault(row.address, (row, {}))[1][name] = value
    yield from chosen.values()
