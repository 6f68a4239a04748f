"""Which people a vendor has, so that no change and no removal makes one anew, and so that leavers who are not found are
told of.

Somebody who was erased there, or has another address now, would come to life again under the old one. A few people are
asked for one by one. For more of them the target's own people are read where that takes less time
(`looking_up.reading`), and only those who are not among them are asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from shared.mailbox import normalised
from shared.vendors import looking_up
from shared.vendors.answers import Unreadable
from shared.vendors.contract import PROFILE_MISSING, Definition, Evidence, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.hashes import Hashes
from shared.vendors.limits import Limiter
from shared.vendors.looking_up import FEW, ListReading, reading
from shared.wording import say

SHOWN_SECONDS = 600.0
"""For so long whoever was shown counts as there: about as long as people who were read once in a slice do."""
NOT_FOUND = "not_found"
NOT_LOOKED_AT = "not_looked_at"

Pages = Callable[[float], Iterator[Iterable[str]]]
"""Longest seconds of an answer with everyone -> the people on the target, page by page; nothing where they cannot be
had."""


class Presence:
    """People of one target. `same` makes one text of the spellings that the vendor takes for one person. Keeps what it
    read as long as it lives. Thread safe.

    `wanted`: so many may be asked about, all batches together, so that how much of the list is read is decided once; 0:
    nobody knows. `people`: so many the target has by its ledger."""

    def __init__(
        self,
        definition: Definition,
        is_known: Callable[[str], bool],
        pages: Pages,
        limiter: Limiter,
        *,
        same: Callable[[str], str] = normalised,
        wanted: int = 0,
        people: int | None = None,
    ) -> None:
        assert definition.looks is not None, "the definition says how people are looked up"
        self._definition = definition
        self._looks = definition.looks
        self._is_known = is_known
        self._pages = pages
        self._limiter = limiter
        self._expected = wanted
        self._people = people
        self._left: int | None = None
        """Pages that may still be read, once that is decided for all batches together."""
        self._until = 0.0
        self._unread: Iterator[Iterable[str]] | None = None
        self._whole = False
        self._lock = threading.Lock()
        self._known = Hashes(same)
        self._pool: ThreadPoolExecutor | None = None

    def absent(self, kind: Kind, rows: Sequence[Row]) -> dict[int, Receipt]:
        """Receipts of the rows that are not to be sent, by index. Somebody new may not show yet. An answer about one
        person that cannot be read leaves that person to the next run; where no answer can be read, the trouble is the
        vendor's. Raises Unreadable then, and what a call raises."""
        unsure = [index for index, row in enumerate(rows) if not _was_shown(row)]
        self._read(len(unsure))
        with self._lock:
            asked = [index for index in unsure if rows[index].address not in self._known]
        found: dict[int, Receipt] = {}
        unreadable: list[Unreadable] = []
        for index, known in zip(asked, self._looked_up([rows[index].address for index in asked]), strict=True):
            if isinstance(known, Unreadable):
                unreadable.append(known)
                found[index] = not_looked_at(self._definition.label)
            elif not known:
                found[index] = self._missing(kind, rows[index])
        if unreadable and len(unreadable) == len(asked) > 1:
            raise unreadable[-1]
        with self._lock:
            for index in asked:
                if index not in found:
                    self._known.add(rows[index].address)
        return found

    def is_cheap(self, wanted: int) -> bool:
        """Are so many people found without asking for nearly each of them? Raises what a call raises."""
        self._read(wanted)
        return wanted <= FEW or self._whole

    def _read(self, wanted: int) -> None:
        """Go on reading the target's people where that takes less time than asking for so many one by one."""
        with self._lock:
            allowed = self._allowed(wanted) if wanted and not self._whole else ListReading()
            for _ in range(allowed.pages):
                page = self._next_page(allowed.seconds)
                if page is None:
                    self._whole = True
                    return
                self._known.update(page)
                if time.monotonic() > self._until:
                    return

    def _allowed(self, wanted: int) -> ListReading:
        """What may be read now: all that all batches are worth, or what this one is worth, of what is left."""
        limiter, seconds = self._limiter.seconds_for, self._definition.request_seconds
        worth = reading(self._looks, limiter, max(self._expected, wanted), self._people, seconds)
        left = worth.pages if self._left is None and self._expected else self._left
        if left is None:
            left = int(looking_up.LONGEST / looking_up.ANSWER_SECONDS)
        now = min(worth.pages, left)
        self._left = left - now
        self._until = self._until or time.monotonic() + looking_up.LONGEST
        return ListReading(now, worth.seconds)

    def _next_page(self, seconds: float) -> Iterable[str] | None:
        self._unread = self._unread or self._pages(seconds)
        try:
            return next(self._unread, None)
        except BaseException:
            self._unread = None  # an iterator that raised has nothing more to give
            raise

    def _looked_up(self, addresses: Sequence[str]) -> list[bool | Unreadable]:
        if self._looks.lanes == 1 or len(addresses) < 2:
            return [self._look_up(address) for address in addresses]
        with self._lock:
            self._pool = self._pool or ThreadPoolExecutor(self._looks.lanes, thread_name_prefix="presence")
        return list(self._pool.map(self._look_up, addresses))

    def _look_up(self, address: str) -> bool | Unreadable:
        try:
            return self._is_known(address)
        except Unreadable as error:
            return error

    def _missing(self, kind: Kind, row: Row) -> Receipt:
        label = self._definition.label
        if row.unsure_since is None:
            return missing(label)[kind]
        fresh = time.time() - row.unsure_since < self._definition.fresh_seconds
        return not_there_yet(label) if fresh else never_there(label)


