"""A batch of people who have their entries already: their rows are there only once somebody looks.

Nearly every batch is accepted as a whole, and then an object for each person would be made for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import cast, overload

from shared.vendors.contract import Row
from shared.vendors.forms import Form


class ReadyBatch(Sequence[Row]):
    """Everybody has an entry here but those out of the ordinary: these have None, and are rows in `odd`, by place.

    Of the others nobody came back, was forgotten, known before, shown or unsure of. `read` reads all rows, in the order
    of the entries. Thread safe.
    """

    def __init__(
        self,
        entries: Sequence[bytes | None],
        form: Form,
        read: Callable[[], Sequence[Row]],
        odd: Mapping[int, Row] | None = None,
    ) -> None:
        self.odd = odd or {}
        self._entries = entries
        self._form = form
        self._read = read
        self._lock = threading.Lock()
        self._rows: Sequence[Row] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._all())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, int) and place in self.odd:
            return self.odd[place]
        return self._all()[place]

    @property
    def addresses(self) -> list[str]:
        """As the entries have them, so that no row is read."""
        cut = self._form.address_in
        return [
            cut(entry) if entry is not None else self.odd[place].address for place, entry in enumerate(self._entries)
        ]

    def entries(self, write: Callable[[Row], bytes]) -> Sequence[bytes]:
        """Everybody's; `write` writes those who have none yet."""
        written = [*self._entries]
        for place, row in self.odd.items():
            written[place] = row.entry or write(row)
        return cast("list[bytes]", written)

    def some(self, places: Sequence[int]) -> ReadyBatch:
        """Those at these places, in this order."""

        def read() -> list[Row]:
            return [self[place] for place in places]

        odd = {number: self.odd[place] for number, place in enumerate(places) if place in self.odd}
        return ReadyBatch([self._entries[place] for place in places], self._form, read, odd)

    def followed_by(self, other: ReadyBatch) -> ReadyBatch:
        """Both as one, made by the same form."""
        odd = {**self.odd, **{len(self) + place: row for place, row in other.odd.items()}}
        return ReadyBatch([*self._entries, *other._entries], self._form, lambda: [*self, *other], odd)

    def _all(self) -> Sequence[Row]:
        with self._lock:
            if self._rows is None:
                self._rows = self._read()
                assert len(self._rows) == len(self._entries), "the rows are those of the entries"
            return self._rows


def addresses(rows: Sequence[Row]) -> list[str]:
    """Everybody's, in their order."""
    return rows.addresses if isinstance(rows, ReadyBatch) else [row.address for row in rows]


def entries(rows: Sequence[Row], write: Callable[[Row], bytes]) -> Sequence[bytes]:
    """Everybody's; `write` writes those who have none yet."""
    return rows.entries(write) if isinstance(rows, ReadyBatch) else [row.entry or write(row) for row in rows]


def some(rows: Sequence[Row], places: Sequence[int]) -> Sequence[Row]:
    """Those at these places, in this order."""
    if places == range(len(rows)):
        return rows
    return rows.some(places) if isinstance(rows, ReadyBatch) else [rows[place] for place in places]


def together(pieces: Sequence[Sequence[Row]]) -> Sequence[Row]:
    """The people of a batch that came in pieces."""
    return reduce(_two, pieces)


def _two(rows: Sequence[Row], others: Sequence[Row]) -> Sequence[Row]:
    if isinstance(rows, ReadyBatch) and isinstance(others, ReadyBatch):
        return rows.followed_by(others)
    return [*rows, *others]
