"""People who said no to a list, where a vendor tells them list by list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable

from shared.errors import UserMustAct
from shared.wording import say

AskRoll = Callable[[str], Iterable[Collection[str]]]
"""List -> of each person who said no to it, the names (addresses in small letters, ids) that the person is known by."""


class OptedOut:
    """Reads each list's roll once, as long as this object lives. Thread safe."""

    def __init__(self, label: str, most: int, ask: AskRoll) -> None:
        self._label = label
        self._most = most
        self._ask = ask
        self._lock = threading.Lock()
        self._names: dict[str, Collection[str]] = {}

    def of(self, list_id: str) -> Collection[str]:
        """All of their names. Raises UserMustAct for more than `most` people, and what a call raises."""
        with self._lock:
            if list_id not in self._names:
                self._names[list_id] = self._read(list_id)
            return self._names[list_id]

    def _read(self, list_id: str) -> Collection[str]:
        names = set[str]()
        for count, person in enumerate(self._ask(list_id), start=1):
            names.update(person)
            if count > self._most:
                raise UserMustAct(
                    "too_many_unsubscribed",
                    say(
                        "More than %(most)s people unsubscribed from this list in %(vendor)s: give the export a new "
                        "list.",
                        most=self._most,
                        vendor=self._label,
                    ),
                )
        return names