def _was_shown(row: Row) -> bool:
    """Whether the vendor showed the person a moment ago, so that nobody is asked again."""
    return row.shown_at is not None and 0 <= time.time() - row.shown_at < SHOWN_SECONDS


def missing(label: str) -> Mapping[Kind, Receipt]:
    """Receipts of people whom the vendor does not have, by operation."""
    return {
        Kind.ADD: Receipt(
            Outcome.SKIPPED,
            NOT_FOUND,
            say("%(vendor)s does not know this person and did not add them.", vendor=label),
        ),
        Kind.CHANGE: Receipt(
            Outcome.REJECTED,
            PROFILE_MISSING,
            say(
                "%(vendor)s has nobody under this address any more, so nothing was changed: deleted there, or known "
                "by another address. The next run adds the person again.",
                vendor=label,
            ),
            Retry.NEXT_RUN,
        ),
        Kind.REMOVE: Receipt(
            Outcome.ACCEPTED,
            NOT_FOUND,
            say("%(vendor)s has nobody under this address: deleted there, or known by another address.", vendor=label),
            evidence=Evidence.CONFIRMED,
        ),
    }


def never_there(label: str) -> Receipt:
    """Of a removal of somebody whom the vendor does not have, so that no request was made."""
    reason = say("%(vendor)s does not have this person, so there was nothing to take off.", vendor=label)
    return Receipt(Outcome.ACCEPTED, "never_there", reason, evidence=Evidence.CONFIRMED)


def not_there_yet(label: str) -> Receipt:
    reason = say(
        "%(vendor)s does not have this person, but may still be adding them: the next run looks again.", vendor=label
    )
    return Receipt(Outcome.SKIPPED, "not_there_yet", reason)


def not_looked_at(label: str) -> Receipt:
    reason = say(
        "What %(vendor)s answered about this person could not be read, so they are left as they are: the next run "
        "looks again.",
        vendor=label,
    )
    return Receipt(Outcome.SKIPPED, NOT_LOOKED_AT, reason)


def told(label: str, kind: Kind, found: Iterable[Receipt]) -> Sequence[str]:
    """What people should know about leavers who were not found."""
    if kind is not Kind.REMOVE or all(each.code != NOT_FOUND for each in found):
        return ()
    return (not_found_words(label),)


def not_found_words(label: str) -> str:
    return say(
        "Some people who left the segment were not found in %(vendor)s under their address. Whoever has another "
        "address there was not taken off: do that by hand.",
        vendor=label,
    )
