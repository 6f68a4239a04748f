"""Unpacking gzip in pieces of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_PIECE = 1 << 20


class Gunzip:
    """Unpacks gzip, and checks its checksums."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    @property
    def ended(self) -> bool:
        return self._member.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Raises zlib.error where the data is damaged."""
        while data:
            if self._member.eof:  # gzip files may follow one another in one file
                self._member = zlib.decompressobj(wbits=31)
            yield self._member.decompress(data, _PIECE)
            data = self._member.unused_data or self._member.unconsumed_tail
