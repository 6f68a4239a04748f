"""Why a snapshot cannot be read, in words that hold nothing of what it holds.

DuckDB quotes the bad line in its messages, and that line is a person; only numbers and known file names are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from shared.errors import ExportError, RetryAfter, UserMustAct
from shared.wording import Message, say

CHANGED_RETRY_SECONDS = 60.0

DAMAGED_GZIP = say("its gzip compression is damaged")
DAMAGED = {
    "gzip": DAMAGED_GZIP,
    "zstd": say(
        "its Zstandard compression is damaged or cut off, or needs more than 32 MB of memory (write it without --ultra "
        "and --long)"
    ),
}
"""By compression."""
ODD_QUOTES = say("it has an odd number of quotation marks, so a quoted cell is never closed")
STRAY_QUOTE = say(
    "a quotation mark inside a cell is not doubled, or the cell is not in quotation marks, or begins with a blank "
    "before its quotation mark"
)
BACKSLASH = say(
    "a quotation mark inside a cell is not doubled but has a backslash before it, as Spark and Data Factory write by "
    "default; declare the backslash for this segment, or let them write with a quotation mark as escape character"
)
WRONG_ENCODING = say(
    "its text is not in the declared encoding, which is UTF-8 where nothing is declared; what is not UTF-8 is mostly "
    "windows-1252 (western Europe) or windows-1250 (central Europe): declare it for this segment, or write UTF-8"
)
LAST_LINE = say("its last line is malformed, or not in the declared encoding")
TOO_LONG = say("a line is longer than can be read")
NOT_PARQUET = say("it is not readable as Parquet")
TOO_LARGE = say("looking into it takes more memory than there is for that")

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CELLS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_ORIGINAL_LINE = re.compile(r"Original Line: .*(?=\nPossible |\n\nPossible )", re.DOTALL)
_STATEMENT = re.compile(r"\n\nLINE \d+: .*\Z", re.DOTALL)
_REASONS = (
    (re.compile(r"unterminated quote"), say("a quoted cell does not end where it should")),
    (re.compile(r"Invalid unicode|not utf-8 encoded|not latin-1"), WRONG_ENCODING),
    (re.compile(r"Maximum line size"), TOO_LONG),
    (re.compile(r"state machine reached an invalid state"), say("its quoting or its line ends are mixed up")),
    (re.compile(r"GZIP|gzip|zlib"), DAMAGED_GZIP),
    (re.compile(r"Parquet|magic bytes|Footer|decompress|Thrift|bytes returned"), NOT_PARQUET),
)
_SQL_MISTAKES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


def wrong_cells(found: int, expected: int) -> Message:
    return say("a line has %(found)s cells where %(expected)s are expected", found=found, expected=expected)


class SnapshotUnreadable(UserMustAct):
    """A file of the snapshot is not what it should be. `line` counts from 1, the header included."""

    def __init__(self, file: str, reason: Message, line: int | None = None) -> None:
        where = say("%(file)s, line %(line)s", file=file, line=line) if line else file
        super().__init__(
            "snapshot_unreadable",
            say("The segment's file %(where)s cannot be read: %(reason)s.", where=where, reason=reason),
        )
        self.file = file
        self.line = line
        self.reason = reason


class SnapshotChanged(RetryAfter):
    """A file was replaced or deleted since the snapshot was pinned: find the newest one and read that."""

    def __init__(self) -> None:
        super().__init__(CHANGED_RETRY_SECONDS, say("The segment's files were replaced while they were read."))


class QueryFailed(ExportError):
    """DuckDB gave up for a reason that is not in the files, such as memory. Its message is withheld."""


def translate(error: duckdb.Error, urls: Iterable[str]) -> Exception:
    """DuckDB's error -> one of ours; `urls` are the files that may be meant. Mistakes in SQL stay as they are."""
    if isinstance(error, _SQL_MISTAKES):
        return error
    text = _STATEMENT.sub("", str(error))
    file = _file(text, urls)
    line = _LINE.search(text)
    if not file:
        return QueryFailed(f"DuckDB gave up: {type(error).__name__}")
    return SnapshotUnreadable(file, _reason(text), int(line[1]) if line else None)


def _file(text: str, urls: Iterable[str]) -> str:
    """The file that is named last, without its protocol: what DuckDB says of itself follows what it quotes."""
    named = [(text.rfind(url), len(url), url) for url in urls if url in text]
    return max(named)[2].partition("://")[2] if named else ""


def _reason(text: str) -> Message:
    text = _ORIGINAL_LINE.sub(_own_words, text)
    if cells := _CELLS.search(text):
        return wrong_cells(int(cells[2]), int(cells[1]))
    return next((reason for sign, reason in _REASONS if sign.search(text)), say("its content is malformed"))


def _own_words(quoted: re.Match[str]) -> str:
    """The last line before the advice is DuckDB's; everything above is the file's."""
    lines = [line for line in quoted[0].split("\n") if line and not line.startswith("Possible ")]
    return lines[-1]
