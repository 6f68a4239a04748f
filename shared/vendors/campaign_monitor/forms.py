"""Entries of an import by filling in a form, for rows that hold nothing but short texts: nearly all do, by the million.

The form is made of an entry of `people`, and the texts pass from the plan's JSON to the import's as they are, which
costs half of what making objects of them does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter

import orjson

from shared.vendors.campaign_monitor import people
from shared.vendors.campaign_monitor.definition import NAME
from shared.vendors.campaign_monitor.people import LONGEST, Notes, Shape
from shared.vendors.contract import Row

_MARK = "\0"
_MARKED = re.compile(r"\\u0000(\d+)")
"""What is made of a mark and the number behind it, in JSON."""
MOST_FORMS = 1_000


class Forms:
    """One for each set of fields that rows have values for. Threads may share it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._forms: dict[tuple[str, ...], _Form | None] = {}

    def entry(self, row: Row, notes: Notes) -> bytes:
        """The same as `people.entry` makes."""
        return self._filled(row) or people.entry(row, self.shape, notes)

    def _filled(self, row: Row) -> bytes | None:
        """None where it takes more than filling in."""
        address, values = row.address, row.values
        if '\\"' in values or "\\" in address or '"' in address or not address.isprintable():
            return None
        # None is escaped, so every quotation mark begins or ends a text.
        pieces = values.split('"')
        names = tuple(pieces[1::4])
        try:
            form = self._forms[names]
        except KeyError:
            form = self._form(names)
        if form is None or pieces[::2] != form.between:
            return None
        pieces[0] = address
        texts: Sequence[str] = form.texts(pieces)
        if len(values) > form.safe_length and max(map(len, texts[1:])) > LONGEST:
            return None
        return (form.form % texts).encode()

    def _form(self, names: tuple[str, ...]) -> _Form | None:
        if len(self._forms) == MOST_FORMS:
            return None
        texts = self.shape.texts
        fits = bool(names) and all(name == NAME or name in texts for name in names)
        form = self._forms[names] = _Form(names, self.shape) if fits else None
        return form


class _Form:
    """`form` takes `texts` of the pieces between a row's quotation marks, of which every second is `between`."""

    def __init__(self, names: Sequence[str], shape: Shape) -> None:
        places = {name: 4 * number + 3 for number, name in enumerate(names)}
        values = orjson.dumps({name: f"{_MARK}{place}" for name, place in places.items()}).decode()
        made = people.entry(Row(f"{_MARK}0", values), shape, {}).decode()
        self.form = _MARKED.sub("%s", made.replace("%", "%%"))
        self.texts = itemgetter(*(int(place) for place in _MARKED.findall(made)))
        self.between = ["{", *([":", ","] * len(names))[:-1], "}"]
        self.safe_length = sum(map(len, names)) + 6 * len(names) + LONGEST
        """Of values that cannot have a text longer than LONGEST among them."""
