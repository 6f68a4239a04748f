"""Who unsubscribed from a list, so that nobody is put back on it, now or by leaving and coming back.

An import keeps the subscription to the account as it is. What it does to a person who unsubscribed from one list is
not documented (contract, section 4), and taking somebody off a list may erase that they unsubscribed from it. So
neither is done to them.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from shared.errors import UserMustAct
from shared.vendors.contract import Row
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.calls import Calls
from shared.vendors.dotdigital.definition import MOST_V2_PAGE

MOST = 100_000
"""People; more would not be read within the rate of the smallest package in one go, and have no place on a list."""


class Unsubscribed:
    """Reads each list once, as long as this object lives. Thread safe."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._people: dict[str, Collection[str]] = {}

    def of(self, list_id: str) -> Collection[str]:
        """Addresses in lower case, and contact ids. Raises UserMustAct and what a call raises."""
        with self._lock:
            if list_id not in self._people:
                self._people[list_id] = self._read(list_id)
            return self._people[list_id]

    def _read(self, list_id: str) -> Collection[str]:
        people = set[str]()
        for skip in range(0, MOST, MOST_V2_PAGE):
            page, entries = self._calls.ask_page(requests.unsubscribed(list_id, skip), responses.unsubscribed)
            people |= page
            if entries < MOST_V2_PAGE:
                return people
        raise UserMustAct(
            "too_many_unsubscribed",
            f"More than {MOST:,} people unsubscribed from this list in Dotdigital: give the export a new list.",
        )


def is_in(people: Collection[str], row: Row) -> bool:
    return row.address.strip().lower() in people or (row.vendor_id or "") in people
