"""Which people Iterable has, so that no change and no removal makes one anew. Iterable contract, sections 2, 5 and 9.

Somebody who was erased there, or has another address now, would come to life again under the old one. A few people are
looked up one by one; for more of them the members of the list are read, which is one request, and only those who are
not among them are looked up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from shared.mailbox import normalised
from shared.vendors.answers import Unreadable
from shared.vendors.contract import Count, Kind, Receipt, Row
from shared.vendors.iterable import receipts
from shared.vendors.iterable.definition import DEFINITION
from shared.wording import say

FEW = 20
"""People of a batch who are looked up one by one."""


class Presence:
    """`members` and `size` are of one list; it has no size where Iterable does not know it.
    Reads the members once, as long as this object lives. Thread safe."""

    def __init__(
        self, is_known: Callable[[str], bool], members: Callable[[], Iterable[str]], size: Callable[[], Count | None]
    ) -> None:
        self._is_known = is_known
        self._ask_members = members
        self._ask_size = size
        self._lock = threading.Lock()
        self._members: frozenset[str] | None = None

    def absent(self, kind: Kind, rows: Sequence[Row]) -> dict[int, Receipt]:
        """Receipts of the rows that are not sent, by index. A new profile may not show yet (section 10). An answer
        about one person that cannot be read leaves that person to the next run; where no answer can be read, the
        trouble is the vendor's. Raises Unreadable then, and what a call raises."""
        asked = [index for index, row in enumerate(rows) if normalised(row.address) not in self._listed(len(rows))]
        found: dict[int, Receipt] = {}
        unreadable: list[Unreadable] = []
        for index in asked:
            try:
                if not self._is_known(rows[index].address):
                    found[index] = _missing(kind, rows[index])
            except Unreadable as error:
                unreadable.append(error)
                found[index] = receipts.NOT_LOOKED_AT
        if unreadable and len(unreadable) == len(asked) > 1:
            raise unreadable[-1]
        return found

    def _listed(self, wanted: int) -> frozenset[str]:
        """The members of the list where that saves asking for so many people one by one."""
        with self._lock:
            if self._members is None and wanted <= FEW:
                return frozenset()
            if self._members is None:
                size = self._ask_size()
                few = size is not None and size.people <= DEFINITION.most_members
                self._members = frozenset(map(normalised, self._ask_members())) if few else frozenset()
            return self._members


def _missing(kind: Kind, row: Row) -> Receipt:
    if row.unsure_since is None:
        return receipts.RECEIPTS["notFound"][kind]
    return receipts.NOT_THERE_YET if _fresh(row.unsure_since) else receipts.NEVER_THERE


def _fresh(since: float) -> bool:
    return time.time() - since < DEFINITION.fresh_seconds


def told(found: Mapping[int, Receipt], kind: Kind) -> Sequence[str]:
    """What people should know about receipts of removals."""
    missing = kind is Kind.REMOVE and any(each.code == receipts.NOT_FOUND for each in found.values())
    return (NOT_FOUND_WORDS,) if missing else ()


NOT_FOUND_WORDS = say(
    "Some people who left the segment were not found in Iterable under their address. Whoever "
    "has another address there is still on the list: take them off by hand."
)
