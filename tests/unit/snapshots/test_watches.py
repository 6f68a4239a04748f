from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from shared.snapshots.snapshot import CsvFormat, SnapshotFile
from shared.snapshots.unreadable import SnapshotUnreadable
from shared.snapshots.watches import CsvWatch

GOOD, BAD = b'a,"b ""c"""\n', b'a,"b\n'
MOST = 1000

Pack = Callable[[bytes], bytes]
PLAIN, PACKED = CsvFormat(), CsvFormat(compression="gzip")
both = pytest.mark.parametrize(("csv", "pack"), [(PLAIN, bytes), (PACKED, gzip.compress)], ids=["plain", "gzip"])


def ranges(data: bytes, size: int) -> list[tuple[int, bytes]]:
    return [(start, data[start : start + size]) for start in range(0, len(data), size)]


def watch(data: bytes, csv: CsvFormat, cells: int = 1) -> CsvWatch:
    return CsvWatch(SnapshotFile("land", "a.csv", '"1"', len(data)), csv, cells, MOST)


def feed(watch: CsvWatch, fed: Iterable[tuple[int, bytes]]) -> None:
    for offset, data in fed:
        watch.feed(offset, data)


def refused(data: bytes, csv: CsvFormat, reason: str, size: int = 1 << 20) -> None:
    with pytest.raises(SnapshotUnreadable, match=reason):
        feed(watch(data, csv), ranges(data, size))


@both
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_odd_number_of_quotation_marks_is_noticed_at_the_end(csv: CsvFormat, pack: Pack, size: int) -> None:
    good, bad = pack(GOOD * 9), pack(GOOD * 9 + BAD)
    feed(watch(good, csv), ranges(good, size))
    refused(bad, csv, "never closed", size)


@both
def test_where_nothing_is_quoted_they_do_not_matter(csv: CsvFormat, pack: Pack) -> None:
    data = pack(BAD)
    feed(watch(data, replace(csv, quote="")), ranges(data, 4))


LONG = b"x" * (MOST + 1)


@both
@pytest.mark.parametrize("size", [7, 1 << 20])
@pytest.mark.parametrize(
    "end", [LONG, b"a," + LONG, b'a,"' + b"x\n" * MOST + b'"', b'"' + b"\r\n" * MOST + b'"', b'a,"' + LONG + b'"']
)
def test_a_last_line_that_is_too_long_is_noticed(csv: CsvFormat, pack: Pack, size: int, end: bytes) -> None:
    refused(pack(GOOD * 50 + end), csv, "longer than", size)


@both
@pytest.mark.parametrize("size", [7, 1 << 20])
@pytest.mark.parametrize(
    "end", [b"", LONG[:MOST], LONG + b"\n", LONG + b"\r", LONG + b"\n" + LONG[:MOST], b'"' + LONG[:500] + b'"\r\nx']
)
def test_other_lines_are_left_to_duckdb(csv: CsvFormat, pack: Pack, size: int, end: bytes) -> None:
    data = pack(GOOD * 50 + end)
    feed(watch(data, csv), ranges(data, size))


@both
@pytest.mark.parametrize("size", [2, 1 << 20])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("line", "cells"), [("a,b", 2), ('a,"b,\n c"', 2), ("a", 1), ('"a\r\n"', 1), ("a,", 2), (",", 2), ('"",""', 2)]
)
def test_the_cells_of_a_last_line_without_an_end_are_counted(
    csv: CsvFormat, pack: Pack, size: int, end: str, line: str, cells: int
) -> None:
    data = pack(f"a,b\n{line}{end}".encode())
    feed(watch(data, csv, cells), ranges(data, size))
    if end:
        feed(watch(data, csv, 3), ranges(data, size))
    else:
        with pytest.raises(SnapshotUnreadable, match=f"{cells} cells where 3"):
            feed(watch(data, csv, 3), ranges(data, size))


def test_ranges_may_come_in_any_order_and_twice() -> None:
    pieces = ranges(GOOD * 50, 7)
    random.Random(7).shuffle(pieces)
    feed(watch(GOOD * 50, PLAIN), pieces + pieces)
    pieces = ranges(GOOD * 50 + BAD, 7)
    random.Random(7).shuffle(pieces)
    with pytest.raises(SnapshotUnreadable):
        feed(watch(GOOD * 50 + BAD, PLAIN), pieces)


@both
def test_ranges_may_overlap(csv: CsvFormat, pack: Pack) -> None:
    data = pack(GOOD * 1000)
    feed(watch(data, csv), [(0, data[:10]), (0, data[:40]), (10, data[10:30]), (40, data[40:]), (60, data[60:])])


def test_what_is_still_open_is_not_judged_before_the_end() -> None:
    feed(watch(GOOD + BAD, PLAIN), ranges(GOOD + BAD, 4)[:-1])


QUOTING = [
    (b'a,"b"\n', True),
    (b'"a","b"\n', True),
    (b'"a"', True),
    (b'"",""\n', True),
    (b'"a""b","""","""a"""\n', True),
    (b'"a,b\n""c"\r\n"d"\r"e"', True),
    (b'\xef\xbb\xbf"a",b\n', True),
    ('ü,"ü"\n'.encode(), True),
    (b'a"b"c\n', False),
    (b'"a"b,"c"\n', False),
    (b'"a" ,"b"\n', False),
    (b'a, "b"\n', False),
    (b'5","6"\n"a"\n', False),
    (b'a"\n"\nb\n"c"\n', False),
    (b'"a""\n"b""\n', False),
]


@both
@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize(("text", "good"), QUOTING)
def test_quotation_marks_must_be_where_they_belong(
    csv: CsvFormat, pack: Pack, size: int, text: bytes, good: bool
) -> None:
    data = pack(text)
    if good:
        feed(watch(data, csv), ranges(data, size))
    else:
        refused(data, csv, "not doubled", size)


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", "]", "\\", "-"])
def test_they_belong_beside_the_delimiter(delimiter: str) -> None:
    csv = CsvFormat(delimiter=delimiter)
    good, bad = f'"a"{delimiter}"b"\n'.encode(), b'"a","b"\n'
    feed(watch(good, csv), ranges(good, 2))
    refused(bad, csv, "not doubled", 2)


def test_gzip_members_may_follow_one_another() -> None:
    data = gzip.compress(GOOD) + gzip.compress(b'"') + gzip.compress(b'"')
    feed(watch(data, PACKED), ranges(data, 5))


def test_text_that_packs_well_is_unpacked_in_pieces() -> None:
    refused(gzip.compress(b"x\n" * (3 << 20) + b'"' * 3), PACKED, "never closed")


def damaged() -> Iterable[tuple[str, bytes]]:
    data = gzip.compress(bytes(random.Random(1).choices(b"abcdefgh", k=5000)))
    yield "ends early", data[:-20]
    yield "without its last byte", data[:-1]
    yield "other checksum", data[:-8] + b"\0\0\0\0" + data[-4:]
    yield "other content", data[:1000] + b"\xff" * 20 + data[1020:]
    yield "no gzip", b"a,b\n1,2\n"
    yield "rubbish behind", data + b"rubbish"


@pytest.mark.parametrize(("how", "data"), list(damaged()), ids=lambda value: value if isinstance(value, str) else "")
def test_damage_is_noticed(how: str, data: bytes) -> None:
    with pytest.raises(SnapshotUnreadable, match="gzip"):
        feed(watch(data, PACKED), ranges(data, 700))
