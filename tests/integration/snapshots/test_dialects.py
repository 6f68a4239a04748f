"""A dialect that people declare of a segment: what is read with it, what is refused all the same."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.cloud import storage
from shared.cloud.blob_files import BLOCK_BYTES
from shared.cloud.settings import Location
from shared.errors import UserMustAct
from shared.snapshots.dialect import Dialect
from shared.snapshots.finding import find_segments, newest_of
from tests.integration.snapshots.landing import Landing
from tests.memory import in_memory

Rows = list[tuple[str | None, ...]]
WANTED = ("EMail", "City")
BACKSLASH = Dialect(escape="\\")
WESTERN = Dialect(encoding="windows-1252")
WIDE = Dialect(encoding="utf-16")
EURO = "EMail,City\nzoë@example.com,5 €\n"
EUROS: Rows = [("zoë@example.com", "5 €")]

READ: dict[str, tuple[str, bytes, Dialect, Rows]] = {
    "Spark": (
        "part-0.csv",
        b'EMail,City\na@example.com,"An \\"na\\" x"\nb@example.com,"C:\\\\,"\n"c@example.com","a\nb"\n',
        BACKSLASH,
        [("a@example.com", 'An "na" x'), ("b@example.com", "C:\\,"), ("c@example.com", "a\nb")],
    ),
    "Data Factory": (
        "part-0.csv",
        b'EMail,City\na@example.com,jig"ar\nb@example.com,"\\"\\""\nc@example.com,x"y"z\n',
        BACKSLASH,
        [("a@example.com", 'jig"ar'), ("b@example.com", '""'), ("c@example.com", 'x"y"z')],
    ),
    "Western Europe": ("part-0.csv", EURO.encode("cp1252"), WESTERN, EUROS),
    "Western Europe in gzip": ("part-0.csv.gz", gzip.compress(EURO.encode("cp1252")), WESTERN, EUROS),
    "Western Europe behind an empty piece of gzip": (
        "part-0.csv.gz",
        gzip.compress(b"") + gzip.compress(EURO.encode("cp1252")),
        WESTERN,
        EUROS,
    ),
    "UTF-16 with a mark": ("part-0.csv", EURO.encode("utf-16"), WIDE, EUROS),
    "UTF-16, big end first": ("part-0.csv", b"\xfe\xff" + EURO.encode("utf-16-be"), WIDE, EUROS),
    "UTF-16 without a mark": ("part-0.csv", EURO.encode("utf-16-le"), WIDE, EUROS),
    "Unicode Text of Excel": (
        "part-0.txt",
        "EMail\tCity\r\nzoë@example.com\t漢字\r\n".encode("utf-16"),
        WIDE,
        [("zoë@example.com", "漢字")],
    ),
    "texts for nothing": (
        "part-0.csv",
        b"EMail,City\na@example.com,NULL\nb@example.com,-\nc@example.com,Null\n",
        Dialect(nulls=("NULL", "-")),
        [("a@example.com", None), ("b@example.com", None), ("c@example.com", "Null")],
    ),
    "no header": (
        "part-0.csv",
        b"a@example.com;Lund\n",
        Dialect(columns=WANTED, delimiter=";"),
        [("a@example.com", "Lund")],
    ),
    "another quotation mark": (
        "part-0.csv",
        b"EMail,City\na@example.com,'Lund, \"Skane\"'\n",
        Dialect(quote="'"),
        [("a@example.com", 'Lund, "Skane"')],
    ),
    "gzip that its name does not tell": (
        "part-0.csv",
        gzip.compress(b"EMail,City\na@example.com,Lund\n"),
        Dialect(compression="gzip"),
        [("a@example.com", "Lund")],
    ),
    "a delimiter that no header would show": (
        "part-0.csv",
        b"EMail~City\na@example.com~Lund\n",
        Dialect(delimiter="~"),
        [("a@example.com", "Lund")],
    ),
}
REFUSED: dict[str, tuple[str, bytes, Dialect, str]] = {
    "Windows-1252, not declared": ("part-0.csv", EURO.encode("cp1252"), Dialect(), "mostly windows-1252"),
    "UTF-16 without a mark, not declared": (
        "part-0.csv",
        EURO.encode("utf-16-le"),
        Dialect(),
        "UTF-16 without a byte order mark",
    ),
    "UTF-16, big end first, without a mark": ("part-0.csv", EURO.encode("utf-16-be"), WIDE, "big end first"),
    "the same, not declared": ("part-0.csv", EURO.encode("utf-16-be"), Dialect(), "big end first"),
    "UTF-16, not declared": ("part-0.csv", EURO.encode("utf-16"), Dialect(), "declare the encoding utf-16"),
    "a byte that the encoding has not": ("part-0.csv", b"EMail,City\na@example.com,\x81\n", WESTERN, "encoding"),
    "half a character at the end": ("part-0.csv", EURO.encode("utf-16")[:-1], WIDE, "encoding"),
    "gzip that is cut off": ("part-0.csv.gz", gzip.compress(EURO.encode("cp1252"))[:-3], WESTERN, "gzip"),
    "a quoted cell without end": (
        "part-0.csv",
        b'EMail,City\na@example.com,"L\nb@example.com,x\n',
        WESTERN,
        "quotation marks",
    ),
    "too many cells in the last line": (
        "part-0.csv",
        b"EMail,City\na@example.com,x\nb@example.com,y,z\n",
        WESTERN,
        "3 cells where 2",
    ),
    "backslash, and a doubled quotation mark": (
        "part-0.csv",
        b'EMail,City\na@example.com,"x ""y"" z"\n',
        BACKSLASH,
        "cannot be read",
    ),
    "backslash, and a cell without end": (
        "part-0.csv",
        b'EMail,City\na@example.com,"x\\"\nb@example.com,y\n',
        BACKSLASH,
        "quotation marks",
    ),
    "other columns": ("part-0.csv", b"a@example.com;Lund\n", Dialect(columns=WANTED), "2 columns are declared"),
}


@pytest.fixture(scope="module")
def landing() -> Iterator[Landing]:
    with in_memory() as address:
        client = storage.blob_client(address)
        container = client.get_container_client("dialects")
        container.create_container()
        yield Landing(client, container)


_numbers = count()


def read(landing: Landing, name: str, content: bytes, dialect: Dialect) -> Rows:
    """The rows of a segment of its own with this dialect. Raises UserMustAct."""
    segment = f"s{next(_numbers)}"
    landing.put(f"{segment}/2026-11-22/{name}", content)
    location = Location(landing.container.container_name)
    now = datetime.now(UTC) + timedelta(hours=1)
    dialects = {f"{location.container}:{segment}": dialect}
    snapshot = newest_of(landing.client, [replace(location, prefix=segment)], segment, now, dialects=dialects)
    return [row[:-1] for row in landing.rows(snapshot, *WANTED)]


@pytest.mark.parametrize(("name", "content", "dialect", "rows"), READ.values(), ids=READ)
def test_what_is_declared_is_read(landing: Landing, name: str, content: bytes, dialect: Dialect, rows: Rows) -> None:
    assert read(landing, name, content, dialect) == rows


@pytest.mark.parametrize(("name", "content", "dialect", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(
    landing: Landing, name: str, content: bytes, dialect: Dialect, words: str
) -> None:
    with pytest.raises(UserMustAct, match=words):
        read(landing, name, content, dialect)


CELLS = st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=6) | st.sampled_from(
    ['"', '""', "\\", '\\"', '\\\\"', ",", "\n", "\r\n", 'x"', '"x', 'a"b', "a\\"]
)


@settings(max_examples=40, deadline=None)
@example([("", "\\N")], "")
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(["", "windows-1252", "utf-16"]))
def test_whatever_is_written_with_backslashes_is_read_back(
    landing: Landing, table: list[tuple[str, str]], encoding: str
) -> None:
    def cell(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = "EMail,City\n" + "".join(f"{cell(one)},{cell(other)}\n" for one, other in table)
    content = text.encode({"windows-1252": "cp1252"}.get(encoding, encoding or "utf-8"))
    rows = read(landing, "part-0.csv", content, replace(BACKSLASH, encoding=encoding))
    nothing = ("", "\\N")  # which is how such writers write what is not there
    assert rows == [tuple(None if each in nothing else each for each in row) for row in table]


def test_what_a_model_says_goes_before_what_is_declared(landing: Landing) -> None:
    attributes = [{"name": name} for name in WANTED]
    settings = {"delimiter": ";", "columnHeaders": True}
    landing.put("told/a.csv", b"EMail;City\nzo\xeb@example.com;5 \x80\n")
    partition = {"location": "a.csv", "fileFormatSettings": settings}
    landing.export({"name": "Told", "attributes": attributes, "partitions": [partition]}, folder="told")
    container = landing.container.container_name
    declared = Dialect(delimiter="|", encoding="windows-1252", columns=("X",))
    [found] = find_segments(
        landing.client,
        [Location(container, "told")],
        datetime.now(UTC) + timedelta(hours=1),
        dialects={f"{container}/told:Told": declared},
    )
    assert found.snapshot
    assert landing.rows(found.snapshot, *WANTED) == [(*EUROS[0], 0)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_text_of_several_blocks_is_turned_into_utf_8_as_a_stream(
    landing: Landing, pack: Callable[[bytes], bytes]
) -> None:
    rows = [(f"p{number}@example.com", "“漢字”, €\n" * 20) for number in range(12_000)]
    text = "EMail,City\n" + "".join(f'{one},"{other}"\n' for one, other in rows)
    content = text.encode("utf-16")
    assert len(content) > BLOCK_BYTES
    found = read(landing, f"part-0.csv{'.gz' if pack is gzip.compress else ''}", pack(content), WIDE)
    assert found == rows
