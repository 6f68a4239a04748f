"""The version of each Delta table that was read last, kept while the process lives: a log's files never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary

from shared.snapshots.delta.state import DeltaTable

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

MOST_FILES = 50_000
"""Of all tables together; those that were not asked about for longest are forgotten."""


class Remembered:
    """Tables by where they lie, for one storage account."""

    _of: ClassVar[WeakKeyDictionary[BlobServiceClient, Remembered]] = WeakKeyDictionary()
    _making: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, DeltaTable]] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, client: BlobServiceClient) -> Remembered:
        with cls._making:
            return cls._of.setdefault(client, Remembered())

    def get(self, place: str, log: str, read: Callable[[], DeltaTable]) -> DeltaTable:
        """The table that lies at a place, as `read` says where these files of its log were not read before."""
        with self._lock:
            seen, table = self._known.get(place, ("", None))
            if table and seen == log:
                self._known.move_to_end(place)
                return table
        table = read()
        with self._lock:
            self._known[place] = (log, table)
            self._known.move_to_end(place)
            while sum(1 + len(each.files) for _, each in self._known.values()) > MOST_FILES:
                self._known.popitem(last=False)
        return table
