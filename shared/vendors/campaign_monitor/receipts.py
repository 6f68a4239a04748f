"""Answers to receipts; nothing here talks to anyone. Contract, sections 4 and 5.

A partial success of an import comes with status 400 and code 210. Failures are named by address, and the counts must
fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.mailbox import normalised
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import UNKNOWN, Reading, halves, refused
from shared.vendors.campaign_monitor.definition import DEFINITION
from shared.vendors.campaign_monitor.errors import SOME_FAILED, TOO_MANY_ROWS, envelope, number, require_known_id
from shared.vendors.contract import ACKNOWLEDGED, CONFIRMED, Evidence, Outcome, Receipt, Retry, Row
from shared.vendors.ready import addresses
from shared.wording import Message, say

SUPPRESSED, UNSUBSCRIBED, BOUNCED = "suppressed", "unsubscribed", "bounced"
DELETED, BAD_MOBILE = "deleted", "bad_mobile"
"""Receipts by these codes may get a second try."""


def rejected(code: str, reason: str, retry: Retry) -> Receipt:
    return Receipt(Outcome.REJECTED, code, reason, retry)


LEFT_ALONE: Mapping[str, Receipt] = {
    code: Receipt(Outcome.SKIPPED, code, reason)
    for code, reason in (
        (
            SUPPRESSED,
            say("The person is on the client's suppression list in Campaign Monitor and is left as they are."),
        ),
        (UNSUBSCRIBED, say("The person unsubscribed in Campaign Monitor and stays so until they subscribe again.")),
        (BOUNCED, say("Mail to this address bounced, so Campaign Monitor keeps it aside: correct it at its source.")),
    )
}
"""People who are neither added, changed nor taken off: a removal would forget why they get no mail."""

_INVALID = rejected(
    "invalid_email",
    say("Campaign Monitor does not accept the e-mail address: correct it at its source."),
    Retry.WHEN_CHANGED,
)

HELD: Mapping[str, Receipt] = {
    code: replace(receipt, outcome=Outcome.REJECTED, retry=Retry.WHEN_CHANGED) for code, receipt in LEFT_ALONE.items()
}
"""The same of an import: told once, and not tried again while their values stay as they are."""

IMPORTED: Mapping[int, Receipt] = {
    1: _INVALID,
    204: HELD[SUPPRESSED],
    205: rejected(
        DELETED,
        say(
            "Somebody deleted this person from the list in Campaign Monitor and is not overruled: add "
            "them there by hand."
        ),
        Retry.NEXT_RUN,
    ),
    206: HELD[UNSUBSCRIBED],
    207: HELD[BOUNCED],
    208: Receipt(
        Outcome.SKIPPED, "unconfirmed", say("The person has yet to confirm that they want to be on the list.")
    ),
    220: rejected(
        BAD_MOBILE, say("Campaign Monitor does not accept the mobile number: correct it."), Retry.WHEN_CHANGED
    ),
    221: _INVALID,
}
"""Code of an imported row that failed -> its receipt."""

GONE = Receipt(
    Outcome.ACCEPTED, "not_on_list", say("The person was not on the list any more."), None, Evidence.CONFIRMED
)

REMOVED: Mapping[int, Receipt] = {1: _INVALID, 203: GONE}
"""Code of a removal that was refused -> its receipt."""

_TOO_LARGE = rejected("too_large", say("Campaign Monitor refuses the import as too large."), Retry.WHEN_CHANGED)
_MISCOUNTED = replace(UNKNOWN, reason=say("Campaign Monitor's counts leave open what became of this person."))
_SHORT = say("Campaign Monitor counted fewer people than it was sent: some of them may be missing on the list.")


def unknown(reason: str) -> Receipt:
    return Receipt(Outcome.UNKNOWN, "unknown", reason)


def receipt(table: Mapping[int, Receipt], code: int, message: str) -> Receipt:
    """What a code means for one person; `message` is the vendor's own, scrubbed."""
    words = say(
        "Campaign Monitor refuses this person: %(message)s (code %(code)s).", message=Message(message), code=str(code)
    )
    return table.get(code) or rejected("refused", words, Retry.NEXT_RUN)


