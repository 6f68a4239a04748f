"""Unpacking gzip and Zstandard in pieces of bounded size, with their checksums looked at.

DuckDB reads both, but takes a file of Zstandard that is cut off for a short one.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Protocol

_PIECE = 1 << 20
_MOST_LOOKING_BACK = 25
"""2 to the power of it, in bytes: how far back Zstandard may refer, so that much is kept in memory. Its levels up to 20
need no more."""


class Damaged(Exception):
    """It is not what it says, or wants more memory than is given."""


class Unpack(Protocol):
    """One stream, fed piece by piece."""

    @property
    def ended(self) -> bool:
        """Whether what was fed so far is whole."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Raises Damaged."""


class Gunzip:
    """Unpacks gzip, and checks its checksums."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    @property
    def ended(self) -> bool:
        return self._member.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        try:
            while data:
                if self._member.eof:  # gzip files may follow one another in one file
                    self._member = zlib.decompressobj(wbits=31)
                yield self._member.decompress(data, _PIECE)
                data = self._member.unused_data or self._member.unconsumed_tail
        except zlib.error:
            raise Damaged from None


class Unzstd:
    """Unpacks Zstandard, and checks its checksums, where it has any."""

    def __init__(self) -> None:
        self._frame = _frame()

    @property
    def ended(self) -> bool:
        return bool(self._frame.eof)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        try:
            while data or not (self._frame.eof or self._frame.needs_input):
                if self._frame.eof:  # frames may follow one another
                    self._frame = _frame()
                yield self._frame.decompress(data, _PIECE)
                data = self._frame.unused_data
        except _zstd().ZstdError:
            raise Damaged from None


_UNPACKING: dict[str, Callable[[], Unpack]] = {"gzip": Gunzip, "zstd": Unzstd}


def unpacking(compression: str) -> Unpack | None:
    """What unpacks it; None where it is not compressed."""
    make = _UNPACKING.get(compression)
    return make() if make else None


@cache
def _zstd() -> Any:
    """Python's own from 3.14 on, and until then the same as a library; only loaded where there are such files."""
    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _frame() -> Any:
    zstd = _zstd()
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _MOST_LOOKING_BACK})
