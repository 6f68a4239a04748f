from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from azure.storage.blob import BlobBlock

from shared.cloud.settings import StorageAddress
from shared.errors import UserMustAct
from shared.snapshots.counts import count_rows
from shared.snapshots.reading import reader
from shared.snapshots.snapshot import CsvFormat, ParquetFormat
from tests import databases
from tests.integration.snapshots.landing import SETTINGS, Landing, as_csv

HARD_CELLS = [
    ("1", 'say "hi", you'),
    ("2", "line\nbreak"),
    ("3", "windows\r\nbreak"),
    ("4", '\n"1",2\n'),
    ("5", "Zoë 漢字 😀"),
    ("6", " padded "),
    ("7", "NULL"),
    ("8", "#"),
]


def test_whatever_is_in_the_cells_comes_out_in_order(landing: Landing) -> None:
    files = [as_csv([("Id", "EMail"), *HARD_CELLS[:4]]), as_csv([("Id", "EMail"), *HARD_CELLS[4:]])]
    rows = landing.rows(landing.snapshot(*files), "EMail", "Id")
    assert rows == [(text, number, int(number) // 5) for number, text in HARD_CELLS]


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        ("a,b\n1,x", CsvFormat(), [("1", "x")]),
        ("a,b\r\n1,x\r\n", CsvFormat(), [("1", "x")]),
        ("a,b\r1,x\r", CsvFormat(), [("1", "x")]),
        ("a,b\n\n1,x\n\n", CsvFormat(), [("1", "x")]),
        ("a,b\n,\n", CsvFormat(), [(None, None)]),
        ('a,b\n"",""\n', CsvFormat(), [(None, None)]),
        ("\ufeffa,b\n1,x\n", CsvFormat(), [("1", "x")]),
        ("\ufeff1,x\n", CsvFormat(header=False), [("1", "x")]),
        ('\ufeff"1",x\n', CsvFormat(header=False), [("1", "x")]),
        ("a,b\n1,x\n", CsvFormat(header=False), [("1", "x")]),
        ("1,x\n", CsvFormat(header=False), [("1", "x")]),
        ("a;b\n1;x,y\n", CsvFormat(delimiter=";"), [("1", "x,y")]),
        ("a\tb\n1\tx\n", CsvFormat(delimiter="\t"), [("1", "x")]),
        ('a,b\n5",x\n', CsvFormat(quote=""), [('5"', "x")]),
        ("a,b\n1,Zoë\n".encode("latin-1"), CsvFormat(encoding="latin-1"), [("1", "Zoë")]),
        (gzip.compress(b"a,b\n1,x\n"), CsvFormat(compression="gzip"), [("1", "x")]),
        (gzip.compress("\ufeffa,b\n1,x\n".encode()), CsvFormat(compression="gzip"), [("1", "x")]),
        (
            gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n"),
            CsvFormat(compression="gzip"),
            [("1", "x"), ("2", "y")],
        ),
        (gzip.compress(b""), CsvFormat(compression="gzip"), []),
        ("", CsvFormat(), []),
        ("a,b", CsvFormat(), []),
        ("", CsvFormat(header=False), []),
    ],
    ids=[f"dialect-{number}" for number in range(22)],
)
def test_dialects(landing: Landing, content: bytes | str, kind: CsvFormat, expected: list[tuple[Any, ...]]) -> None:
    snapshot = landing.snapshot(content, kind=kind, columns=("a", "b"))
    rows = landing.rows(snapshot, "a", "b")
    assert [row[:-1] for row in rows] == expected


LINE_ENDS = ["\n", "\r\n", "\r"]


