"""Adds people whom the audience does not have, 500 a call; nobody who is in it is changed. Contract, section 4a.

Each row has an answer of its own. A value that its field does not take costs the value: the person is sent again
without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.vendors import batches
from shared.vendors.batches import Part, Reading
from shared.vendors.contract import CONFIRMED, BatchResult, Receipt, Row
from shared.vendors.mailchimp import errors, people, receipts, requests, responses
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.mailchimp.definition import MOST_BYTES, MOST_ROWS
from shared.vendors.mailchimp.people import MergeValues, Slot
from shared.vendors.mailchimp.responses import Imported


@dataclass(slots=True)
class Newcomers:
    """Rows of one batch. `without` are tags of merge fields that a row is sent without."""

    calls: MailchimpCalls
    audience_id: str
    status: str
    slots: Mapping[str, Slot]
    rows: Sequence[Row]
    without: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def add(self, indices: Sequence[int]) -> BatchResult:
        """Receipts by row; `receipts.EXISTS` of those who were there before. Raises RetryAfter and UserMustAct only
        when nobody was added."""
        sizes = [len(self._entry(index)) + 1 for index in indices]
        parts = [[indices[place] for place in part] for part in batches.cut(sizes, MOST_ROWS, MOST_BYTES)]
        return batches.carry_out(parts, self._ask, self.calls.wait)

    def written(self, index: int) -> MergeValues:
        return people.written(self.rows[index], self.slots, self.without.get(index, ()))

    def _entry(self, index: int) -> bytes:
        return requests.newcomer(people.address_of(self.rows[index]), self.status, self.written(index).fields)

    def _ask(self, part: Part) -> Reading:
        answer = self.calls.call(requests.import_people(self.audience_id, map(self._entry, part)))
        found = responses.imported(answer)
        if found is None:
            too_large = answer.status in (413, 414)
            blame = receipts.TOO_LARGE if too_large else receipts.refused(errors.words(answer))
            return batches.refused(len(part), blame)
        return self._read(part, found)

    def _read(self, part: Part, found: Imported) -> Reading:
        told: dict[int, Receipt] = {}
        again: list[int] = []
        otherwise = receipts.NOT_NAMED
        for place, index in enumerate(part):
            address = people.address_of(self.rows[index])
            refusal = found.refused.get(address)
            if refusal is not None and self._take_out(index, refusal.field):
                again.append(place)
                otherwise = receipts.not_added(refusal)
            elif refusal is not None:
                told[place] = receipts.not_added(refusal)
            elif address in found.added:
                told[place] = CONFIRMED.without(self.written(index).left_out)
            else:
                told[place] = receipts.NOT_NAMED
        return Reading(told, [again] if again else [], otherwise)

    def _take_out(self, index: int, tag: str) -> bool:
        """Whether the row can be sent without this field."""
        if not tag or tag not in self.written(index).fields:
            return False
        self.without[index] = (*self.without.get(index, ()), tag)
        return True
