"""Look at all parts for people who have several addresses or move, before the first part is planned.

Of several parts the result is recorded: a later slice goes on with it, since parts that are planned are not there any
more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import operations, persons
from shared.delivery.plan.operations import Wish
from shared.delivery.plan.staging import Staged
from shared.delivery.sql import literal
from shared.delivery.state import layout, once
from shared.delivery.state.files import DataFile
from shared.delivery.state.files import keep as keep_file
from shared.delivery.state.ledger import Ledger
from shared.delivery.work import Work

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """The record: what the guard looks at, and files of the tables that `persons` made, but for empty ones."""

    facts: dict[str, int]
    tables: dict[str, DataFile]


def recorded(work: Work, database: DuckDBPyConnection, staged: Staged) -> KnownPeople | None:
    """What an earlier slice found, with its tables; None where none did. Raises Unusable."""
    if staged.attempt is None or staged.attempt.begun:
        return None
    found = once.read(work.cloud.blobs, layout.people(staged.attempt.folder(work)), KnownPeople)
    if found is None:
        return None
    for table in persons.TABLES:
        _make_table(work, database, table, found.tables.get(table))
    return found


def look(work: Work, database: DuckDBPyConnection, wish: Wish, staged: Staged, before: Ledger) -> KnownPeople:
    """Make the tables that planning a part needs."""
    persons.begin(database)
    for part in range(staged.parts):
        operations.find_people(
            database,
            work.files,
            wish=wish,
            staged=staged.fetch(part),
            ledger_before=before,
            part=part,
            parts=staged.parts,
            where=work.where,
        )
        if staged.parts > 1:
            staged.release(part)
            work.lease.check()
    found = persons.conclude(database, persons.all_reasons(wish.rules, wish.id_column))
    if persons.has_joiners(database):
        for part in range(staged.parts):
            operations.find_earlier_addresses(database, work.files, before, part, staged.parts, work.where)
    return KnownPeople(asdict(found), {})


def record(work: Work, database: DuckDBPyConnection, staged: Staged, found: KnownPeople) -> None:
    """Record what was found, for later slices."""
    if staged.attempt is None:
        return
    folder, mine = staged.attempt.folder(work), attempts.execution(work)
    files = {
        table: keep_file(
            work.files,
            database,
            f"FROM {table}",
            layout.people_table(folder, mine, table),
            work.where / f"{table}.parquet",
        )
        for table in persons.TABLES
    }
    tables = {table: file for table, file in files.items() if file}
    once.keep(work.cloud.blobs, layout.people(folder), KnownPeople(found.facts, tables))


def _make_table(work: Work, database: DuckDBPyConnection, table: str, file: DataFile | None) -> None:
    database.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({persons.TABLES[table]})")
    if file is None:
        return
    path = work.where / f"{table}.parquet"
    if not work.files.download(file.stored, path):
        raise once.Unusable(file.name)
    database.execute(f"INSERT INTO {table} FROM read_parquet({literal(str(path))})")
    path.unlink()
