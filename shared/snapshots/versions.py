"""What was seen in files, kept while the process lives: a version of a blob never changes, so nobody looks twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

from shared.snapshots.snapshot import SnapshotFile

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

MOST = 4_000
"""Segments that are remembered; those that were not asked about for longest are forgotten."""

_Seen = TypeVar("_Seen")


class Versions:
    """Results by the versions of the files that they are of, for one storage account."""

    _of: ClassVar[WeakKeyDictionary[BlobServiceClient, Versions]] = WeakKeyDictionary()
    _making: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, client: BlobServiceClient) -> Versions:
        with cls._making:
            return cls._of.setdefault(client, Versions())

    def get(self, key: Hashable, look: Callable[[], _Seen]) -> _Seen:
        """What was seen under this key, or what `look` sees now. What it raises is not remembered."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                found: _Seen = self._known[key]
                return found
        seen = look()
        with self._lock:
            self._known[key] = seen
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return seen


def versions(files: Iterable[SnapshotFile]) -> str:
    """One word for these versions of these files."""
    made = hashlib.sha256()
    for file in files:
        made.update(f"{file.path}\n{file.etag}\n{file.blob_snapshot or ''}\n".encode())
    return made.hexdigest()
