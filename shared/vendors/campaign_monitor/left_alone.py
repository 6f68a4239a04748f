"""People whom no removal and no re-entry may touch: they unsubscribed, bounced or are suppressed. Contract, section 6.

Campaign Monitor keeps them in rolls, which are long: each is read page by page and kept as hashes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.errors import RetryAfter
from shared.vendors.campaign_monitor import receipts
from shared.vendors.campaign_monitor.definition import MOST_ROWS
from shared.vendors.campaign_monitor.responses import Page
from shared.vendors.contract import Receipt, Row
from shared.vendors.hashes import Hashes
from shared.vendors.opt_outs import day_before
from shared.vendors.ready import addresses
from shared.wording import say

MOST_PASSES = 20
"""Times that a roll is read again for the sake of those who moved in it."""
LATER = 60.0

AskPage = Callable[[int], Page]
"""Page number, from 1 -> page."""


def pages(ask: AskPage) -> Iterator[Page]:
    """All pages of a roll, some of them twice: when the roll shrinks, people move to pages that were read before, so
    the reader goes back. Raises RetryAfter and what `ask` raises."""
    number, total = 1, 0
    while True:
        page = ask(number)
        if page.past_end:
            if number == 1:
                raise RetryAfter(LATER, say("Campaign Monitor has no first page of a list."))
            number -= 1
            continue
        moved, total = total - page.total, page.total
        shrank = moved > 0 and number > 1
        yield replace(page, shrank=shrank)
        if shrank:
            number = max(1, number - -(-moved // MOST_ROWS))
        elif number < page.pages:
            number += 1
        else:
            return


@dataclass(slots=True)
class _Pass:
    """What reading a roll once came to: the newest date, that of its first page, pages, whether the last of them is in
    order, the roll's length as that one tells it, and whether anybody is new; of a second reading also everybody with
    their dates."""

    newest: str
    front: str = ""
    entries: set[tuple[str, str]] = field(default_factory=set)
    pages: int = 0
    ordered: bool = field(init=False)
    total: int = field(init=False)
    new: bool = False


class Roll:
    """One roll, read in full at first and later down to the day before the last entry seen. Thread safe.

    Nobody is ever struck off: a person who leaves the roll meanwhile is left alone until the slice ends.
    """

    def __init__(self, ask: AskPage) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._people = Hashes()
        self._newest = ""
        """The newest date of a roll in order: who comes later has a later one."""
        self._missing = 0
        """So many more the roll counted than it named when it was read to its end."""

    def __contains__(self, address: str) -> bool:
        with self._lock:
            return address in self._people

    def refresh(self) -> None:
        """Read what is new. Raises what a call raises; then what was read so far counts, but not as complete."""
        with self._lock:
            since = day_before(self._newest)
            read = self._until_still(since)
            if since and read.total - len(self._people) > self._missing:
                # The new ones did not come first after all.
                since, read = "", self._until_still("")
            if not since:
                self._missing = max(0, read.total - len(self._people))
            self._newest = read.newest if read.ordered else ""

    def _until_still(self, since: str) -> _Pass:
        """Read down to this day, or to the end; then its front again, down to where it began, until one page shows all
        of that, or the same as the time before. Who left the roll and came back meanwhile is at its front now, where
        the reader had been before, maybe behind people who are known and did the same. A roll in no order is read again
        until all of it has nobody new. Raises RetryAfter where that does not come to an end."""
        read = self._pass(lambda page, _: bool(since) and page.all_before(since))
        still = not read.new
        for _ in range(MOST_PASSES):
            if read.pages == 1 or still:
                return read
            before, read = read, self._again(read)
            still = read.entries == before.entries if read.entries else not read.new
        raise RetryAfter(LATER, say("A list of Campaign Monitor's changed all the time while it was read."))

    def _again(self, last: _Pass) -> _Pass:
        """Read down to where the last reading began, and keep that; without dates, to a page with nobody new."""
        if last.ordered and last.front:
            return self._pass(lambda page, _: page.all_before(last.front), keeps=True)
        return self._pass(lambda page, new: page.newest_first and not new)

    def _pass(self, ends: Callable[[Page, int], bool], *, keeps: bool = False) -> _Pass:
        """Read page by page to the end, or to where a page with so many new people ends it."""
        read = _Pass(newest=self._newest)
        for page in pages(self._ask):
            before = len(self._people)
            read.front = read.front or max((moment for _, moment in page.people), default="")
            if keeps:
                read.entries.update(page.people)
            for address, moment in page.people:
                self._people.add(address)
                read.newest = max(read.newest, moment)
            new = len(self._people) - before
            read.pages, read.new = read.pages + 1, read.new or new > 0
            read.total, read.ordered = page.total, page.newest_first
            if ends(page, new) and not page.shrank:
                break
        return read


class LeftAlone:
    """The rolls of people who are left alone, by the reason; lists may share a roll."""

    def __init__(self, rolls: Mapping[str, Roll]) -> None:
        self._rolls = rolls

    def refresh(self) -> None:
        for roll in self._rolls.values():
            roll.refresh()

    def among(self, rows: Sequence[Row]) -> dict[int, Receipt]:
        """Receipts of those rows that are left alone, by index."""
        return {
            index: receipts.LEFT_ALONE[code]
            for index, address in enumerate(addresses(rows))
            if (code := next((code for code, roll in self._rolls.items() if address in roll), None))
        }
