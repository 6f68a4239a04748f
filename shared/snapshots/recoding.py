"""Texts that DuckDB does not read well, in another encoding or in Zstandard, turned into UTF-8 in gzip while they are
read."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from shared.cloud.blob_files import Watch
from shared.snapshots.snapshot import CsvFormat, SnapshotFile
from shared.snapshots.unpacking import Damaged, unpacking
from shared.snapshots.unreadable import DAMAGED, WRONG_ENCODING, SnapshotUnreadable

BY_DUCKDB = frozenset({"utf-8", "latin-1"})


def is_recoded(csv: CsvFormat) -> bool:
    """Whether DuckDB needs help with the encoding, or with how it is compressed."""
    return csv.encoding not in BY_DUCKDB or csv.compression == "zstd"


def as_read(csv: CsvFormat) -> CsvFormat:
    """The format that DuckDB meets."""
    return replace(csv, encoding="utf-8", compression="gzip") if is_recoded(csv) else csv


def recoded(pieces: Iterable[bytes], file: SnapshotFile, csv: CsvFormat, watch: Watch) -> Iterator[bytes]:
    """The text as UTF-8 within gzip that is not compressed: a gzip stream needs no length beforehand.

    Raises SnapshotUnreadable, also what `watch` raises, which sees the text as UTF-8.
    """
    packing = zlib.compressobj(level=0, wbits=31)
    decoder: codecs.IncrementalDecoder | None = None
    place = 0
    try:
        for piece in _plain(pieces, csv):
            decoder = decoder or _decoder(csv, piece)
            text = decoder.decode(piece).encode()
            watch.feed(place, text)
            place += len(text)
            yield packing.compress(text)
        if decoder:
            decoder.decode(b"", final=True)
    except Damaged:
        raise SnapshotUnreadable(file.path, DAMAGED[csv.compression]) from None
    except UnicodeError:
        raise SnapshotUnreadable(file.path, WRONG_ENCODING) from None
    watch.finish()
    yield packing.flush()


def _plain(pieces: Iterable[bytes], csv: CsvFormat) -> Iterator[bytes]:
    unpack = unpacking(csv.compression)
    if unpack is None:
        yield from pieces
        return
    for piece in pieces:
        yield from unpack.pieces(piece)
    if not unpack.ended:
        raise Damaged


def start_of(text: bytes, csv: CsvFormat) -> bytes:
    """The beginning of a text as UTF-8, without a character that is cut off. Raises UnicodeError."""
    return _decoder(csv, text).decode(text).encode()


def _decoder(csv: CsvFormat, start: bytes) -> codecs.IncrementalDecoder:
    """UTF-16 without a byte order mark is little-endian, as Windows writes it."""
    is_bare = csv.encoding == "utf-16" and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return codecs.getincrementaldecoder("utf-16-le" if is_bare else csv.encoding)()
