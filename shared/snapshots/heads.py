"""The first line of a CSV file, read from a few KB."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from shared.errors import ExportError
from shared.snapshots.recoding import BY_DUCKDB, is_recoded, start_of
from shared.snapshots.snapshot import CsvFormat, SnapshotFile
from shared.snapshots.unpacking import Damaged, Unzstd
from shared.snapshots.unreadable import DAMAGED, WRONG_ENCODING
from shared.wording import NOTHING, Message, either, say

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

HEAD_BYTES = 64 << 10
_FIRST_BYTES = {"zstd": 192 << 10}
"""What is fetched of a file, by compression: Zstandard packs up to 128 KB in one block."""
_LOOKED_AT = 1_000

_DELIMITERS = {";": say("a semicolon"), "\t": say("a tab"), "|": say("a vertical bar"), ",": say("a comma")}
_SEPARATOR_LINE = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=([^\r\n])"?(?:\r\n|\n|\r)', re.IGNORECASE)
_BYTE_ORDER_MARK = "\ufeff"
_WIDE_MARK = re.compile(rb"\xff\xfe(?!\0\0)|\xfe\xff")
_WIDE = say("it is UTF-16, as Excel's Unicode Text is; declare the encoding utf-16 for this segment, or write UTF-8")
_LITTLE_END_FIRST = say(
    "it seems to be UTF-16 without a byte order mark: every second byte is zero; declare the encoding utf-16 for this "
    "segment, or write UTF-8"
)
_BIG_END_FIRST = say(
    "it seems to be UTF-16 with the big end first and without a byte order mark, which is not read; write UTF-8, or a "
    "byte order mark"
)
_SEPARATOR_IN_UTF_8 = say("it begins with a line sep=, which is only understood in UTF-8")
_SEPARATOR_UNPACKED = say("it begins with a line sep=, which is only understood where a file is not compressed")
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says about itself: its columns in order; for Parquet their types, and what DuckDB calls them, which
    is something else for the second of a name.

    For CSV whether there is a line to skip, what ends that first line (empty where it is the only one), and how many
    bytes to skip: empty pieces of gzip at the beginning, behind which DuckDB would not look.
    """

    columns: tuple[str, ...]
    header: bool = False
    line_end: str = ""
    types: tuple[str, ...] = ()
    known_as: tuple[str, ...] = ()
    constants: tuple[tuple[str, str | None], ...] = ()
    """Columns that are not in the file, with the value that they have for all of its rows."""
    skip: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of a line, and what ends it."""

    cells: tuple[str, ...]
    line_end: str


class BadHead(ExportError):
    """The first line is not what it should be; its words say why, for people, and quote nothing."""


def head_of(data: bytes, file: SnapshotFile, csv: CsvFormat, columns: tuple[str, ...]) -> Head | None:
    """The head of a file by its `first_bytes`, None where it is empty; `columns` are what a file without a header has.

    A header that was not declared is seen by its names: no person looks like that. Raises BadHead.
    """
    return look_at(_start(data, file, csv.compression), csv, columns)[0]


def csv_look(
    client: BlobServiceClient, file: SnapshotFile, csv: CsvFormat, columns: tuple[str, ...] = ()
) -> tuple[Head | None, CsvFormat]:
    """The head of a file in storage, and the format with the delimiter that the first line shows, where it was not
    known before. Raises BadHead, and what Azure raises where the version is gone."""
    return look_at(_start(first_bytes(client, file, csv.compression), file, csv.compression), csv, columns)


def look_at(start: Start, csv: CsvFormat, columns: tuple[str, ...] = ()) -> tuple[Head | None, CsvFormat]:
    """What the beginning of a file says. Raises BadHead."""
    zeros = _zeros(start.text)
    if zeros is _BIG_END_FIRST or (zeros and csv.encoding in BY_DUCKDB):
        raise BadHead(zeros)
    if is_recoded(csv):
        head, seen = look_at(_as_utf8(start, csv), replace(csv, encoding="utf-8", compression="none"), columns)
        if head and head.skip:
            raise BadHead(_SEPARATOR_IN_UTF_8 if csv.compression == "none" else _SEPARATOR_UNPACKED)
        return head, replace(seen, encoding=csv.encoding, compression=csv.compression)
    if _WIDE_MARK.match(start.text):
        raise BadHead(_WIDE)
    if csv.header and (told := _SEPARATOR_LINE.match(start.text)):
        start, csv = _obeyed(start, told, csv)
    if not csv.delimiter:
        csv = replace(csv, delimiter=_shown_by(start, csv))
    record = first_record(start.text, start.whole, csv)
    if record is None:
        return None, csv
    head = _declared(record) if csv.header else _undeclared(record, columns, csv)
    return replace(head, skip=start.skip), csv


def _zeros(text: bytes) -> Message | None:
    """What it means that every second byte of a text is zero, as those of western letters in UTF-16 are."""
    first = text[:_LOOKED_AT]
    if b"\0" not in first or _WIDE_MARK.match(first):
        return None
    before, behind = first[::2].count(0), first[1::2].count(0)
    if max(before, behind) * 4 < len(first):
        return None
    return _BIG_END_FIRST if before > behind else _LITTLE_END_FIRST


def _as_utf8(start: Start, csv: CsvFormat) -> Start:
    """Nothing is skipped of what is turned into UTF-8, since it is read from its beginning."""
    try:
        return Start(start_of(start.text, csv), start.whole)
    except UnicodeError:
        raise BadHead(WRONG_ENCODING) from None


def _obeyed(start: Start, told: re.Match[bytes], csv: CsvFormat) -> tuple[Start, CsvFormat]:
    """Excel's line `sep=;` is no row: it is skipped, and what it says holds."""
    delimiter = told[1].decode("latin-1")
    if csv.compression != "none":
        raise BadHead(_SEPARATOR_UNPACKED)
    if csv.delimiter not in ("", delimiter):
        raise BadHead(say("its line sep= says another delimiter than the first file of the segment"))
    return Start(start.text[told.end() :], start.whole, told.end()), replace(csv, delimiter=delimiter)


