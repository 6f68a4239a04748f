"""Whatever is in the cells: written in each dialect, into each layout, it is read back as it was, file by file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.corpus.landed import WANTED, Landing, Row
from tests.memory import in_memory

EMPTY = gzip.compress(b"")
DIALECTS: dict[str, tuple[str, str, str, Callable[[bytes], bytes], str]] = {
    "commas": (",", "\n", "", bytes, ".csv"),
    "commas, Windows line ends, a byte order mark": (",", "\r\n", "\ufeff", bytes, ".csv"),
    "semicolons of Excel": (";", "\r\n", "sep=;\r\n", bytes, ".csv"),
    "semicolons": (";", "\n", "", bytes, ".txt"),
    "tabs in gzip": ("\t", "\n", "", gzip.compress, ".tsv.gz"),
    "vertical bars behind an empty piece of gzip": (
        "|",
        "\n",
        "",
        lambda data: gzip.compress(b"") + gzip.compress(data),
        ".gz",
    ),
}
"""Delimiter, line end, what comes first, compression, ending."""
PARQUET = "Parquet"
LAYOUTS = {
    "a dated folder": "Loyal/2026-11-22/part{0}",
    "a day in folders": "Loyal/2026/11/22/1433/part{0}",
    "no date": "Loyal/part{0}",
    "a folder called like a file": "Loyal/2026-11-22T14:33:00.1234567Z/people.csv/part{0}",
    "partition folders": "Loyal/dt=2026-11-22/tier={0}/part{0}",
    "a model": "export/part{0}",
    "a manifest": "crm/part{0}",
}
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.sampled_from(
    ['"', '""', ",", ";", "\t", "|", "\n", "\r\n", "\\", '\\"', " padded ", "NULL", "漢字", "#", "sep=;"]
)
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6)
_numbers = count()


def written(table: Sequence[Row], dialect: str) -> bytes:
    if dialect == PARQUET:
        return parquet_of(table)
    delimiter, line_end, first, pack, _ = DIALECTS[dialect]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([WANTED, *table])
    return pack((first + text.getvalue()).encode())


def parquet_of(table: Sequence[Row]) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        path = Path(folder) / "part.parquet"
        duck.execute(f"CREATE TABLE people ({', '.join(f'{name} VARCHAR' for name in WANTED)})")
        for row in table:
            duck.execute("INSERT INTO people VALUES (?, ?, ?)", row)
        duck.execute(f"COPY people TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=10, deadline=None)
@given(tables=st.lists(TABLES, min_size=1, max_size=3), dialect=st.sampled_from([*DIALECTS, PARQUET]))
def test_what_was_written_is_read(layout: str, tables: list[list[Row]], dialect: str) -> None:
    delimiter, _, first, _, ending = DIALECTS.get(dialect, ("", "", "", bytes, ".parquet"))
    names = [LAYOUTS[layout].format(number) + ending for number in range(len(tables))]
    with in_memory() as address:
        landing = Landing(address, f"round-trip-{next(_numbers)}")
        for name, table in zip(names, tables, strict=True):
            landing.put(name, written(table, dialect))
        if layout == "a model":
            assume(not first.startswith("sep"))  # nobody declares a line that only Excel knows
            landing.put("export/model.json", declared(names, delimiter))
        if layout == "a manifest":
            assume(not first.startswith("sep"))
            landing.put("crm/default.manifest.cdm.json", named(names, delimiter))
        [segment] = landing.found()
        outcome = landing.outcome(segment)
    nothing = ("",) if dialect == PARQUET else ("", "\\N")
    expected = [tuple(None if cell in nothing else cell for cell in row) for table in tables for row in table]
    assert outcome.rows == expected, outcome.said


def declared(names: Sequence[str], delimiter: str) -> bytes:
    said = {"fileFormatSettings": {"delimiter": delimiter}} if delimiter else {}
    partitions = [{"location": name.removeprefix("export/")} | said for name in names]
    attributes = [{"name": name} for name in WANTED]
    return json.dumps({"entities": [{"name": "Loyal", "attributes": attributes, "partitions": partitions}]}).encode()


def named(names: Sequence[str], delimiter: str) -> bytes:
    arguments = [{"name": "columnHeaders", "value": "true"}, {"name": "delimiter", "value": delimiter}]
    traits = {"exhibitsTraits": [{"traitReference": "is.partition.format.CSV", "arguments": arguments}]}
    said = traits if delimiter else {}
    partitions = [{"location": name.removeprefix("crm/")} | said for name in names]
    return json.dumps({"entities": [{"entityName": "Loyal", "dataPartitions": partitions}]}).encode()
