"""Gzip and Parquet files that are damaged, or larger than they look."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import duckdb

from tests.corpus.cases import ANNA, BO, GOOD, HEADER, Case, Counted, End, PassedOver, Stopped
from tests.corpus.csv_cases import MEGABYTE

TEXT = (HEADER + ANNA + BO).encode()
PACKED = gzip.compress(TEXT)
PEOPLE = f"(VALUES ('{GOOD[0]}', 'Anna', 'Lund'), ('{GOOD[1]}', 'Bo', 'Cluj')) AS p(EMail, FirstName, City)"
GZIP = Stopped("gzip")


def packed(name: str, content: bytes, end: End) -> Case:
    return Case(name, {"part-0.csv.gz": content}, end)


def parquet(name: str, query: str, end: End, damage: Callable[[bytes], bytes] = lambda data: data) -> Case:
    return Case(name, {"part-0.parquet": damage(_written(query))}, end)


@cache
def _written(query: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        path = Path(folder) / "x.parquet"
        duck.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("part-0.csv", TEXT)
    return out.getvalue()


GZIPS = [
    packed("gzip, whole", PACKED, Counted()),
    packed("gzip, cut in the middle", PACKED[: len(PACKED) // 2], GZIP),
    packed("gzip, without its end", PACKED[:-1], GZIP),
    packed("gzip, cut in its header", PACKED[:5], GZIP),
    packed("gzip, wrong checksum", PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], GZIP),
    packed("gzip, something behind it", PACKED + b"rubbish", GZIP),
    packed("gzip in gzip", gzip.compress(PACKED), Stopped("")),
    packed("text that is called gzip", TEXT, GZIP),
    packed("a zip archive that is called gzip", _zip(), GZIP),
    packed("an empty file that is called gzip", b"", Counted(people=())),
    packed("a bomb of one line", gzip.compress(TEXT + b"x" * (64 * MEGABYTE), 1), Stopped("longer than")),
    packed("a bomb in the first line", gzip.compress(b"x" * (64 * MEGABYTE), 1), Stopped("first line")),
    packed("a bomb of good lines", gzip.compress(TEXT + ANNA.encode() * 1_000_000, 1), Counted(duplicates=1_000_000)),
]

PARQUETS = [
    parquet("Parquet, whole", f"SELECT * FROM {PEOPLE}", Counted()),
    parquet("Parquet, empty file", f"SELECT * FROM {PEOPLE}", Stopped("Parquet"), lambda data: b""),
    parquet("Parquet, only its mark", f"SELECT * FROM {PEOPLE}", Stopped("Parquet"), lambda data: b"PAR1"),
    parquet("Parquet, cut", f"SELECT * FROM {PEOPLE}", Stopped("Parquet"), lambda data: data[:-50]),
    parquet(
        "Parquet, a footer of 4 GB",
        f"SELECT * FROM {PEOPLE}",
        Stopped("Parquet"),
        lambda data: data[:-8] + b"\xff\xff\xff\xffPAR1",
    ),
    parquet(
        "Parquet, a footer of other bytes",
        f"SELECT * FROM {PEOPLE}",
        Stopped("Parquet"),
        lambda data: data[:-200] + b"\xff" * 150 + data[-50:],
    ),
    parquet(
        "Parquet, damaged rows",
        "SELECT 'p' || range || '@example.com' AS EMail, '' AS FirstName, md5(range::VARCHAR) AS City FROM range(9000)",
        Stopped("Parquet"),
        lambda data: data[:20_000] + b"\xff" * 400 + data[20_400:],
    ),
    parquet("Parquet, encrypted", f"SELECT * FROM {PEOPLE}", Stopped("Parquet"), lambda data: data[:-4] + b"PARE"),
    parquet("Parquet, no rows", f"SELECT * FROM {PEOPLE} WHERE false", Counted(people=())),
    parquet("Parquet, another table", "SELECT 1 AS Id", Stopped("EMail")),
    parquet("Parquet, lists of addresses", f"SELECT [EMail] AS EMail, FirstName, City FROM {PEOPLE}", Stopped("EMail")),
    parquet(
        "Parquet, numbers for addresses",
        "SELECT 1 AS EMail, '' AS FirstName, '' AS City UNION ALL SELECT 2, '', ''",
        Counted(refused=2, people=()),
    ),
    parquet(
        "Parquet, no addresses",
        f"SELECT NULL::VARCHAR AS EMail, FirstName, City FROM {PEOPLE}",
        Counted(refused=2, people=()),
    ),
    parquet("Parquet, bytes for addresses", f"SELECT EMail::BLOB AS EMail, FirstName, City FROM {PEOPLE}", Counted()),
]

MIXED = [
    Case(
        "two formats in one folder",
        {"part-0.csv": TEXT, "part-1.parquet": _written(f"SELECT * FROM {PEOPLE}")},
        PassedOver("mixes"),
    ),
    Case("files that are no table", {"readme.txt": b"hello", "run.sh": b"rm -rf /"}, PassedOver("not understood")),
    Case("a folder in the folder", {"a/b/part-0.csv": TEXT}, PassedOver("a folder in it")),
    Case(
        "a name with a glob in it",
        {"part-[0-9]*?.csv": TEXT, "part-7x.csv": (HEADER + ANNA).encode()},
        Counted(duplicates=1),
    ),
    Case("a name with quotes in it", {'it\'s "x".csv': TEXT}, Counted()),
]

CASES = [*GZIPS, *PARQUETS, *MIXED]
