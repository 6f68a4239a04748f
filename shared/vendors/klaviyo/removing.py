"""Takes people off a list: by their ids, a thousand at a time. Facts: Klaviyo contract, section 5.

Nothing here touches what anybody agreed to: the call takes people off this list, and does nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.mailbox import normalised
from shared.vendors import batches, presence
from shared.vendors.answers import Answer
from shared.vendors.batches import Part, Reading
from shared.vendors.contract import ACKNOWLEDGED, BatchResult, Kind, Receipt, Row
from shared.vendors.klaviyo import errors, people, receipts, requests, responses
from shared.vendors.klaviyo.client import KlaviyoCalls
from shared.vendors.klaviyo.definition import DEFINITION, MOST_IDS


@dataclass(slots=True)
class Removal:
    """One batch. `ids` are those that go out, by row; those of the ledger may be old, since people are merged."""

    calls: KlaviyoCalls
    list_id: str
    rows: Sequence[Row]
    ids: dict[int, str] = field(default_factory=dict)
    alone: dict[int, Receipt] = field(default_factory=dict)

    def carry_out(self) -> BatchResult:
        """Raises RetryAfter and UserMustAct only when nothing was done."""
        self.ids = {index: row.vendor_id for index, row in enumerate(self.rows) if row.vendor_id}
        self._look_up([index for index in range(len(self.rows)) if index not in self.ids])
        wanted = sorted(self.ids)
        parts = [wanted[place : place + MOST_IDS] for place in range(0, len(wanted), MOST_IDS)]
        result = batches.carry_out(parts, self._take_off, self.calls.wait)
        others = {**result.others, **self.alone}
        told = presence.told(DEFINITION.label, Kind.REMOVE, others.values())
        return replace(result, others=others, warnings=(*result.warnings, *told))

    def _take_off(self, part: Part) -> Reading:
        ids = list(dict.fromkeys(self.ids[index] for index in part))
        answer = self.calls.call(requests.remove(self.list_id, ids))
        if responses.removed(answer, self.list_id):
            return Reading(dict.fromkeys(range(len(part)), ACKNOWLEDGED))
        unknown = {*errors.unknown_ids(answer)}
        if unknown.isdisjoint(ids):
            return self._halved(part, answer)
        return self._without(part, unknown, answer)

    def _halved(self, part: Part, answer: Answer) -> Reading:
        """Somebody is meant who is not named. Whoever is refused alone may be off the list already."""
        if len(part) == 1 and not self._is_member(part[0]):
            return Reading({0: ACKNOWLEDGED})
        return batches.refused(len(part), receipts.refused(errors.words(answer)))

    def _is_member(self, index: int) -> bool:
        """Whether the list shows this person, under this address or another one."""
        known = people.among(self.calls, [self.ids[index]], lambda group: requests.profiles("id", group)).profiles()
        addresses = [each.email for each in known if each.email]
        on_list = people.among(
            self.calls, addresses, lambda group: requests.members_named(self.list_id, group)
        ).profiles()
        return self.ids[index] in {each.id for each in on_list}

    def _without(self, part: Part, unknown: set[str], answer: Answer) -> Reading:
        """One id that Klaviyo does not know, and nobody is taken off. Whoever is meant may have another id by now."""
        asked = {place: self.ids[index] for place, index in enumerate(part) if self.ids[index] in unknown}
        self._look_up([part[place] for place in asked])
        found: dict[int, Receipt] = {}
        for place, before in asked.items():
            index = part[place]
            if index in self.alone:
                found[place] = self.alone[index]
            elif self.ids[index] == before:  # Klaviyo has this person, and not on the list
                found[place] = ACKNOWLEDGED
        rest = [place for place in range(len(part)) if place not in found]
        return Reading(found, [rest] if rest else [], receipts.refused(errors.words(answer)))

    def _look_up(self, indices: Sequence[int]) -> None:
        """Ids of these people by their addresses; receipts of those whom Klaviyo does not have."""
        addresses = {index: normalised(self.rows[index].address) for index in indices}
        found = people.among(self.calls, addresses.values(), lambda group: requests.profiles("email", group))
        known = found.by_address()
        for index, address in addresses.items():
            if address in known:
                self.ids[index] = known[address].id
            elif address in found.unasked:
                self.alone[index] = presence.not_looked_at(DEFINITION.label)
            else:
                self.alone[index] = receipts.missing(Kind.REMOVE, self.rows[index])