def _shown_by(start: Start, csv: CsvFormat) -> str:
    """The delimiter that parts a header into most names; a comma where none does, as for a single column."""
    names = {sign: _names(start, replace(csv, delimiter=sign)) for sign in _DELIMITERS}
    most = max(names.values())
    best = [sign for sign, count in names.items() if count == most]
    if most < 2:
        return ","
    if len(best) > 1:
        signs = either([_DELIMITERS[sign] for sign in best])
        raise BadHead(say("nobody can tell whether %(signs)s separates its columns", signs=signs))
    return best[0]


def _names(start: Start, csv: CsvFormat) -> int:
    """How many names the first line has so; 0 where some of its cells cannot be names."""
    try:
        record = first_record(start.text, start.whole, csv)
    except BadHead:
        return 0
    cells = record.cells if record else ()
    good = all(cells) and len(set(cells)) == len(cells) and not any("@" in cell for cell in cells)
    return len(cells) if good else 0


def _declared(record: Record) -> Head:
    if any("@" in name for name in record.cells):
        raise BadHead(say("it has no header: its first line holds an address"))
    return Head(record.cells, True, record.line_end)


def _undeclared(record: Record, columns: tuple[str, ...], csv: CsvFormat) -> Head:
    """A first line that has all the names, in whatever order, is a header; one that has some of them is no person."""
    if sorted(record.cells) == sorted(columns):
        return Head(record.cells, True, record.line_end)
    known = {name.strip().lower() for name in columns}
    named = [cell for cell in record.cells if cell.strip().lower() in known]
    if len(named) > 1 or len(named) == len(record.cells):
        raise BadHead(
            say(
                "its first line is a header that differs from the columns that are declared, so nobody can tell which "
                "column is which; declare that there is a header (a model.json says columnHeaders), or the same columns"
            )
        )
    if len(record.cells) != len(columns):
        raise BadHead(
            say(
                "its first line has %(cells)s cells, and %(columns)s columns are declared%(hint)s",
                cells=len(record.cells),
                columns=len(columns),
                hint=_other_delimiter(record, len(columns), csv),
            )
        )
    return Head(columns, False, record.line_end)


def _other_delimiter(record: Record, columns: int, csv: CsvFormat) -> Message:
    """What to do where another character parts the line into as many cells."""
    line = csv.delimiter.join(record.cells)
    other = next((name for sign, name in _DELIMITERS.items() if line.count(sign) + 1 == columns), None)
    return say("; it seems to be separated by %(sign)s, which is not declared", sign=other) if other else NOTHING


