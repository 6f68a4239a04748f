"""One batch of additions or changes: imported, where needed in parts, and some people a second time.

Facts: Campaign Monitor contract, sections 4, 5 and 8.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from shared.errors import OutcomeUnknown
from shared.vendors.answers import Answer
from shared.vendors.batches import Part, Reading, beside, cut_entries, halves
from shared.vendors.campaign_monitor import people, receipts
from shared.vendors.campaign_monitor.definition import MOBILE
from shared.vendors.campaign_monitor.people import Forms, Notes
from shared.vendors.contract import BatchResult, Receipt, Retry, Row
from shared.vendors.ready import ReadyBatch, entries, some
from shared.wording import say

AGAIN_SECONDS = 100.0
"""So long after its start no part of a batch is repeated for want of an answer: each may take minutes to fail."""

_LATER = receipts.rejected("not_sent", say("The import could not be repeated for this person."), Retry.NEXT_RUN)
_SECOND = frozenset({receipts.DELETED, receipts.BAD_MOBILE})
"""Codes of receipts that may get a second try."""

Post = Callable[[Sequence[bytes], bool], Answer]
"""(entries, resubscribe) -> the answer to their import."""
LookUp = Callable[[Sequence[Row]], Mapping[int, Receipt]]
"""Receipts of the rows whose people are left alone at this moment, by index."""


class Batch:
    """`ask` imports a part of the rows, which `batches.carry_out` calls as often as it takes.

    Two kinds of failure get a second try. A mobile number that is refused is left out. A person who was
    deleted from the list comes back if we deleted them ourselves (`Row.returning`) and they did not unsubscribe, bounce
    or get suppressed meanwhile. Only the import of these people is told to resubscribe.

    `entrants`: the rows are additions. `wary`: the list takes in suppressed people, so they are left out here.
    """

    def __init__(
        self, rows: Sequence[Row], forms: Forms, post: Post, look_up: LookUp, *, entrants: bool, wary: bool
    ) -> None:
        self.notes: Notes = {}
        self._rows = rows
        self._shape = forms.shape
        self._post = post
        self._look_up = look_up
        self._wary = wary and entrants
        self._may_return = _returning(rows) if entrants else frozenset()
        self._entries = [*entries(rows, partial(forms.entry, notes=self.notes))]
        self._returning: set[int] = set()
        self._unanswered: set[int] = set()
        self._without_number: set[int] = set()
        self._started = time.monotonic()

    def cut(self, most_rows: int, most_bytes: int) -> list[Part]:
        """The parts in which the rows are imported."""
        return cut_entries(self._entries, most_rows, most_bytes)

    def ask(self, part: Part) -> Reading:
        """Import these rows. Raises what a call raises."""
        if part[0] in self._unanswered and time.monotonic() - self._started > AGAIN_SECONDS:
            raise OutcomeUnknown(say("Campaign Monitor did not say what became of the import."))
        resubscribe = part[0] in self._returning
        wary = resubscribe or self._wary
        alone = self._look_up(some(self._rows, part)) if wary else {}
        return beside(alone, part, partial(self._send, resubscribe=resubscribe))

    def _send(self, part: Part, *, resubscribe: bool) -> Reading:
        try:
            answer = self._post(self._entries_of(part), resubscribe)
        except OutcomeUnknown:
            if len(part) == 1:
                raise
            # Too much at once, or one of them breaks the import for all: storing somebody twice is as once.
            self._unanswered.update(part)
            return Reading({}, halves(range(len(part))))
        reading = receipts.read(some(self._rows, part), answer)
        return reading if reading.again else self._second_tries(part, reading)

    def _entries_of(self, part: Part) -> Sequence[bytes]:
        return self._entries if part == range(len(self._entries)) else [self._entries[index] for index in part]

    def _second_tries(self, part: Part, reading: Reading) -> Reading:
        """The same, with those who get a second try asked for again."""
        if _SECOND.isdisjoint(receipt.code for receipt in reading.receipts.values()):
            return replace(reading, otherwise=_LATER)

        def failed(code: str) -> list[int]:
            return [place for place, receipt in reading.receipts.items() if receipt.code == code]

        may_return = self._may_return - self._returning
        deleted = [place for place in failed(receipts.DELETED) if part[place] in may_return]
        self._returning.update(part[place] for place in deleted)
        wrong_number = [place for place in failed(receipts.BAD_MOBILE) if self._without_mobile(part[place])]
        again = [group for group in (wrong_number, deleted) if group]
        waiting = {*wrong_number, *deleted}
        settled = {place: receipt for place, receipt in reading.receipts.items() if place not in waiting}
        return replace(reading, receipts=settled, again=again, otherwise=_LATER)

    def _without_mobile(self, index: int) -> bool:
        """Leave a person's mobile number out; False where there is none (any more)."""
        shorter = people.entry(self._rows[index], self._shape, self.notes, mobile=False)
        if shorter == self._entries[index]:
            return False
        self._entries[index] = shorter
        self._without_number.add(index)
        return True

    def receipts(self, result: BatchResult) -> dict[int, Receipt]:
        """Receipts other than the default, with the mobile numbers that were left out."""
        without = {index: result.others.get(index, result.default) for index in self._without_number}
        return {**result.others, **{index: replace(each, left_out=(MOBILE,)) for index, each in without.items()}}


def _returning(rows: Sequence[Row]) -> frozenset[int]:
    suspects = rows.odd.items() if isinstance(rows, ReadyBatch) else enumerate(rows)
    return frozenset(index for index, row in suspects if row.returning)
