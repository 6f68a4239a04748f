"""CSV in Zstandard: read whole or refused, since DuckDB takes what is cut off for all there is."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from shared.snapshots.dialect import Dialect
from tests.corpus.landed import Landing, Outcome, Row
from tests.memory import in_memory

zstd: Any = pytest.importorskip("backports.zstd", reason="Python's own from 3.14 on, and before it is in the lock")

WANTED = ("EMail", "City")
ROWS: list[Row] = [("anna@example.com", "Lund, Skåne"), ("bo@example.com", None)]
TEXT = 'EMail,City\nanna@example.com,"Lund, Skåne"\nbo@example.com,\n'.encode()
NOISE = random.Random(20)
LONG_ROWS: list[Row] = [(f"p{number}@example.com", f"{NOISE.getrandbits(700):x}") for number in range(20_000)]
LONG = ("EMail,City\n" + "".join(f"{one},{other}\n" for one, other in LONG_ROWS)).encode()
PACKED = zstd.compress(TEXT)
DAMAGED = "Zstandard compression is damaged"


@pytest.fixture(scope="module")
def landing() -> Iterator[Landing]:
    with in_memory() as address:
        yield Landing(address, "zstandard")


def outcome(landing: Landing, content: bytes, name: str = "part-0.csv.zst", dialect: Dialect | None = None) -> Outcome:
    landing.put(f"Loyal/2026-11-22/{name}", content)
    landing.dialects = {f"{landing.container.container_name}:Loyal": dialect} if dialect else {}
    try:
        [segment] = landing.found()
        return landing.outcome(segment, WANTED)
    finally:
        landing.container.delete_blob(f"Loyal/2026-11-22/{name}")


READ: dict[str, tuple[str, bytes, list[Row]]] = {
    "plain": ("part-0.csv.zst", PACKED, ROWS),
    "an ending that says no more": ("data_0_0_0.zst", PACKED, ROWS),
    "tabs": ("part-0.tsv.zst", zstd.compress(TEXT.replace(b'"Lund, Sk', b"Lund, Sk").replace(b'"\n', b"\n")
                                             .replace(b"EMail,City", b"EMail\tCity")
                                             .replace(b".com,", b".com\t")), ROWS),
    "two frames": ("part-0.csv.zst", zstd.compress(TEXT[:30]) + zstd.compress(TEXT[30:]), ROWS),
    "an empty frame first": ("part-0.csv.zst", zstd.compress(b"") + PACKED, ROWS),
    "a byte order mark": ("part-0.csv.zst", zstd.compress(b"\xef\xbb\xbf" + TEXT), ROWS),
    "much, hardly compressed": ("part-0.csv.zst", zstd.compress(LONG, level=1), LONG_ROWS),
    "much, compressed well": ("part-0.csv.zst", zstd.compress(LONG, level=9), LONG_ROWS),
    "nobody": ("part-0.csv.zst", zstd.compress(b"EMail,City\n"), []),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "rows"), READ.values(), ids=READ)
def test_it_is_read(landing: Landing, name: str, content: bytes, rows: list[Row]) -> None:
    assert outcome(landing, content, name) == Outcome(rows, "")


def wide(data: bytes) -> bytes:
    """Packed so that 128 MB have to be kept for unpacking."""
    packing = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    return bytes(packing.compress(data) + packing.flush())


REFUSED: dict[str, tuple[bytes, str]] = {
    "its mark alone": (PACKED[:4], DAMAGED),
    "no Zstandard": (TEXT, DAMAGED),
    "something behind it": (PACKED + b"rubbish", DAMAGED),
    "much, cut off": (zstd.compress(LONG)[:-10], DAMAGED),
    "a wrong checksum": (
        zstd.compress(TEXT, options={zstd.CompressionParameter.checksum_flag: 1})[:-1] + b"\0",
        DAMAGED,
    ),
    "more memory than is given": (wide(LONG), "needs more than 32 MB"),
    "a quoted cell that is never closed": (zstd.compress(TEXT + b'cy@example.com,"x\n'), "odd number of quotation"),
    "too few cells in the last line": (zstd.compress(TEXT + b"cy@example.com\n"), "1 cells where 2"),
    "no header": (zstd.compress(TEXT.partition(b"\n")[2]), "it has no header"),
    "another encoding": (zstd.compress(TEXT.decode().encode("cp1252")), "not in the declared encoding"),
    "Excel's line": (zstd.compress(b"sep=,\n" + TEXT), "only understood where a file is not compressed"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(landing: Landing, content: bytes, words: str) -> None:
    found = outcome(landing, content)
    assert found.rows is None
    assert words in found.said


def test_wherever_it_is_cut_off_nobody_is_missed_in_silence(landing: Landing) -> None:
    for end in range(1, len(PACKED)):
        assert outcome(landing, PACKED[:end]).rows is None, end


def test_an_encoding_is_read_once_it_is_declared(landing: Landing) -> None:
    content = zstd.compress(TEXT.decode().encode("cp1252"))
    assert outcome(landing, content, dialect=Dialect(encoding="windows-1252")) == Outcome(ROWS, "")


def test_a_model_may_name_such_files(landing: Landing) -> None:
    table = {"name": "Loyal", "attributes": [{"name": n} for n in WANTED], "partitions": [{"location": "a.csv.zst"}]}
    landing.put("export/model.json", json.dumps({"entities": [table]}).encode())
    landing.put("export/a.csv.zst", PACKED)
    [segment] = landing.found()
    assert landing.outcome(segment, WANTED) == Outcome(ROWS, "")
