"""Write down what happened to whom: a commit's outcomes, and once in a while everybody who was on the list before it.

A file's name follows from the commit and the part, so a commit that is done again writes the same files. It is written
where there is none yet, or over the version that was read while the account was still ours: a late worker neither
writes over a file nor brings somebody back who was forgotten meanwhile. For that a part with operations always has a
file, even where everybody in it was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.blobs import Blobs
from shared.delivery.sql import enumeration, literal
from shared.delivery.state import events, layout
from shared.delivery.state.events import COLUMNS, LIST
from shared.delivery.state.files import write
from shared.delivery.state.plan import FORGOTTEN
from shared.errors import Conflict, LeaseLost

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class EventLog:
    """Where a commit writes it. `facts` are the columns that all rows share; `lists` says that the people of the list
    are written, too; `hold` raises LeaseLost where the account is not ours any more."""

    blobs: Blobs
    folder: str
    commit: str
    generation: int
    at: datetime
    facts: Mapping[str, str]
    salt: str
    addresses: bool
    lists: bool
    hold: Callable[[], None]

    def write_outcomes(self, database: DuckDBPyConnection, first: int, last: int, where: Path) -> None:
        """Write the rows of the view `became`: a part's operations, how each ended and what the ledger makes of it."""
        query = self._rows(
            "became",
            operation="kind",
            outcome="outcome",
            code="code",
            why="if(moved,'moved',rule)",
            status="status",
            bucket="bucket",
            person_hash=events.hashed(self.salt, "person::VARCHAR"),
        )
        query += f" WHERE address <> {literal(FORGOTTEN)}"
        self._keep(database, query, layout.events(self.folder, self.commit, first, last), where)

    def write_list(self, database: DuckDBPyConnection, first: int, last: int, where: Path) -> None:
        """Write who is, or may be, on the list before the commit, by the view `ledger`."""
        begins = self._rows("(SELECT NULL::VARCHAR AS address)", operation=_always(LIST))
        people = self._rows(
            "ledger",
            operation=_always(LIST),
            status="status",
            person_hash=events.hashed(self.salt, "person::VARCHAR"),
            bucket="bucket",
        )
        query = f"{begins} UNION ALL {people} WHERE status IN ('member', 'maybe')"
        self._keep(database, query, layout.event_list(self.folder, self.commit, first, last), where)

    def _rows(self, source: str, **columns: str) -> str:
        """All columns from a source with the column `address`; those that nobody names are NULL."""
        made = {
            "committed_at": literal(self.at.strftime("%Y-%m-%d %H:%M:%S.%f")),
            "generation": str(self.generation),
            "address_hash": events.hashed(self.salt, "address"),
            "address": "address" if self.addresses else "NULL::VARCHAR",
            **{name: _always(value) for name, value in self.facts.items()},
            **columns,
        }
        selected = ", ".join(f"{_typed(made.get(name), kind)} AS {name}" for name, kind in COLUMNS.items())
        return f"SELECT {selected} FROM {source}"

    def _keep(self, database: DuckDBPyConnection, query: str, name: str, where: Path) -> None:
        path, before = where / "events.parquet", where / "events-before.parquet"
        write(database, query, path)
        try:
            self.blobs.upload_new(name, path)
        except Conflict:
            etag = self.blobs.fetch(name, before)
            self.hold()
            self._replace(name, path, etag)
        finally:
            path.unlink(missing_ok=True)
            before.unlink(missing_ok=True)

    def _replace(self, name: str, path: Path, etag: str | None) -> None:
        try:
            self.blobs.compose(name, iter([path]), etag=etag)
        except Conflict:
            raise LeaseLost("another worker commits this delivery") from None


def _always(text: str) -> str:
    """SQL of a text that all rows have."""
    return f"{literal(text)}::{enumeration([text])}"


def _typed(value: str | None, kind: str) -> str:
    """SQL of a column's value. Texts, also those of an enumeration, are written as they are."""
    return value if value is not None and kind == "VARCHAR" else f"({value or 'NULL'})::{kind}"
