"""People who unsubscribed from a list are left alone: adding them may resubscribe them (which is not documented), and
taking them off may erase that they unsubscribed. Facts: Dotdigital contract, sections 4 to 7.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from shared.errors import UserMustAct
from shared.mailbox import normalised
from shared.vendors import rolls
from shared.vendors.contract import Row
from shared.vendors.dotdigital.definition import DEFINITION, MOST_V2_PAGE
from shared.vendors.dotdigital.responses import Opposed
from shared.wording import say

MOST_UNSUBSCRIBED = 100_000
"""People; more would not be read within the rate of the smallest package in one go, and have no place on a list."""

AskPage = Callable[[str, int], Sequence[Opposed]]
"""List and how many to skip -> people who unsubscribed from it."""


class Unsubscribed:
    """People who unsubscribed from a list. Reads each list once, as long as this object lives. Thread safe."""

    def __init__(self, ask: AskPage) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._people: dict[str, Collection[str]] = {}

    def among(self, list_id: str, rows: Sequence[Row]) -> set[int]:
        """Indexes of the rows whose person unsubscribed, by the address or by the contact's id. Raises UserMustAct and
        what a call raises."""
        people = self._of(list_id)
        return {index for index, row in enumerate(rows) if normalised(row.address) in people or row.vendor_id in people}

    def _of(self, list_id: str) -> Collection[str]:
        with self._lock:
            if list_id not in self._people:
                self._people[list_id] = self._read(list_id)
            return self._people[list_id]

    def _read(self, list_id: str) -> Collection[str]:
        """Addresses in lower case, and contact ids. People leave this roll while it is read, by subscribing again:
        nobody else is missed for that."""
        people = set[str]()
        found = rolls.every(DEFINITION.label, lambda skip: self._ask(list_id, skip), MOST_V2_PAGE)
        for count, each in enumerate(found, start=1):
            people |= each.names
            if count > MOST_UNSUBSCRIBED:
                raise UserMustAct(
                    "too_many_unsubscribed",
                    say(
                        "More than %(most)s people unsubscribed from this list in Dotdigital: give "
                        "the export a new list.",
                        most=MOST_UNSUBSCRIBED,
                    ),
                )
        return people