@dataclass(frozen=True, slots=True)
class Start:
    """Up to HEAD_BYTES of the content, whether that is all of it, and what was skipped before it."""

    text: bytes
    whole: bool
    skip: int = 0


def first_bytes(client: BlobServiceClient, file: SnapshotFile, compression: str = "none") -> bytes:
    """As much of a file as shows its head, as it lies there. Raises what Azure raises where the version is gone."""
    from azure.core import MatchConditions

    if not file.size:
        return b""
    blob = client.get_blob_client(file.container, file.name, snapshot=file.blob_snapshot)
    return blob.download_blob(
        offset=0,
        length=min(_FIRST_BYTES.get(compression, HEAD_BYTES), file.size),
        etag=file.etag,
        match_condition=MatchConditions.IfNotModified,
        decompress=False,
    ).readall()


def _start(data: bytes, file: SnapshotFile, compression: str) -> Start:
    if data and compression == "gzip":
        return _unpacked(data)
    if data and compression == "zstd":
        return _first_of_zstd(data, len(data) == file.size)
    return Start(data, file.size <= HEAD_BYTES)


def _unpacked(data: bytes) -> Start:
    """The beginning of the first piece of gzip that is not empty, and of those that follow it."""
    skip, text = 0, b""
    while True:
        gzip = zlib.decompressobj(wbits=31)
        try:
            text += gzip.decompress(data, HEAD_BYTES)
        except zlib.error:
            raise BadHead(say("it is not compressed with gzip")) from None
        if not text and not gzip.eof:
            raise BadHead(say("it is compressed with gzip, and cut off"))
        if len(text) >= HEAD_BYTES or not gzip.unused_data:
            return Start(text[:HEAD_BYTES], gzip.eof, skip)
        if not text:
            skip += len(data) - len(gzip.unused_data)
        data = gzip.unused_data


def _first_of_zstd(data: bytes, whole: bool) -> Start:
    unpack, text = Unzstd(), b""
    try:
        for piece in unpack.pieces(data):
            text += piece
            if len(text) > HEAD_BYTES:
                break
    except Damaged:
        raise BadHead(DAMAGED["zstd"]) from None
    if whole and not text and not unpack.ended:
        raise BadHead(DAMAGED["zstd"])
    return Start(text[:HEAD_BYTES], whole and unpack.ended and len(text) <= HEAD_BYTES)


def first_record(data: bytes, whole: bool, csv: CsvFormat) -> Record | None:
    """The first line, None where there is nothing; `whole` says that `data` is the whole content.

    Stricter than DuckDB, which takes quotation marks inside a header for the beginning of a cell. Raises BadHead.
    """
    text = data.decode(csv.encoding, "surrogateescape").removeprefix(_BYTE_ORDER_MARK)
    if not text:
        return None
    cells, position, cell = [], 0, _cell(csv)
    while found := cell.match(text, position):
        quoted, plain, end = found.groups()
        cells.append(plain if quoted is None else _unescaped(quoted, csv))
        position = found.end()
        if end != csv.delimiter:
            if not end and not whole:
                break
            if _UNDECODED.search("".join(cells)):
                raise BadHead(say("its first line is unreadable: %(why)s", why=WRONG_ENCODING))
            return Record(tuple(cells), end)
    raise BadHead(say("its first line is too long, or its quoting is malformed"))


def _unescaped(text: str, csv: CsvFormat) -> str:
    if not csv.escape:
        return text.replace(csv.quote * 2, csv.quote)
    return re.sub(f"{re.escape(csv.escape)}([{re.escape(csv.escape + csv.quote)}])", r"\1", text)


def _cell(csv: CsvFormat) -> re.Pattern[str]:
    """One cell and what ends it: groups are the quoted content, the plain content, the end."""
    quote, delimiter = re.escape(csv.quote), re.escape(csv.delimiter)
    escape = re.escape(csv.escape)
    inside = f"[^{quote}{escape}]|{escape}." if escape else f"[^{quote}]|{quote}{quote}"
    quoted = f"{quote}((?:{inside})*){quote}|" if quote else "(?!)()|"
    return re.compile(f"(?:{quoted}([^{quote}{delimiter}\r\n]*))({delimiter}|\r\n|\n|\r|\\Z)", re.DOTALL)
