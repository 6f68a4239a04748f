"""How the texts of a segment are written, as far as people declare it, and in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from shared.snapshots.snapshot import CsvFormat, DeltaFormat, Format
from shared.wording import NOTHING, Message, Value, say

WIDE = "utf-16"
"""With a byte order mark, or little-endian without one."""
ENCODINGS = (
    *("utf-8", WIDE, "iso-8859-1", "iso-8859-2", "iso-8859-15"),
    *("windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1257"),
)
_BY_DUCKDB = {"utf-8": "utf-8", "iso-8859-1": "latin-1"}
"""What DuckDB reads itself, and what it calls it; the others are turned into UTF-8 on the way to it."""
_DELIMITERS = {",": say("commas"), ";": say("semicolons"), "\t": say("tabs"), "|": say("vertical bars")}

DELIMITER, QUOTE, HEADER, ENCODING, COMPRESSION = "delimiter", "quote", "header", "encoding", "compression"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What people declare of a segment's texts. Empty means: the header, the file's name or RFC 4180 says it."""

    delimiter: str = ""
    quote: str | None = None
    """"" where cells are never quoted."""
    escape: str = ""
    """A backslash, where that is what stands before a quotation mark inside a cell, and not a second one."""
    nulls: tuple[str, ...] = ()
    """Texts that stand for no value."""
    columns: tuple[str, ...] = ()
    """Of files without a header."""
    encoding: str = ""
    compression: str = ""

    def over(self, kind: CsvFormat, said: frozenset[str] = frozenset()) -> CsvFormat:
        """The format with what is declared here, but for what the files' own description `said`."""
        own: dict[str, Any] = {
            DELIMITER: self.delimiter or ("," if self.columns else None),
            QUOTE: self.quote,
            HEADER: False if self.columns else None,
            ENCODING: _BY_DUCKDB.get(self.encoding, self.encoding) or None,
            COMPRESSION: self.compression or None,
        }
        changes = {name: value for name, value in own.items() if value is not None and name not in said}
        return replace(kind, escape=self.escape or kind.escape, nulls=self.nulls or kind.nulls, **changes)


@dataclass(frozen=True, slots=True)
class UnreadableDialect(Dialect):
    """Something is declared, and nobody can tell what, so the segment is not read. `why` is for people."""

    why: Message = NOTHING


PLAIN = Dialect()


def in_words(kind: Format) -> Message:
    """`CSV with a header, separated by semicolons, UTF-8, gzip`: what has to be the same for cells to mean the same."""
    if isinstance(kind, DeltaFormat):
        return say("a Delta table")
    if not isinstance(kind, CsvFormat):
        return say("Parquet")
    words = say("CSV with a header") if kind.header else say("CSV without a header")
    for each in _particulars(kind):
        words = say("%(words)s, %(more)s", words=words, more=each)
    return words


def read_as(kind: Format) -> Message:
    """The same, with what changes from state to state: of a Delta table, the version."""
    if isinstance(kind, DeltaFormat):
        return say("%(words)s, version %(version)s", words=in_words(kind), version=str(kind.version))
    return in_words(kind)


def _particulars(kind: CsvFormat) -> Iterator[Value]:
    yield say("separated by %(signs)s", signs=_DELIMITERS.get(kind.delimiter, repr(kind.delimiter)))
    if not kind.quote:
        yield say("never quoted")
    elif kind.quote != '"':
        yield say("quoted with %(sign)s", sign=kind.quote)
    if kind.escape:
        yield say("a backslash before quotation marks")
    yield "ISO-8859-1" if kind.encoding == "latin-1" else kind.encoding.upper()
    if kind.compression != "none":
        yield kind.compression
    if kind.nulls:
        yield say("empty is also %(texts)s", texts=", ".join(kind.nulls))
