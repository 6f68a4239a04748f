"""Which segment a name meant when it was last looked for, so that everything need not be listed again for it."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

KEPT_FOR = timedelta(minutes=10)


class Names:
    """Name, where it was looked for -> id of the segment, empty where none or several had the name. For one storage
    account, while the process lives."""

    _of: ClassVar[WeakKeyDictionary[BlobServiceClient, Names]] = WeakKeyDictionary()
    _making: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[str, datetime]] = {}

    @classmethod
    def of(cls, client: BlobServiceClient) -> Names:
        with cls._making:
            return cls._of.setdefault(client, Names())

    def get(self, key: Hashable, now: datetime) -> str | None:
        """None where it was not looked for lately."""
        found, at = self._known.get(key, ("", datetime.min.replace(tzinfo=now.tzinfo)))
        return found if abs(now - at) < KEPT_FOR else None

    def keep(self, key: Hashable, found: str, now: datetime) -> None:
        self._known[key] = (found, now)
