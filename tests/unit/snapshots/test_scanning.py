"""The SQL, run on local files: DuckDB takes their paths as it takes the addresses of blobs."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import UserMustAct
from shared.snapshots import scanning
from shared.snapshots.heads import Head
from shared.snapshots.scanning import Scan
from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat, Snapshot, SnapshotFile

Row = tuple[Any, ...]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        yield connection


def sql(files: Sequence[tuple[Path, Head | None]], columns: Sequence[str], kind: Format | None = None) -> str:
    return scanned(files, columns, kind).sql


def scanned(files: Sequence[tuple[Path, Head | None]], columns: Sequence[str], kind: Format | None = None) -> Scan:
    parts = {SnapshotFile("land", path.name, '"1"', path.stat().st_size): (path, head) for path, head in files}
    snapshot = Snapshot("s", "s", datetime.now(UTC), "k", tuple(parts), kind or CsvFormat(), ())
    heads = {file: head for file, (_, head) in parts.items()}
    urls = {file: str(path) for file, (path, _) in parts.items()}
    return scanning.scan(snapshot, columns, heads, urls)


def rows(duck: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    return duck.execute(f"SELECT * FROM ({query})").fetchall()


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


AB = Head(("a", "b"), header=True)


def test_columns_are_chosen_by_name_and_empty_cells_are_null(folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    path = write(folder / "1.csv", 'a,b\n1,x\n"",y\n,z\n')
    query = sql([(path, AB)], ["b", "a"])
    assert rows(duck, query) == [("x", "1", 0), ("y", None, 0), ("z", None, 0)]
    assert [column[0] for column in duck.description] == ["cell_0", "cell_1", "file_index"]


def test_files_follow_one_another_although_their_columns_differ(folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    files = [
        (write(folder / "9.csv", "a,b\n1,x\n"), AB),
        (write(folder / "5.csv", ""), None),
        (write(folder / "7.csv", "b,c,a\ny,?,2\n"), Head(("b", "c", "a"), header=True)),
        (write(folder / "1.csv", "b,c,a\nz,?,3\n"), Head(("b", "c", "a"), header=True)),
        (write(folder / "3.csv", "4,v\n"), Head(("a", "b"))),
    ]
    assert rows(duck, sql(files, ["a", "b"])) == [("1", "x", 0), ("2", "y", 2), ("3", "z", 3), ("4", "v", 4)]


def test_files_that_take_turns_are_read_together_and_keep_their_order(
    folder: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    heads = [AB, Head(("b", "a"), header=True), Head(("a", "b"), header=True, line_end="\r\n"), None]
    files, expected = [], []
    for number in range(160):
        head = heads[number % 4]
        end = (head and head.line_end) or "\n"
        lines = [head.columns, ("1", "2"), ("3", "4")] if head else []
        files.append((write(folder / f"{number}.csv", "".join(",".join(line) + end for line in lines)), head))
        swapped = number % 4 == 1
        expected += [(*(line[::-1] if swapped else line), number) for line in lines[1:]]
    scan = scanned(files, ["a", "b"])
    assert scan.rows.count("read_csv(") == 3
    assert rows(duck, scan.sql) == expected
    numbered = duck.execute(f"SELECT {scan.number} AS n, * FROM ({scan.rows}) ORDER BY n").fetchall()
    assert [row[1:] for row in numbered] == expected
    assert all(later[0] == row[0] + 1 for row, later in zip(numbered[::2], numbered[1::2], strict=True))


def test_only_empty_files_give_no_rows(folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    query = sql([(write(folder / "1.csv", ""), None)], ["a"])
    assert rows(duck, query) == []
    assert [column[0] for column in duck.description] == ["cell_0", "file_index"]


def test_names_may_be_anything(folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    path = write(folder / "o'brien 50%?[x]*.csv", "x\n1,2,3\n")
    names = ('sel"ect', "it's", "Größe; DROP TABLE x")
    assert rows(duck, sql([(path, Head(names, header=True))], names)) == [("1", "2", "3", 0)]


def test_names_may_differ_by_letter_case_and_be_our_own(folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    names = ("a", "A", "file_index", "cell_0")
    path = write(folder / "1.csv", "x\n1,2,3,4\n")
    assert rows(duck, sql([(path, Head(names, header=True))], names)) == [("1", "2", "3", "4", 0)]


def parquet(duck: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str], number: int) -> Path:
    columns = ", ".join(f"'{number}{place}' AS \"{name}\"" for place, name in enumerate(names))
    duck.execute(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")
    return path


def test_parquet_files_may_have_columns_of_our_own_names(folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    names = ("File_Index", "cell_0", "A", "a_1")
    head = Head(names, types=("VARCHAR",) * 4)
    files = [(parquet(duck, folder / f"{n}.parquet", names, n), head) for n in range(3)]
    found = rows(duck, sql(files, names, ParquetFormat()))
    assert found == [(f"{n}0", f"{n}1", f"{n}2", f"{n}3", n) for n in range(3)]


def test_a_missing_column_is_named_with_the_file(folder: Path) -> None:
    files = [(write(folder / "1.csv", "a,b\n"), AB), (write(folder / "2.csv", "a\n"), Head(("a",), header=True))]
    with pytest.raises(UserMustAct, match=r"land/2\.csv has no column 'b'") as caught:
        sql(files, ["a", "b"])
    assert caught.value.code == "missing_column"


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (Head(("a", "a")), ["a"]),
        (Head(("a",), types=("VARCHAR[]",)), ["a"]),
        (Head(("a",), types=("STRUCT(x INTEGER)",)), ["a"]),
        (Head(("a",), types=("MAP(VARCHAR, INTEGER)",)), ["a"]),
        (Head(("a",), types=("BLOB",)), ["a"]),
    ],
)
def test_a_column_that_is_not_one_plain_value_is_refused(folder: Path, head: Head, wanted: list[str]) -> None:
    with pytest.raises(UserMustAct) as caught:
        sql([(write(folder / "1.csv", "x\n"), head)], wanted)
    assert caught.value.code == "unsuitable_column"


def test_such_a_column_does_no_harm_where_it_is_not_wanted(folder: Path) -> None:
    assert sql([(write(folder / "1.csv", "x\n"), Head(("a", "a", "b")))], ["b"])


PARQUET_VALUES = {
    "text": ("'x'", "x"),
    "empty": ("''", None),
    "nothing": ("NULL::VARCHAR", None),
    "number": ("7::BIGINT", "7"),
    "money": ("1.50::DECIMAL(9,2)", "1.50"),
    "yes": ("true", "true"),
    "day": ("DATE '2026-11-22'", "2026-11-22"),
    "moment": ("TIMESTAMP '2026-11-22 14:33:00.5'", "2026-11-22T14:33:00.5"),
    "zoned": ("TIMESTAMPTZ '2026-11-22 14:33:00+01'", "2026-11-22T13:33:00+00"),
    "bytes": ("'ü'::BLOB", "ü"),
    "no_number": ("'nan'::DOUBLE", None),
    "infinite": ("'-inf'::DOUBLE", None),
    "whole": ("441234567890.0::DOUBLE", "441234567890"),
    "huge": ("1e22::DOUBLE", "10000000000000000000000"),
    "tiny": ("1e-7::DOUBLE", "0.0000001"),
    "half": ("-0.5::FLOAT", "-0.5"),
    "minus_nothing": ("-0.0::DOUBLE", "0"),
    "id": (
        "'3f0c7a0e-7a53-4a3e-8a2b-0d6a3ff0a0c1'::UUID",
        "3f0c7a0e-7a53-4a3e-8a2b-0d6a3ff0a0c1",
    ),
}


@pytest.mark.parametrize("name", PARQUET_VALUES)
def test_parquet_values_become_text(folder: Path, duck: duckdb.DuckDBPyConnection, name: str) -> None:
    value, expected = PARQUET_VALUES[name]
    value = "'\\xC3\\xBC'::BLOB" if name == "bytes" else value
    path = folder / "1.parquet"
    duck.execute("SET TimeZone = 'UTC'")
    duck.execute(f"COPY (SELECT {value} AS {name}) TO '{path}' (FORMAT parquet)")
    described = duck.execute(f"DESCRIBE SELECT * FROM {scanning.parquet([str(path)])}").fetchall()
    head = Head((name,), types=(described[0][1],))
    assert rows(duck, sql([(path, head)], [name], ParquetFormat())) == [(expected, 0)]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", '\n"1",2\n', " padded ", "NULL", "漢字", "😀", "#"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_whatever_is_in_the_cells_comes_out(
    folder: Path, duck: duckdb.DuckDBPyConnection, table: list[Row], quoting: Any
) -> None:
    path = folder / "1.csv"
    write_csv(path, table, quoting)
    found = rows(duck, sql([(path, Head(("a", "b", "c"), header=True))], ["a", "b", "c"]))
    assert found == [(*(None if cell in ("", "\\N") else cell for cell in row), 0) for row in table]


def write_csv(path: Path, table: Sequence[Row], quoting: Any = csv.QUOTE_MINIMAL) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=quoting)
        writer.writerows([("a", "b", "c"), *table])


@pytest.mark.parametrize("seed", range(8))
def test_also_where_buffers_end_inside_cells(
    folder: Path, duck: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(scanning, "_BUFFER_BYTES", 1000)
    monkeypatch.setattr(scanning, "MAX_LINE_BYTES", 500)
    chance = random.Random(seed)
    cells = ["x", 'say "hi"', "line\nbreak", "crlf\r\nx", '\n"1",2,3\n', "\n", '"', "漢字" * 5, "y" * 50, "1,2,3"]
    head = Head(("a", "b", "c"), header=True, line_end="\r\n")
    files, table = [], list[Row]()
    for number in range(3):
        part = [tuple(chance.choice([*cells, str(chance.random())]) for _ in range(3)) for _ in range(700)]
        write_csv(folder / f"{number}.csv", part)
        files.append((folder / f"{number}.csv", head))
        table += [(*row, number) for row in part]
    query = f"SELECT row_number() OVER () AS n, * FROM ({sql(files, ['a', 'b', 'c'])})"
    numbered = duck.execute(f"SELECT * FROM ({query}) ORDER BY n").fetchall()
    assert [row[1:] for row in numbered] == table
