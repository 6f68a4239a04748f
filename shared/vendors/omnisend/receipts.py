"""Answers to receipts; nothing here talks to anyone. Facts: Omnisend contract, section 4.

Items of a batch come in any order and name their person only by repeating the request; what a response holds is not
published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import UNKNOWN, Reading, refused
from shared.vendors.contract import ACKNOWLEDGED, CONFIRMED, Outcome, Receipt, Retry
from shared.vendors.omnisend import errors
from shared.vendors.omnisend.definition import DEFINITION
from shared.vendors.omnisend.errors import Complaint, complaints
from shared.vendors.omnisend.responses import batch_state, expected, is_id
from shared.wording import say

STAGED = "staged"
"""Code of a receipt that is none yet: its `vendor_id` is the batch that the contact is in."""
NO_ANSWER = replace(UNKNOWN, code="no_answer", reason=say("Omnisend's batch ended without a word about this person."))
GONE = replace(UNKNOWN, code="batch_gone", reason=say("Omnisend no longer knows the batch that this person was in."))

_TEMPORARY = Receipt(
    Outcome.REJECTED,
    "temporary",
    say("Omnisend could not write this person: the next run tries again."),
    Retry.NEXT_RUN,
)
_CONFLICT = Receipt(
    Outcome.REJECTED,
    "conflict",
    say("The address belongs to another contact in Omnisend: merge the two there."),
    Retry.NEXT_RUN,
)
_NAMED = re.compile(r"(?:items|emails)[.\[](\d{1,4})\b")
_ABOUT_ADDRESS = re.compile(r"\bidentifiers?\b|\be-?mails?\b", re.IGNORECASE)
_TOO_LARGE = Receipt(
    Outcome.REJECTED, "too_large", say("Omnisend refuses this person's data as too large."), Retry.WHEN_CHANGED
)
_KNOWN: Mapping[int, Receipt] = {
    **dict.fromkeys((403, 408, 429), _TEMPORARY),
    409: _CONFLICT,
    413: _TOO_LARGE,
}


def created(rows: int, answer: Answer) -> Reading:
    """What became of a new batch with so many contacts: staged, or refused."""
    if answer.status < 400:
        batch_id = expected(answer, 201).get("batchID")
        if not is_id(batch_id):
            raise UnexpectedAnswer(say("Omnisend's answer about the new batch has no id."))
        return _all(rows, Receipt(Outcome.ACCEPTED, STAGED, vendor_id=batch_id))
    return _refused_whole(rows, answer)


def tagging(rows: int, answer: Answer) -> Reading:
    """What became of a tag for so many people. The answer is for the request: tags are put on and off later."""
    if answer.status == 202:
        return _all(rows, ACKNOWLEDGED)
    if answer.status < 400:
        answer.expect(DEFINITION.label, 202)
    return _refused_whole(rows, answer)


def _refused_whole(rows: int, answer: Answer) -> Reading:
    """A request refused as a whole: nothing of it was done."""
    errors.check_version(answer)
    if answer.status == 413:
        return refused(rows, _TOO_LARGE)
    found = errors.problem(answer)
    if any(each.field.startswith("tags") for each in found):
        raise UserMustAct(
            "target_refused",
            say("Omnisend refuses the tag: %(why)s Give the target another name.", why=errors.words(found)),
        )
    if answer.status not in (400, 422):
        reason = say("Omnisend refuses the request: %(why)s", why=errors.words(found))
        return _all(rows, Receipt(Outcome.REJECTED, "refused", reason, Retry.NEXT_RUN))
    named = {int(match[1]): [each] for each in found if (match := _NAMED.match(each.field))}
    receipts = {row: _invalid(about) for row, about in named.items() if row < rows}
    if receipts:
        rest = [row for row in range(rows) if row not in receipts]
        return Reading(receipts, [rest] if rest else [], _not_alone(_invalid(found)))
    return refused(rows, _invalid(found))


def _invalid(found: list[Complaint]) -> Receipt:
    """The receipt of a person whose data Omnisend does not accept."""
    if any(_ABOUT_ADDRESS.search(each.field or each.message) for each in found):
        reason = say("Omnisend does not accept the e-mail address: correct it where the segment comes from.")
        return Receipt(Outcome.REJECTED, "invalid_email", reason, Retry.WHEN_CHANGED)
    reason = say("Omnisend does not accept a value: %(why)s", why=errors.words(found))
    return Receipt(Outcome.REJECTED, "invalid_data", reason, Retry.WHEN_CHANGED)


def _not_alone(receipt: Receipt) -> Receipt:
    # Which row is to blame is not known, so none of them may be written off for good.
    reason = say("A request with this person in it was refused. %(why)s", why=receipt.reason)
    return Receipt(Outcome.REJECTED, receipt.code, reason, Retry.NEXT_RUN)


def _all(rows: int, receipt: Receipt) -> Reading:
    return Reading(dict.fromkeys(range(rows), receipt), otherwise=UNKNOWN)


def worth_repeating(receipt: Receipt) -> bool:
    """Nothing is wrong with the person: the same contact may go in another batch."""
    return receipt.outcome is Outcome.UNKNOWN or receipt.code == _TEMPORARY.code


def read(addresses: Sequence[str], body: Mapping[str, Any] | None) -> list[Receipt]:
    """A receipt for each of a batch's people, CONFIRMED where the contact is written.

    `body` is None where Omnisend does not know the batch. Raises UnexpectedAnswer.
    """
    if body is None:
        return [GONE] * len(addresses)
    places = {address.strip().casefold(): place for place, address in enumerate(addresses)}
    found: dict[int, Receipt] = {}
    # Errors last: a person who is among both went wrong.
    for kind in ("responses", "errors"):
        for item in _items(body, kind):
            place = places.get(_address(item))
            if place is not None:
                found[place] = _receipt(item, failed=kind == "errors")
    # Where nobody is confirmed by name the counts speak for those who are not named.
    counted = batch_state(body).complete(len(addresses), len(found)) and CONFIRMED not in found.values()
    silent = CONFIRMED if counted else NO_ANSWER
    return [found.get(place, silent) for place in range(len(addresses))]


def _receipt(item: Mapping[str, Any], *, failed: bool) -> Receipt:
    code, found = item.get("responseCode"), complaints(item.get("response"))
    if not isinstance(code, int) or code < 400:
        if failed:
            return _refused(found)
        return CONFIRMED if code in (200, 201) else NO_ANSWER
    if code in (400, 422) and found:
        return _invalid(found)
    return _TEMPORARY if code >= 500 else _KNOWN.get(code) or _refused(found)


def _refused(found: list[Complaint]) -> Receipt:
    reason = (
        say("Omnisend refuses this person: %(why)s", why=errors.words(found))
        if found
        else say("Omnisend refuses this person.")
    )
    return Receipt(Outcome.REJECTED, "refused", reason, Retry.NEXT_RUN)


def _items(body: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    entries = body.get(kind)
    if entries is None:
        return
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnexpectedAnswer(say("Omnisend's answer has %(kind)s in an unknown shape.", kind=kind))
    yield from entries


def _address(item: Mapping[str, Any]) -> str:
    """Whose item it is, "" when that is not said."""
    request, response = item.get("request"), item.get("response")
    if isinstance(request, dict):
        identifiers = request.get("identifiers")
        for each in identifiers if isinstance(identifiers, list) else ():
            if isinstance(each, dict) and each.get("type") == "email":
                return str(each.get("id", "")).strip().casefold()
    said = next((each["email"] for each in (request, response) if isinstance(each, dict) and "email" in each), "")
    return str(said).strip().casefold()
