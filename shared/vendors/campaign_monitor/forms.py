"""Entries of an import by filling in a form, for rows that hold nothing but short texts: nearly all do, by the million.

The form is made of an entry of `people`, and the texts pass from the plan's JSON to the import's as they are, which
costs half of what making objects of them does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter

import orjson

from shared.vendors.campaign_monitor import people
from shared.vendors.campaign_monitor.definition import NAME
from shared.vendors.campaign_monitor.people import LONGEST, Notes, Shape
from shared.vendors.contract import Row

MOST_FORMS = 1_000
_TEXT = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
"""In JSON."""
_MARK = "\0"
_MARKED = re.compile(r"\\u0000(\d+)")
"""What JSON makes of a mark and the number behind it."""


class Forms:
    """One for each set of fields that rows have values for. Threads may share it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._forms: dict[tuple[str, ...], _Form | None] = {}
        self._last: _Form | None = None

    def entry(self, row: Row, notes: Notes) -> bytes:
        """The same as `people.entry` makes."""
        return self._filled(row) or people.entry(row, self.shape, notes)

    def _filled(self, row: Row) -> bytes | None:
        """None where it takes more than filling in."""
        address = row.address
        if "\\" in address or '"' in address or not address.isprintable():
            return None
        if self._last and (filled := self._last.fill(row)):
            return filled
        form = self._form(tuple(orjson.loads(row.values)))
        self._last = form or self._last
        return form.fill(row) if form else None

    def _form(self, names: tuple[str, ...]) -> _Form | None:
        if names not in self._forms and len(self._forms) < MOST_FORMS:
            texts = self.shape.texts
            fits = bool(names) and all(name == NAME or name in texts for name in names)
            self._forms[names] = _Form(names, self.shape) if fits else None
        return self._forms.get(names)


class _Form:
    """For rows that have texts in these fields, in this order."""

    def __init__(self, names: Sequence[str], shape: Shape) -> None:
        marks = orjson.dumps({name: f"{_MARK}{number}" for number, name in enumerate(names)}).decode()
        made = people.entry(Row(f"{_MARK}{len(names)}", marks), shape, {}).decode()
        order = [int(number) for number in _MARKED.findall(made)][1:]
        self._form = _MARKED.sub("%s", made.replace("%", "%%"))
        self._pattern = re.compile(r"\{" + ",".join(f"{re.escape(_json(name))}:{_TEXT}" for name in names) + r"\}")
        self._in_order: Callable[[tuple[str, ...]], tuple[str, ...]]
        self._in_order = itemgetter(*order) if len(order) > 1 else tuple
        self._safe_length = len(_MARKED.sub("", marks)) + LONGEST
        """Of values that cannot have a longer text than LONGEST among them."""

    def fill(self, row: Row) -> bytes | None:
        """None where a value is another than a short text."""
        found = self._pattern.fullmatch(row.values)
        if found is None:
            return None
        texts = found.groups()
        if len(row.values) > self._safe_length and max(map(len, texts)) > LONGEST:
            return None
        return (self._form % (row.address, *self._in_order(texts))).encode()


def _json(name: str) -> str:
    return orjson.dumps(name).decode()
