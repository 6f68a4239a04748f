"""Blobs as files for DuckDB: streamed reads of pinned versions, and writes that show up whole or not at all.

DuckDB reaches a Python file system from several threads, and reads one open file from several threads at once
(each seeks, then reads); hence the position per thread.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]  # it ships no types

from shared.errors import ExportError
from shared.wording import say

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobServiceClient

BLOCK_BYTES = 4 << 20
"""Size of a staged block, and how far small consecutive reads are read ahead."""

_TAIL_BYTES = 64 << 10
"""What is fetched where the last bytes are asked for: Parquet says there where its footer begins, which is next."""
_MARK_BYTES = 8

_PINNED_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


class BlobChanged(ExportError):
    """The blob is not the version that was pinned, or is gone."""


class Watch(Protocol):
    """Sees what is fetched of one opened file, and raises where the file must not be used."""

    def feed(self, offset: int, data: bytes) -> None:
        """`data` is what lies at `offset`; ranges may overlap."""

    def finish(self) -> None:
        """There is no more, of a file whose length was not known."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The version of a blob that is read: its ETag and size in bytes, and the blob snapshot if it is one.

    `content` is all of it, where it was fetched before. With `skip` so many bytes at its beginning are left out, and
    `size` does not count them. `watch` makes one Watch per opened file. `through` makes something else of the blob's
    pieces, of unknown length, which is then read instead from its beginning to its end.
    """

    etag: str
    size: int
    blob_snapshot: str | None = None
    watch: Callable[[], Watch] | None = None
    skip: int = 0
    through: Callable[[Iterator[bytes]], Iterator[bytes]] | None = None
    content: bytes | None = None


class BlobFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """One storage account as `<protocol>://<container>/<blob>`; names are literal, never patterns.

    Errors of reads and writes are kept, each by its blob, since DuckDB hides them in the text of its own.
    """

    cachable = False  # an instance belongs to one connection

    def __init__(self, client: BlobServiceClient, protocol: str) -> None:
        super().__init__()
        self.protocol = protocol
        self._failures: dict[str, Exception] = {}
        self._client = client
        self._pins: dict[str, Pin] = {}
        self._staged: dict[str, list[BlobBlock]] | None = None
        self._block = BLOCK_BYTES

    @property
    def failure(self) -> Exception | None:
        """The first error of any blob."""
        return next(iter(tuple(self._failures.values())), None)

    def take_failure(self, container: str, name: str) -> Exception | None:
        """The first error of this blob, which whoever asks deals with: blobs are read beside each other."""
        return self._failures.pop(f"{container}/{name}", None)

    def url(self, container: str, name: str) -> str:
        return f"{self.protocol}://{container}/{name}"

    def pin(self, container: str, name: str, pin: Pin) -> None:
        """From now on only this version is read; a blob without a pin is pinned when it is first looked at."""
        self._pins[f"{container}/{name}"] = pin

    @contextmanager
    def writing(self, block: int = BLOCK_BYTES) -> Iterator[list[str]]:
        """Files written inside show up when the block ends well, each replacing what was there; else none does. The
        list has their names then. Each open file holds up to `block` bytes in memory.

        DuckDB closes a file in the same way whether its query worked or failed, so closing proves nothing.
        """
        self._staged, self._block = {}, block
        written: list[str] = []
        try:
            yield written
            for path, blocks in self._staged.items():
                self._blob(path).commit_block_list(blocks)
                self._pins.pop(path, None)
                written.append(path.partition("/")[2])
        finally:
            self._staged = None

    # What fsspec wants, under its own names.

    @staticmethod
    def _strip_protocol(path: str) -> str:
        return path.partition("://")[2] or path

    def glob(self, path: str, **_: object) -> list[str]:
        return [self._strip_protocol(path)]

    def info(self, path: str, **_: object) -> dict[str, Any]:
        path = self._strip_protocol(path)
        return {"name": path, "size": self._pinned(path).size, "type": "file"}

    def isfile(self, path: str) -> bool:
        path = self._strip_protocol(path)
        if self._staged is not None:  # else DuckDB writes beside what is there and renames, which blobs cannot do
            return path in self._staged
        return path in self._pins or bool(self._blob(path).exists())

    def isdir(self, path: str) -> bool:
        return False  # there are no folders in Blob Storage

    def ls(self, path: str, **_: object) -> list[str]:
        return []  # a partitioned write wants its folder empty

    def modified(self, path: str) -> datetime:
        return _PINNED_MOMENT  # the version is pinned, so it never changes under the reader

    def rm(self, path: str, **_: object) -> None:
        """DuckDB takes back what it wrote when its query fails; only that can be removed."""
        if self._staged is not None:
            self._staged.pop(self._strip_protocol(path), None)

    def _open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase:
        if mode == "rb":
            pin = self._pinned(path)
            if through := pin.through:
                return _Flowing(lambda: self._noted(path, through(self._pieces(path, pin))))
            watch = pin.watch() if pin.watch else None
            return _Reading(partial(self._fetch, path, pin, watch), pin.size)
        if self._staged is None or mode != "wb":
            raise ValueError("Files are written whole, inside writing().")
        blocks = self._staged[path] = []
        return _Writing(partial(self._stage, path, blocks), self._block)

    def _pinned(self, path: str) -> Pin:
        if path not in self._pins:
            with self._noting_failure(path):
                properties = self._blob(path).get_blob_properties()
            self._pins[path] = Pin(str(properties.etag), properties.size)
        return self._pins[path]

    def _fetch(self, path: str, pin: Pin, watch: Watch | None, start: int, length: int) -> bytes:
        with self._noting_failure(path):
            data = self._download(path, pin, start + pin.skip, length)
            if watch:
                watch.feed(start, data)
            return data

    def _download(self, path: str, pin: Pin, start: int, length: int) -> bytes:
        if pin.content is not None:
            return pin.content[start : start + length]
        return (
            self._blob(path, pin.blob_snapshot)
            .download_blob(
                offset=start,
                length=length,
                etag=pin.etag,
                match_condition=MatchConditions.IfNotModified,
                decompress=False,  # a Content-Encoding is no reason to change what lies at an offset
            )
            .readall()
        )

    def _pieces(self, path: str, pin: Pin) -> Iterator[bytes]:
        for start in range(0, pin.size, BLOCK_BYTES):
            yield self._fetch(path, pin, None, start, min(BLOCK_BYTES, pin.size - start))

    def _noted(self, path: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        with self._noting_failure(path):
            yield from pieces

    def _stage(self, path: str, blocks: list[BlobBlock], data: bytes) -> None:
        block = BlobBlock(block_id=uuid4().hex)
        with self._noting_failure(path):
            self._blob(path).stage_block(block.id, data)
        blocks.append(block)

    def _blob(self, path: str, blob_snapshot: str | None = None) -> BlobClient:
        container, _, name = path.partition("/")
        return self._client.get_blob_client(container, name, snapshot=blob_snapshot)

    @contextmanager
    def _noting_failure(self, path: str) -> Iterator[None]:
        try:
            yield
        except (ResourceModifiedError, ResourceNotFoundError):
            changed = BlobChanged(say("%(path)s was replaced or deleted while it was read.", path=path))
            raise self._failures.setdefault(path, changed) from None
        except Exception as error:
            self._failures.setdefault(path, error)
            raise


class _Reading(io.RawIOBase):
    """An open blob. A read after a seek fetches exactly its range; reads without one are read ahead."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._sought = threading.local()
        self._position = 0
        self._ahead = (0, b"")
        self._tail = (size, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        self._sought.position = self._position = base + offset
        return self._position

    def tell(self) -> int:
        return int(getattr(self._sought, "position", self._position))

    def read(self, size: int = -1) -> bytes:
        start: int | None = self._sought.__dict__.pop("position", None)
        begin = self._position if start is None else start
        end = self._size if size < 0 else min(begin + size, self._size)
        if begin >= end:
            return b""
        data = self._read_ahead(begin, end) if start is None else self._read_there(begin, end)
        self._position = end
        return data

    def _read_there(self, begin: int, end: int) -> bytes:
        if begin == self._size - _MARK_BYTES and not self._tail[1]:
            offset = max(self._size - _TAIL_BYTES, 0)
            self._tail = (offset, self._fetch(offset, self._size - offset))
        offset, tail = self._tail
        return tail[begin - offset : end - offset] if begin >= offset else self._fetch(begin, end - begin)

    def _read_ahead(self, begin: int, end: int) -> bytes:
        offset, data = self._ahead
        if not offset <= begin <= end <= offset + len(data):
            length = min(max(BLOCK_BYTES, end - begin), self._size - begin)
            offset, data = self._ahead = (begin, self._fetch(begin, length))
        return data[begin - offset : end - offset]


class _Flowing(io.RawIOBase):
    """What is made of a blob on the way, read in order; going back to the beginning makes it anew."""

    def __init__(self, begin: Callable[[], Iterator[bytes]]) -> None:
        self._begin = begin
        self._pieces = begin()
        self._ready = b""
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset not in (0, self._position):
            raise io.UnsupportedOperation("only from its beginning to its end")
        if offset != self._position:
            self._pieces, self._ready, self._position = self._begin(), b"", 0
        return offset

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._ready) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._ready += piece
        size = len(self._ready) if size < 0 else size
        data, self._ready = self._ready[:size], self._ready[size:]
        self._position += len(data)
        return data


class _Writing(io.RawIOBase):
    """A new blob, staged in blocks."""

    def __init__(self, stage: Callable[[bytes], None], block: int) -> None:
        self._stage = stage
        self._block = block
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        while len(self._buffer) >= self._block:
            self._stage(bytes(self._buffer[: self._block]))
            del self._buffer[: self._block]
        return len(data)

    def close(self) -> None:
        if not self.closed and self._buffer:
            self._stage(bytes(self._buffer))
            self._buffer.clear()
        super().close()
