"""What the items of one batch say about its people. Pure. Facts: Omnisend contract, section 4.

Items come in any order and name their person only by repeating the request; what a response holds is not published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.vendors.answers import UnexpectedAnswer
from shared.vendors.batches import UNKNOWN
from shared.vendors.contract import CONFIRMED, Outcome, Receipt, Retry
from shared.vendors.omnisend.problems import Complaint, complaints, words
from shared.vendors.omnisend.responses import TOO_LARGE, batch_state, invalid

NO_ANSWER = replace(UNKNOWN, code="no_answer", reason="Omnisend's batch ended without a word about this person.")
GONE = replace(UNKNOWN, code="batch_gone", reason="Omnisend no longer knows the batch that this person was in.")

_TEMPORARY = Receipt(
    Outcome.REJECTED, "temporary", "Omnisend could not write this person: the next run tries again.", Retry.NEXT_RUN
)
_CONFLICT = Receipt(
    Outcome.REJECTED,
    "conflict",
    "The address belongs to another contact in Omnisend: merge the two there.",
    Retry.NEXT_RUN,
)
_KNOWN: Mapping[int, Receipt] = {
    **dict.fromkeys((403, 408, 429), _TEMPORARY),
    409: _CONFLICT,
    413: TOO_LARGE,
}


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
        return invalid(found)
    return _TEMPORARY if code >= 500 else _KNOWN.get(code) or _refused(found)


def _refused(found: list[Complaint]) -> Receipt:
    reason = f"Omnisend refuses this person: {words(found)}" if found else "Omnisend refuses this person."
    return Receipt(Outcome.REJECTED, "refused", reason, Retry.NEXT_RUN)


def _items(body: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    entries = body.get(kind)
    if entries is None:
        return
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnexpectedAnswer(f"Omnisend's answer has {kind} in an unknown shape.")
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
