"""People who unsubscribed from a list are left alone: adding them may resubscribe them (which is not documented), and
taking them off may erase that they unsubscribed. Facts: Dotdigital contract, sections 4 to 7.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from shared.mailbox import normalised
from shared.vendors import rolls
from shared.vendors.contract import Row
from shared.vendors.dotdigital.definition import DEFINITION, MOST_V2_PAGE
from shared.vendors.dotdigital.responses import Opposed
from shared.vendors.opted_out import OptedOut

MOST_UNSUBSCRIBED = 100_000
"""People; more would not be read within the rate of the smallest package in one go, and have no place on a list."""

AskPage = Callable[[str, int], Sequence[Opposed]]
"""List and how many to skip -> people who unsubscribed from it."""


class Unsubscribed:
    """People who unsubscribed from a list, by addresses in lower case and by contact ids. Thread safe."""

    def __init__(self, ask: AskPage) -> None:
        self._ask = ask
        self._opted_out = OptedOut(DEFINITION.label, MOST_UNSUBSCRIBED, self._roll)

    def among(self, list_id: str, rows: Sequence[Row]) -> set[int]:
        """Indexes of the rows whose person unsubscribed, by the address or by the contact's id. Raises UserMustAct and
        what a call raises."""
        names = self._opted_out.of(list_id)
        return {index for index, row in enumerate(rows) if normalised(row.address) in names or row.vendor_id in names}

    def _roll(self, list_id: str) -> Iterator[Collection[str]]:
        """People leave this roll while it is read, by subscribing again: nobody else is missed for that."""
        for each in rolls.every(DEFINITION.label, lambda skip: self._ask(list_id, skip), MOST_V2_PAGE):
            yield each.names
