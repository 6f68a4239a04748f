"""Files of lines for people, made of Parquet files one at a time, so that neither memory nor disk holds more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.delivery import addresses
from shared.delivery.sql import harmless, literal
from shared.delivery.state.files import DataFile
from shared.delivery.state.plan import Plan
from shared.delivery.work import Work

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLACE = f"{harmless('names.segment')}, {harmless('names.file')}, rows.n - starts.start + 1"
"""Segment, file and row that a row of `rows` stands in; needs `places`."""


def header(*columns: str) -> bytes:
    """The first line, with the mark that spreadsheets know UTF-8 by."""
    return ("\ufeff" + ",".join(columns) + "\n").encode()


def blocks(work: Work, first_line: bytes, queries: Sequence[tuple[DataFile, str]]) -> Iterator[Path]:
    """One block for the first line and one for each file, of which the query makes lines: it is called `rows`."""
    first = work.where / "header.csv"
    first.write_bytes(first_line)
    yield first
    with work.scratch.database() as connection:
        for number, (file, query) in enumerate(queries):
            yield _lines(work, connection, file, query, number)


def _lines(work: Work, connection: DuckDBPyConnection, file: DataFile, query: str, number: int) -> Path:
    source, result = work.where / f"rows-{number}.parquet", work.where / "rows.csv"
    if not work.files.download(file.stored, source):
        raise RuntimeError("a file of this run's own rows is missing")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW rows AS FROM read_parquet({literal(str(source))})")
    connection.execute(f"COPY ({query}) TO {literal(str(result))} (FORMAT csv, HEADER false)")
    source.unlink()
    return result


def in_words(column: str, reasons: Mapping[Any, str]) -> str:
    """The reason that a code stands for."""
    cases = " ".join(f"WHEN '{code}' THEN {literal(reason)}" for code, reason in reasons.items())
    return f"CASE {column} {cases} END"


def refused_because() -> str:
    """Why a row of a plan's refused ones was refused."""
    return in_words("problem", addresses.REASONS)


def kept_back_because(plan: Plan) -> str:
    """Why a rule keeps somebody back."""
    return in_words("rule", plan.rules)


def places(plan: Plan) -> str:
    """Joins to `rows` where they stand in the snapshot, counted from 1 below the header."""
    starts = ", ".join(f"({segment}, {file}, {start})" for segment, file, start in plan.file_starts)
    names = ", ".join(
        f"({number}, {file}, {literal(snapshot['name'])}, {literal(name)})"
        for number, snapshot in enumerate(plan.snapshots)
        for file, name in enumerate(each["name"] for each in snapshot["files"])
    )
    return f"""
        JOIN (VALUES {starts}) AS starts(segment, file, start)
             ON starts.segment = rows.segment AND starts.file = rows.file_index
        JOIN (VALUES {names}) AS names(number, file_index, segment, file)
             ON names.number = rows.segment AND names.file_index = rows.file_index
    """
