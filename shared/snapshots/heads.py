"""The first line of a CSV file, read from a few KB."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.snapshots.snapshot import CsvFormat, SnapshotFile

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

HEAD_BYTES = 64 << 10

_BYTE_ORDER_MARK = "\ufeff"
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says about itself: its columns in order; for Parquet their types.

    For CSV whether there is a line to skip, and what ends that first line (empty where it is the only one).
    """

    columns: tuple[str, ...]
    header: bool = False
    line_end: str = ""
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of a line, and what ends it."""

    cells: tuple[str, ...]
    line_end: str


class BadHead(ValueError):
    """The first line is not what it should be; the text says why, for people, and quotes nothing."""


def csv_head(client: BlobServiceClient, file: SnapshotFile, csv: CsvFormat, columns: tuple[str, ...]) -> Head | None:
    """The head of a file, None where it is empty; `columns` are what a file without a header has.

    A header that was not declared is seen by being equal to the columns: no person looks like that.
    Raises BadHead, and what Azure raises where the version is gone.
    """
    record = first_record(*_first_bytes(client, file, csv.compression), csv)
    if record is None:
        return None
    if not csv.header:
        return Head(columns, record.cells == columns, record.line_end)
    if any("@" in name for name in record.cells):
        raise BadHead("it has no header: its first line holds an address")
    return Head(record.cells, True, record.line_end)


def _first_bytes(client: BlobServiceClient, file: SnapshotFile, compression: str) -> tuple[bytes, bool]:
    """Up to HEAD_BYTES of the content, and whether that is all of it."""
    from azure.core import MatchConditions

    if not file.size:
        return b"", True
    blob = client.get_blob_client(file.container, file.name, snapshot=file.blob_snapshot)
    data = blob.download_blob(
        offset=0,
        length=min(HEAD_BYTES, file.size),
        etag=file.etag,
        match_condition=MatchConditions.IfNotModified,
        decompress=False,
    ).readall()
    if compression != "gzip":
        return data, file.size <= HEAD_BYTES
    gzip = zlib.decompressobj(wbits=31)
    try:
        text = gzip.decompress(data, HEAD_BYTES)
    except zlib.error:
        raise BadHead("it is not compressed with gzip") from None
    if not text and not gzip.eof:
        raise BadHead("it is compressed with gzip, and cut off")
    return text, gzip.eof


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
        cells.append(plain if quoted is None else quoted.replace(csv.quote * 2, csv.quote))
        position = found.end()
        if end != csv.delimiter:
            if not end and not whole:
                break
            if _UNDECODED.search("".join(cells)):
                raise BadHead("its first line is not in the declared encoding")
            return Record(tuple(cells), end)
    raise BadHead("its first line is too long, or its quoting is malformed")


def _cell(csv: CsvFormat) -> re.Pattern[str]:
    """One cell and what ends it: groups are the quoted content, the plain content, the end."""
    quote, delimiter = re.escape(csv.quote), re.escape(csv.delimiter)
    quoted = f"{quote}((?:[^{quote}]|{quote}{quote})*){quote}|" if quote else "(?!)()|"
    return re.compile(f"(?:{quoted}([^{quote}{delimiter}\r\n]*))({delimiter}|\r\n|\n|\r|\\Z)")
