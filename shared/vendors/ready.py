"""A batch without anybody out of the ordinary: its entries are there, its rows only once somebody looks.

Nearly every batch is accepted as a whole, and then an object for each person would be made for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from shared.vendors.contract import Row
from shared.vendors.forms import Form


class ReadyBatch(Sequence[Row]):
    """Everybody here has an entry, and nobody came back, was forgotten, known before, shown or unsure of.

    `read` reads the rows, which are those of the entries and in their order. Thread safe.
    """

    def __init__(self, entries: Sequence[bytes], form: Form, read: Callable[[], Sequence[Row]]) -> None:
        self.entries = entries
        self.form = form
        self._read = read
        self._lock = threading.Lock()
        self._rows: Sequence[Row] | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._all())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return self._all()[place]

    @property
    def addresses(self) -> list[str]:
        """As the entries have them, so that no row is read."""
        return [self.form.address_in(entry) for entry in self.entries]

    def some(self, places: Sequence[int]) -> ReadyBatch:
        """Those at these places, in this order."""
        return ReadyBatch(
            [self.entries[place] for place in places], self.form, lambda: [self[place] for place in places]
        )

    def _all(self) -> Sequence[Row]:
        with self._lock:
            if self._rows is None:
                self._rows = self._read()
                assert len(self._rows) == len(self.entries), "the rows are those of the entries"
            return self._rows


def addresses(rows: Sequence[Row]) -> list[str]:
    """Everybody's, in their order."""
    return rows.addresses if isinstance(rows, ReadyBatch) else [row.address for row in rows]


def entries(rows: Sequence[Row], write: Callable[[Row], bytes]) -> Sequence[bytes]:
    """Everybody's; `write` writes those who have none yet."""
    return rows.entries if isinstance(rows, ReadyBatch) else [row.entry or write(row) for row in rows]


def some(rows: Sequence[Row], places: Sequence[int]) -> Sequence[Row]:
    """Those at these places, in this order."""
    if places == range(len(rows)):
        return rows
    return rows.some(places) if isinstance(rows, ReadyBatch) else [rows[place] for place in places]


def together(pieces: Sequence[Sequence[Row]]) -> Sequence[Row]:
    """The people of a batch that came in pieces."""
    if len(pieces) == 1:
        return pieces[0]

    def everybody() -> list[Row]:
        return [row for rows in pieces for row in rows]

    ready = [rows for rows in pieces if isinstance(rows, ReadyBatch)]
    if not ready or len(ready) < len(pieces):
        return everybody()
    return ReadyBatch([entry for rows in ready for entry in rows.entries], ready[0].form, everybody)