def read(rows: Sequence[Row], answer: Answer) -> Reading:
    """What an import's answer says about its rows.

    Raises UnexpectedAnswer, and UserMustAct `unknown_id` when there is no such list.
    """
    if answer.status in (200, 201):
        return _counted(rows, answer.object())
    if answer.status == 413:
        return refused(len(rows), _TOO_LARGE)
    if answer.status < 400:
        answer.expect(DEFINITION.label, 201)
    require_known_id(answer)
    code, message = envelope(answer)
    if code == SOME_FAILED:
        result = answer.object().get("ResultData")
        return _counted(rows, result if isinstance(result, dict) else {}, failed=True)
    found = _TOO_LARGE if code == TOO_MANY_ROWS else receipt(IMPORTED, code, message)
    return refused(len(rows), found)


def removal(answer: Answer) -> Receipt | None:
    """A removal's receipt; None where Campaign Monitor has no such person, or no such list. Raises UnexpectedAnswer."""
    if answer.status == 200 and not answer.body.strip():
        return CONFIRMED
    if answer.status < 400:
        raise UnexpectedAnswer(
            say("Campaign Monitor answered %(status)s in an unknown way to a removal.", status=answer.status)
        )
    if answer.status == 404:
        return None
    require_known_id(answer)
    code, message = envelope(answer)
    return receipt(REMOVED, code, message)


def _counted(rows: Sequence[Row], result: Mapping[str, Any], *, failed: bool = False) -> Reading:
    """The receipts of the rows, and which of them to import again. `failed`: somebody did, it was said."""
    failures = _failures(result)
    stored = _count(result, "TotalExistingSubscribers") + _count(result, "TotalNewSubscribers")
    if max(stored + len(failures), _count(result, "TotalUniqueEmailsSubmitted")) > len(rows):
        raise UnexpectedAnswer(say("Campaign Monitor counted more people than were sent."))
    if len(rows) == 1 and (failures or failed):
        # Whatever the one row was called, it is the one that failed.
        return Reading({0: failures[0][1] if failures else _MISCOUNTED})
    receipts = _named(rows, failures)
    others = len(rows) - len(receipts)
    if others and (len(receipts) < len(failures) or (failed and not failures)):
        # Somebody failed who is none of the rows; importing the others again changes nothing.
        silent = [index for index in range(len(rows)) if index not in receipts]
        return Reading(receipts, halves(silent), _MISCOUNTED)
    twice = len(_duplicates(result))
    if stored + twice >= others:
        return Reading(receipts, rest=CONFIRMED)
    if not stored:
        return Reading(receipts, rest=_MISCOUNTED)
    return Reading(receipts, warnings=[_SHORT], rest=ACKNOWLEDGED)


def _failures(result: Mapping[str, Any]) -> list[tuple[str, Receipt]]:
    """(address, receipt) of those who failed."""
    found = result.get("FailureDetails", [])
    if not isinstance(found, list):
        raise UnexpectedAnswer(say("Campaign Monitor's answer names its failures in an unknown way."))
    return [_failure(each) for each in found]


def _failure(details: Any) -> tuple[str, Receipt]:
    if isinstance(details, dict):
        address, code = details.get("EmailAddress"), number(details.get("Code"))
        if code is not None and (address is None or isinstance(address, str)):
            message = excerpt(str(details.get("Message", ""))).rstrip(".")
            return address or "", receipt(IMPORTED, code, message)
    raise UnexpectedAnswer(say("Campaign Monitor's answer describes a failure in an unknown way."))


def _named(rows: Sequence[Row], failures: Sequence[tuple[str, Receipt]]) -> dict[int, Receipt]:
    """Receipts by row, whatever Campaign Monitor did to the case of an address and the spaces around it."""
    if not failures:
        return {}
    places = {normalised(address): index for index, address in enumerate(addresses(rows))}
    found = [(places.get(normalised(address)), receipt) for address, receipt in failures]
    return {index: receipt for index, receipt in found if index is not None}


def _duplicates(result: Mapping[str, Any]) -> list[Any]:
    found = result.get("DuplicateEmailsInSubmission") or []
    if not isinstance(found, list):
        raise UnexpectedAnswer(say("Campaign Monitor's answer names duplicates in an unknown way."))
    return found


def _count(result: Mapping[str, Any], key: str) -> int:
    value = result.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnexpectedAnswer(say("Campaign Monitor's answer has no %(key)s.", key=key))
    return value