@pytest.mark.parametrize("header", [True, False], ids=["header", "no header"])
@pytest.mark.parametrize("inside", LINE_ENDS, ids=["LF inside", "CRLF inside", "CR inside"])
@pytest.mark.parametrize("between", LINE_ENDS, ids=["LF", "CRLF", "CR"])
def test_line_breaks_inside_cells_may_be_of_another_kind(
    landing: Landing, between: str, inside: str, header: bool
) -> None:
    lines = [f'"first{inside}line",b', "1,x", f'"2{inside}{inside}",y', "3,z"]
    snapshot = landing.snapshot(between.join([*lines, ""]), kind=CsvFormat(header=header), columns=("a", "b"))
    first = f"first{inside}line" if header else "a"
    expected = [(f"first{inside}line", "b"), ("1", "x"), (f"2{inside}{inside}", "y"), ("3", "z")]
    assert [row[:-1] for row in landing.rows(snapshot, first, "b")] == expected[header:]


def test_each_file_has_its_own_order_of_columns(landing: Landing) -> None:
    snapshot = landing.snapshot("Id,EMail\n1,x\n", "", "EMail,City,Id\ny,?,2\n", "Id,EMail\n3,z\n")
    assert landing.rows(snapshot, "Id", "EMail") == [("1", "x", 0), ("2", "y", 2), ("3", "z", 3)]


def test_a_file_that_lacks_a_column_fails_before_anything_is_read(landing: Landing) -> None:
    snapshot = landing.snapshot("Id,EMail\n1,x\n", "Id\n2\n")
    with (
        reader(landing.client, SETTINGS) as opened,
        pytest.raises(UserMustAct, match=r"part-1 .*'EMail'") as caught,
    ):
        opened.scan(snapshot, ["EMail"])
    assert caught.value.code == "missing_column"


def test_a_column_that_is_missing_where_it_is_not_wanted_does_not_matter(landing: Landing) -> None:
    assert len(landing.rows(landing.snapshot("Id,EMail\n1,x\n", "Id\n2\n"), "Id")) == 2


def test_many_files_keep_their_order(landing: Landing) -> None:
    contents = [as_csv([("n",), *((f"{part}-{row}",) for row in range(500))]) for part in range(10)]
    snapshot = landing.snapshot(*contents)
    with reader(landing.client, SETTINGS) as opened:
        query = f"SELECT row_number() OVER () AS n, * FROM ({opened.scan(snapshot, ['n']).sql})"
        rows = opened.connection.execute(f"SELECT * FROM ({query}) ORDER BY 1").fetchall()
    assert [row[1] for row in rows] == [f"{part}-{row}" for part in range(10) for row in range(500)]
    assert [row[2] for row in rows] == [part for part in range(10) for _ in range(500)]


def test_several_snapshots_in_one_query(landing: Landing) -> None:
    first = landing.snapshot("EMail\nx\n")
    landing.put("seg/other", "EMail\ny\n")
    second = replace(first, files=(landing.file("seg/other"),))
    with reader(landing.client, SETTINGS) as opened:
        parts = [f"SELECT cell_0 FROM ({opened.scan(snapshot, ['EMail']).sql})" for snapshot in (first, second, first)]
        assert opened.connection.execute(" UNION ALL ".join(parts)).fetchall() == [("x",), ("y",), ("x",)]


def test_rows_are_counted(landing: Landing) -> None:
    snapshot = landing.snapshot('a,b\n1,"x\ny"\n\n2,z\n', "", "b,a\n,\n")
    with reader(landing.client, SETTINGS) as opened:
        assert count_rows(opened, snapshot) == 3


@pytest.fixture
def parquet(tmp_path: Path) -> list[bytes]:
    """Two files with several row groups each, their columns in different order."""
    contents = []
    with duckdb.connect() as duck:
        for number, columns in enumerate(("Id, EMail, moment, tags", "EMail, tags, Id, moment")):
            path = tmp_path / f"{number}.parquet"
            rows = (
                f"SELECT range + {number * 300_000} AS Id, md5(range::VARCHAR) || '@example.com' AS EMail,"
                " TIMESTAMP '2026-11-22 14:33:00' AS moment, [range] AS tags FROM range(300_000)"
            )
            duck.execute(f"COPY (SELECT {columns} FROM ({rows})) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 20_000)")
            contents.append(path.read_bytes())
    return contents


