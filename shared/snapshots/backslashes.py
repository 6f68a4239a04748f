"""Texts whose quotation marks are escaped with a backslash, made to look as RFC 4180 wants them, for watching. Pure."""

from __future__ import annotations

import re

_ESCAPED = rb'\\["\\]'


class Neutral:
    """Puts underscores where a quotation mark does not open or close a cell: behind a backslash, and, as Data Factory
    writes it, in the middle of a cell without quotation marks. The text keeps its length.
    """

    def __init__(self, delimiter: str) -> None:
        around = re.escape(delimiter.encode()) + rb'\r\n"'
        self._inner = re.compile(_ESCAPED + rb"|(?<=[^" + around + rb'\xbf])"(?=[^' + around + rb"])")
        self._before = b"\n"
        self._held = b""

    def of(self, text: bytes) -> bytes:
        """What can be said of the text so far; its last bytes wait for what follows."""
        text = self._held + text
        keep = len(text) - 1
        while keep > 0 and text[keep - 1 : keep] == b"\\":  # never between a backslash and what it escapes
            keep -= 1
        return self._neutral(text, max(keep, 0))

    def rest(self) -> bytes:
        """What still waits, at the end of the text."""
        return self._neutral(self._held, len(self._held))

    def _neutral(self, text: bytes, keep: int) -> bytes:
        seen = self._inner.sub(lambda found: b"_" * len(found[0]), self._before + text)
        self._held = text[keep:]
        ready = seen[len(self._before) : len(self._before) + keep]
        if keep:
            self._before = text[keep - 1 : keep]
        return ready
