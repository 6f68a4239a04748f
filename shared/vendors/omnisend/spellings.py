"""People who unsubscribed under another spelling of their address. Facts: Omnisend contract, sections 3 and 5.

Omnisend may tell addresses apart by capital letters. Then a consent that is sent for ann@example.com makes and
subscribes a second contact beside Ann@example.com, who unsubscribed. No request finds a contact in any spelling, so
those who unsubscribed are read, of whom the few with capitals are kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from shared.mailbox import normalised
from shared.vendors.contract import Outcome, Receipt, Row
from shared.vendors.omnisend.definition import CONSENT
from shared.vendors.omnisend.responses import ContactsPage
from shared.wording import say

MOST_PAGES = 400
"""A minute's requests; whoever has more people who unsubscribed sends no consent."""

LEFT_ALONE = Receipt(
    Outcome.SKIPPED,
    "unsubscribed",
    say(
        "The person unsubscribed in Omnisend under another spelling of the address (capital "
        "letters) and is left as they are."
    ),
)
TOO_MANY = say(
    "More people unsubscribed from this Omnisend brand than can be read, so nobody's date of "
    "consent was sent: one of them could be subscribed under another spelling of the address."
)

AskPage = Callable[[str | None], ContactsPage]
"""Cursor, None for the first page -> page."""


class OtherSpellings:
    """Reads everyone who unsubscribed once, as long as this object lives, and goes on where it was interrupted. Thread
    safe."""

    def __init__(self, ask: AskPage) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._people: set[str] = set()
        self._after: str | None = None
        self._pages = 0
        self._read = False

    def among(self, rows: Sequence[Row]) -> Mapping[int, Receipt] | None:
        """Receipts of the rows with a consent whose people are left alone, by index; None where too many unsubscribed
        to say. Raises what a call raises."""
        consenting = [index for index, row in enumerate(rows) if not row.returning and f'"{CONSENT}"' in row.values]
        if not consenting:
            return {}
        with self._lock:
            while not self._read and self._pages < MOST_PAGES:
                self._read_page()
            if not self._read:
                return None
            return {index: LEFT_ALONE for index in consenting if rows[index].address in self._people}

    def _read_page(self) -> None:
        page = self._ask(self._after)
        self._people |= {plain for each in page.addresses if (plain := normalised(each)) != each}
        self._pages += 1
        self._read = page.after is None or page.after == self._after
        self._after = page.after
