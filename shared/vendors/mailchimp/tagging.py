"""Puts a tag on people of the audience, or takes it off, 500 a call. It makes nobody and changes no status.

Mailchimp passes over whoever is not in the audience, and does not list whoever was as wanted before: which of the two
it was is found by reading back. Facts: Mailchimp contract, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.errors import ExportError, LeaseLost
from shared.vendors import batches
from shared.vendors.batches import Part, Reading
from shared.vendors.contract import ACKNOWLEDGED, CONFIRMED, BatchResult, Kind, Receipt, Row, TargetFound
from shared.vendors.mailchimp import errors, people, receipts, requests, responses, targets
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.mailchimp.definition import MOST_BYTES, MOST_ROWS
from shared.vendors.mailchimp.responses import Tagged
from shared.vendors.presence import NOT_FOUND, Presence


@dataclass(slots=True)
class Tagging:
    """Rows of one batch. `known` are those of whom Mailchimp said a moment ago that it has them."""

    calls: MailchimpCalls
    target: TargetFound
    kind: Kind
    rows: Sequence[Row]
    presence: Presence
    known: frozenset[int] = frozenset()
    _name: str = field(default="", init=False)

    def carry_out(self, indices: Sequence[int]) -> BatchResult:
        """Raises RetryAfter and UserMustAct only when nobody was tagged or untagged."""
        sizes = [len(self.rows[index].address.encode()) + 3 for index in indices]
        parts = [[indices[place] for place in part] for part in batches.cut(sizes, MOST_ROWS, MOST_BYTES)]
        return batches.carry_out(parts, self._ask, self.calls.wait)

    def _ask(self, part: Part) -> Reading:
        audience_id, tag_id = targets.parts_of(self.target)
        addresses = [people.address_of(self.rows[index]) for index in part]
        answer = self.calls.call(requests.tagging(audience_id, tag_id, self.kind, addresses))
        found = responses.tagging(self.target.list_id, answer)
        if found is None:
            return batches.refused(len(part), receipts.refused(errors.words(answer)))
        try:
            return Reading(self._told(part, addresses, found))
        except LeaseLost:
            raise
        except ExportError:
            # The tags are as they are by now, so there is no way back: of the rest it stays unknown.
            done = {place: CONFIRMED for place, address in enumerate(addresses) if address in found.done}
            return Reading(dict.fromkeys(range(len(part)), receipts.NOT_NAMED) | done)

    def _told(self, part: Part, addresses: Sequence[str], found: Tagged) -> dict[int, Receipt]:
        told = dict.fromkeys(range(len(part)), ACKNOWLEDGED)
        doubtful: list[int] = []
        for place, address in enumerate(addresses):
            if address in found.done:
                told[place] = CONFIRMED
            elif address in found.refused:
                told[place] = self._refused(address, found.refused[address])
            elif part[place] not in self.known:
                doubtful.append(place)
        absent = self.presence.absent(self.kind, [self.rows[part[place]] for place in doubtful])
        return told | {doubtful[place]: self._absent(receipt) for place, receipt in absent.items()}

    def _refused(self, address: str, why: str) -> Receipt:
        """Mailchimp may refuse whoever is not subscribed: their status tells. A tag comes off them one by one."""
        audience_id, _ = targets.parts_of(self.target)
        member = people.place_of(address)
        if self.kind is Kind.REMOVE:
            self._name = self._name or targets.name_now(self.calls, self.target)
            answer = self.calls.call(requests.untag(audience_id, member, self._name))
            return ACKNOWLEDGED if answer.status in (200, 204, 404) else receipts.not_tagged(errors.words(answer))
        shown = self.calls.ask(requests.member(audience_id, member), responses.member)
        if shown is None:
            return receipts.NOT_IN_AUDIENCE
        return receipts.LEFT_ALONE.get(shown.status) or receipts.not_tagged(why)

    def _absent(self, receipt: Receipt) -> Receipt:
        is_refusal = self.kind is Kind.ADD and receipt.code == NOT_FOUND
        return receipts.NOT_IN_AUDIENCE if is_refusal else receipt
