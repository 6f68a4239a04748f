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

_MARK = "\0"
_MARKED = re.compile(rb"\\u0000(\d+)")
"""What is made of a mark and the number behind it, in JSON."""
_QUOTE, _SET_ASIDE = b'\\"', b"\0"
"""A quotation mark within a text, and what JSON never has, to stand for it meanwhile."""
MOST_FORMS = 1_000


class Forms:
    """One for each set of fields that rows have values for. Threads may share it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._forms: dict[tuple[bytes, ...], _Form | None] = {}

    def entry(self, row: Row, notes: Notes) -> bytes:
        """The same as `people.entry` makes."""
        return self._filled(row) or people.entry(row, self.shape, notes)

    def _filled(self, row: Row) -> bytes | None:
        """None where it takes more than filling in."""
        address, values = row.address, row.values.encode()
        if "\\" in address or '"' in address or not address.isprintable():
            return None
        if quoting := b"\\" in values:
            if b"\\\\" in values:
                return None
            values = values.replace(_QUOTE, _SET_ASIDE)
        # Every quotation mark begins or ends a text now.
        pieces = values.split(b'"')
        names = tuple(pieces[1::4])
        try:
            form = self._forms[names]
        except KeyError:
            form = self._form(names)
        if form is None or pieces[::2] != form.between:
            return None
        texts: Sequence[bytes] = form.texts(pieces)
        if len(values) > form.safe_length and max(map(len, texts)) > LONGEST:
            return None
        filled = form.form % (address.encode(), *texts)
        return filled.replace(_SET_ASIDE, _QUOTE) if quoting else filled

    def _form(self, names: tuple[bytes, ...]) -> _Form | None:
        if len(self._forms) == MOST_FORMS:
            return None
        texts, fields = self.shape.texts, [name.decode() for name in names]
        fits = bool(names) and all(name == NAME or name in texts for name in fields)
        form = self._forms[names] = _Form(fields, self.shape) if fits else None
        return form


class _Form:
    """`form` takes the address and `texts` of the pieces between a row's quotation marks, every second of which is
    `between`."""

    def __init__(self, names: Sequence[str], shape: Shape) -> None:
        places = {name: 4 * number + 3 for number, name in enumerate(names)}
        marks = orjson.dumps({name: f"{_MARK}{place}" for name, place in places.items()})
        made = people.entry(Row(f"{_MARK}0", marks.decode()), shape, {})
        order = [int(place) for place in _MARKED.findall(made)][1:]
        self.form = _MARKED.sub(b"%b", made.replace(b"%", b"%%"))
        self.texts: Callable[[Sequence[bytes]], Sequence[bytes]]
        self.texts = itemgetter(*order) if len(order) > 1 else lambda pieces: [pieces[order[0]]]
        self.between = [b"{", *([b":", b","] * len(names))[:-1], b"}"]
        self.safe_length = len(_MARKED.sub(b"", marks)) + LONGEST
        """Of values that cannot have a text longer than LONGEST among them."""
