"""A plan file as it is sent, batch by batch: entries of nearly everybody, rows of who is out of the ordinary.

DuckDB makes the entries, and an object for each person is made only of batches that somebody looks into. To read the
rows of one batch takes as long as to have the rows of some twenty from the start, so a plan of which many batches are
looked into is read as rows from there on.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.delivery.send.filling import filled
from shared.delivery.sql import literal
from shared.delivery.state.plan import FORGOTTEN
from shared.vendors.contract import KnownBefore, Row
from shared.vendors.forms import Form
from shared.vendors.ready import ReadyBatch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Piece = tuple[int, Sequence[Row]]
"""A batch, and those of its people that one plan file has."""

FIRST_LOOKS = 3
BATCHES_A_LOOK = 20
"""So many batches may be looked into, and one more of every so many that were ready."""

ORDINARY_FOR_ONE_ODD = 10
"""With more odd people than one of so many, a batch is as good as looked into."""

_COLUMNS = 'address, "values", vendor_id, came_back, unsure_since, shown_at, encode(entry)'
"""What a `Row` is made of, in its order."""
_LACKING = "SELECT NULL::DOUBLE AS unsure_since, NULL::DOUBLE AS shown_at, NULL::VARCHAR AS entry WHERE false"
"""Columns that not every plan file has: only a repair's have `shown_at`, and those of an earlier version lack
`unsure_since`, too."""
_ODD = f"came_back OR unsure_since IS NOT NULL OR shown_at IS NOT NULL OR address = {literal(FORGOTTEN)}"
"""Of whom the vendor's module has to know more than the entry."""


@dataclass(slots=True)
class LookedInto:
    """How many batches were ready, and into how many of them somebody looked all the same."""

    ready: int = 0
    taken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def are_few(self) -> bool:
        return self.taken <= FIRST_LOOKS + self.ready // BATCHES_A_LOOK


class SentFile:
    """A plan file in a local file, which is gone once it was gone through and nobody has a batch of it any more.

    `known_before` is a local file too: of the addresses by which its people were known. `may_be_ready`: batches may be
    without rows.
    """

    def __init__(
        self,
        database: DuckDBPyConnection,
        path: Path,
        form: Form | None,
        looks: LookedInto,
        *,
        known_before: Path | None = None,
        may_be_ready: bool = True,
    ) -> None:
        self._database = database
        self._path = path
        self._form = form if may_be_ready and known_before is None else None
        self._looks = looks
        self._sent = partial(sent_rows, path, form, known_before)
        self._row = _known if known_before else Row
        self._beside = database.cursor()  # for threads that look into a batch, one at a time
        weakref.finalize(self, _tidy, self._beside, [path, *([known_before] if known_before else [])])

    def pieces(self, batches: Mapping[int, int], answered: Container[int]) -> Iterator[Piece]:
        """Of the batches (each with how many rows the file has of it) those that were not answered."""
        starts = accumulate(batches.values(), initial=0)
        left = [
            (batch, start, rows)
            for (batch, rows), start in zip(batches.items(), starts, strict=False)
            if batch not in answered
        ]
        gone = 0
        if self._form is not None and left:
            for piece in self._ready(self._form, left):
                gone += 1
                yield piece
        yield from self._rows(left[gone:])

    def _ready(self, form: Form, left: Sequence[tuple[int, int, int]]) -> Iterator[Piece]:
        """Pieces for as long as few are looked into."""
        with closing(self._database.cursor()) as cursor:
            place = left[0][1]
            cursor.execute(ready_entries(self._path, form, place))
            for batch, start, rows in left:
                if not self._looks.are_few:
                    return
                found = cursor.fetchmany(start - place + rows)[start - place :]
                place = start + rows
                entries = [entry for entry, _ in found]
                odd = [index for index, entry in enumerate(entries) if entry is None] if None in entries else []
                self._looks.ready += 1
                read = partial(self._look, start, rows)
                if len(odd) * ORDINARY_FOR_ONE_ODD > rows:
                    yield batch, read()
                else:
                    yield batch, ReadyBatch(entries, form, read, {index: Row(*found[index][1]) for index in odd})

    def _rows(self, left: Sequence[tuple[int, int, int]]) -> Iterator[Piece]:
        if not left:
            return
        with closing(self._database.cursor()) as cursor:
            place = left[0][1]
            cursor.execute(self._sent(first=place))
            for batch, start, rows in left:
                found = cursor.fetchmany(start - place + rows)[start - place :]
                place = start + rows
                yield batch, [self._row(*each) for each in found]

    def _look(self, start: int, rows: int) -> list[Row]:
        with self._looks.lock:
            self._looks.taken += 1
            found = self._beside.execute(self._sent(first=start, last=start + rows - 1)).fetchall()
        return [self._row(*each) for each in found]


def sent_rows(
    path: Path, form: Form | None = None, known_before: Path | None = None, *, first: int = 0, last: int | None = None
) -> str:
    """SQL of what is sent of a plan file, in its order; of these rows alone where they are told, counted from 0."""
    operations = _operations(path, form, first, last)
    if known_before is None:
        return f"SELECT {_COLUMNS} FROM {operations}"
    return f"""
        SELECT {_COLUMNS}, known.before FROM {operations} AS operations
        LEFT JOIN (SELECT n, list(row(address, vendor_id, refused)) AS before
                   FROM read_parquet({literal(str(known_before))}) GROUP BY n) AS known ON known.n = operations.n
        ORDER BY file_row_number
    """


def ready_entries(path: Path, form: Form, first: int = 0) -> str:
    """SQL of (entry, NULL) of people from this row on, in their order; of whoever has no entry, or is out of the
    ordinary, (NULL, row)."""
    return f"""
        SELECT encode(usual), CASE WHEN usual IS NULL THEN row({_COLUMNS}) END
        FROM (SELECT *, CASE WHEN {_ODD} THEN NULL ELSE entry END AS usual FROM {_operations(path, form, first)})
    """


def _operations(path: Path, form: Form | None, first: int, last: int | None = None) -> str:
    rows = f"read_parquet({literal(str(path))}, file_row_number = true)"
    if last is not None:
        rows = f"(SELECT * FROM {rows} WHERE file_row_number BETWEEN {first} AND {last})"
    elif first:
        rows = f"(SELECT * FROM {rows} WHERE file_row_number >= {first})"
    return f"({_LACKING} UNION ALL BY NAME {filled(form, rows) if form else f'FROM {rows}'})"


def _known(*operation: Any) -> Row:
    """A row with the addresses that the person was known by, which come last."""
    *columns, before = operation
    return Row(*columns)._replace(known_before=[KnownBefore(*each) for each in before or ()])


def _tidy(beside: DuckDBPyConnection, paths: Sequence[Path]) -> None:
    beside.close()
    for path in paths:
        path.unlink(missing_ok=True)