def test_parquet_is_read_from_many_places_at_once(landing: Landing, parquet: list[bytes]) -> None:
    for number, content in enumerate(parquet):
        landing.put(f"seg/2026-11-22/part-{number}.parquet", content)
    snapshot = landing.only().snapshot
    assert snapshot
    assert snapshot.format == ParquetFormat()
    with reader(landing.client, SETTINGS) as opened:
        assert count_rows(opened, snapshot) == 600_000
        source = opened.scan(snapshot, ["Id", "EMail", "moment"]).sql
        query = f"SELECT row_number() OVER () - 1 AS n, * FROM ({source})"
        address = "md5((n % 300_000)::VARCHAR) || '@example.com'"
        right = f"n = cell_0::INTEGER AND cell_1 = {address} AND file_index = n // 300_000"
        [(rows, good)] = opened.connection.execute(f"SELECT count(*), count_if({right}) FROM ({query})").fetchall()
        assert (rows, good) == (600_000, 600_000)
        assert opened.connection.execute(f"SELECT DISTINCT cell_2 FROM ({source})").fetchall() == [
            ("2026-11-22T14:33:00",)
        ]
        with pytest.raises(UserMustAct, match="'tags'"):
            opened.scan(snapshot, ["tags"])


def test_large_files_are_read_whole_whatever_their_form(landing: Landing) -> None:
    """Several of DuckDB's buffers, and several blocks of read-ahead, with line breaks inside cells at their ends."""
    rows = [(str(number), f'{number * 7919 % 1_000_003:x} "\n,\r\n' * 12) for number in range(60_000)]
    content = as_csv([("Id", "Text"), *rows])
    assert len(content) > 2 * (4 << 20)
    for kind in (CsvFormat(), CsvFormat(compression="gzip"), CsvFormat(encoding="latin-1")):
        packed = gzip.compress(content, 0) if kind.compression == "gzip" else content
        found = landing.rows(landing.snapshot(packed, kind=kind), "Id", "Text")
        assert [row[:2] for row in found] == rows


def test_the_connection_installs_nothing_and_stays_within_its_limits(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.snapshots.reading._connection", databases.ANEW)
    with reader(landing.client, SETTINGS) as opened:
        settings = dict(opened.connection.execute("SELECT name, value FROM duckdb_settings()").fetchall())
    assert settings["autoinstall_known_extensions"] == settings["autoload_known_extensions"] == "false"
    assert settings["memory_limit"] == "476.8 MiB"
    assert settings["max_temp_directory_size"] == "381.4 MiB"
    assert not Path(settings["temp_directory"]).exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_neither_memory_nor_disk_grows_with_the_file(
    landing: Landing, storage: StorageAddress, compression: str
) -> None:
    block = as_csv([(str(number), f"person{number}@example.com", "x" * 70) for number in range(40_000)])
    packed = gzip.compress(block) if compression == "gzip" else block
    blob = landing.container.get_blob_client("seg/part-0")
    blocks = [BlobBlock(f"{number:08}") for number in range(30)]
    for each in blocks:
        blob.stage_block(each.id, packed)
    blob.commit_block_list(blocks)
    snapshot = landing.with_files("seg/part-0", kind=CsvFormat(header=False, compression=compression), columns="abc")
    command = [sys.executable, "-m", "tests.integration.snapshots.peak", json.dumps(snapshot.to_json())]
    child = subprocess.run(command, capture_output=True, text=True, env={"STORAGE": str(storage.connection_string)})
    assert child.stderr == ""
    rows, peak = map(int, child.stdout.split())
    assert rows == 30 * 40_000
    assert len(block) * len(blocks) > 110 << 20
    assert peak < 230 << 20, "the interpreter with its libraries takes 60 MB, DuckDB may take 60 MB"
