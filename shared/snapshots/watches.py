"""What DuckDB 2.0 does not notice while it reads a CSV file, and what would cost people their place on a list.

Without `parallel` it drops in silence what follows a quoted cell that is never closed, a last line that is longer than
its buffers, and, where the last two buffers meet in it, a last line with too few or too many cells. It does not compare
gzip's checksums either. So whatever is fetched is looked at here too.
"""

from __future__ import annotations

import re
from dataclasses import replace

from shared.snapshots.backslashes import Neutral
from shared.snapshots.heads import BadHead, first_record
from shared.snapshots.snapshot import CsvFormat, SnapshotFile
from shared.snapshots.unpacking import Damaged, Gunzip
from shared.snapshots.unreadable import (
    BACKSLASH,
    DAMAGED_GZIP,
    LAST_LINE,
    ODD_QUOTES,
    STRAY_QUOTE,
    TOO_LONG,
    SnapshotUnreadable,
    wrong_cells,
)
from shared.wording import Message


class CsvWatch:
    """Looks at a file once from beginning to end, whatever the order and overlap of the ranges that are fetched.

    Raises SnapshotUnreadable where it is damaged gzip, where a quotation mark stands where RFC 4180 has none, and at
    the end where a quoted cell is not closed or the last line is longer than `most` bytes or has not so many `cells`.
    """

    def __init__(self, file: SnapshotFile, csv: CsvFormat, cells: int, most: int) -> None:
        self._file = file
        self._csv = replace(csv, escape="")
        self._cells = cells
        self._most = most
        self._unpack = Gunzip() if csv.compression == "gzip" else None
        self._quote = csv.quote.encode()
        self._quoted = _quoted(csv) if csv.quote else None
        self._neutral = Neutral(csv.delimiter) if csv.escape else None
        self._tail = b"\n"  # what is not looked through yet, and one byte before
        self._waiting: dict[int, bytes] = {}
        self._next = 0
        self._odd = False
        self._line = b""  # what follows the last line end outside of quotation marks

    def feed(self, offset: int, data: bytes) -> None:
        skipped = max(self._next - offset, 0)
        self._waiting[offset + skipped] = data[skipped:]
        while fresh := self._waiting.pop(self._next, None):
            self._next += len(fresh)
            self._look(fresh)
        if self._next == self._file.size:
            self.finish()

    def _look(self, data: bytes) -> None:
        if self._unpack is None:
            self._look_through(data)
            return
        try:
            for piece in self._unpack.pieces(data):
                self._look_through(piece)
        except Damaged:
            raise self._unreadable(DAMAGED_GZIP) from None

    def finish(self) -> None:
        """Look at the end; called by itself where the file is as long as was said."""
        if self._neutral:
            self._look_at(self._neutral.rest())
        if self._unpack and not self._unpack.ended:
            raise self._unreadable(DAMAGED_GZIP)
        self._quoting(b"\n")
        if self._odd:
            raise self._unreadable(ODD_QUOTES)
        if len(self._line) > self._most:
            raise self._unreadable(TOO_LONG)
        try:
            last = first_record(self._line, True, self._csv)
        except BadHead:
            raise self._unreadable(LAST_LINE) from None
        if last and len(last.cells) != self._cells and last.cells[self._cells :] != ("",):  # DuckDB lets it pass, too
            raise self._unreadable(wrong_cells(len(last.cells), self._cells))

    def _look_through(self, text: bytes) -> None:
        self._look_at(self._neutral.of(text) if self._neutral else text)

    def _look_at(self, text: bytes) -> None:
        self._quoting(text)
        self._lines(text)

    def _quoting(self, text: bytes) -> None:
        """Go on from what is left of the text before: at most one quotation mark that waits for its partner."""
        text = self._tail + text
        whole = self._quoted.match(text, 1) if self._quoted else None
        first = text.find(self._quote, whole.end()) if whole else -1
        if first < 0:
            self._tail = text[-1:]
            return
        if 0 <= text.find(self._quote, first + 1) < len(text) - 1:  # behind the last one anything may still come
            raise self._unreadable(BACKSLASH if b"\\" + self._quote in text[first:] else STRAY_QUOTE)
        self._tail = text[first - 1 :]
        if len(self._tail) > self._most:
            raise self._unreadable(TOO_LONG)

    def _lines(self, text: bytes) -> None:
        self._odd ^= self._is_odd(text)
        odd, end = self._odd, len(text)
        while (start := max(text.rfind(b"\n", 0, end), text.rfind(b"\r", 0, end))) >= 0:
            odd ^= self._is_odd(text[start:end])
            if not odd:
                self._line = text[start + 1 :]
                return
            end = start
        self._line = (self._line + text)[: self._most + 1]

    def _is_odd(self, text: bytes) -> bool:
        return bool(self._quote) and text.count(self._quote) % 2 == 1

    def _unreadable(self, reason: Message) -> SnapshotUnreadable:
        return SnapshotUnreadable(self._file.path, reason)


def _quoted(csv: CsvFormat) -> re.Pattern[bytes]:
    """Text with whole quoted cells, by RFC 4180; one with a doubled quotation mark inside looks like two.

    The mark that opens one follows a delimiter, a line end, or `\\xbf`, the last of a byte order mark.
    """
    quote = re.escape(csv.quote)
    around = f"{re.escape(csv.delimiter)}\r\n{quote}"
    return re.compile(f"(?:[^{quote}]*(?<=[{around}\\xbf]){quote}[^{quote}]*{quote}(?=[{around}]))*+".encode())
