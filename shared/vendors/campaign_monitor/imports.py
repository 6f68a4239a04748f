"""Reading the answer to an import: who was stored, who was not and why. Contract, section 4.

A partial success comes with status 400 and code 210. Failures are named by address, and the counts must fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import UNKNOWN, Reading, halves, refused
from shared.vendors.campaign_monitor import codes
from shared.vendors.campaign_monitor.envelopes import envelope, require_known_id
from shared.vendors.contract import ACKNOWLEDGED, CONFIRMED, Receipt, Retry, Row

_TOO_LARGE = codes.rejected("too_large", "Campaign Monitor refuses the import as too large.", Retry.WHEN_CHANGED)
_MISCOUNTED = replace(UNKNOWN, reason="Campaign Monitor's counts leave open what became of this person.")
_SHORT = "Campaign Monitor counted fewer people than it was sent: some of them may be missing on the list."


def read(rows: Sequence[Row], answer: Answer) -> Reading:
    """What an import's answer says about its rows.

    Raises UnexpectedAnswer, and UserMustAct `unknown_id` when there is no such list.
    """
    if answer.status in (200, 201):
        return _counted(rows, answer.object())
    if answer.status == 413:
        return refused(len(rows), _TOO_LARGE)
    if answer.status < 400:
        raise UnexpectedAnswer(f"Campaign Monitor answered {answer.status} where 201 is expected.")
    require_known_id(answer)
    code, message = envelope(answer)
    if code == codes.SOME_FAILED:
        result = answer.object().get("ResultData")
        return _counted(rows, result if isinstance(result, dict) else {}, failed=True)
    receipt = _TOO_LARGE if code == codes.TOO_MANY_ROWS else codes.receipt(codes.IMPORTED, code, message)
    return refused(len(rows), receipt)


def _counted(rows: Sequence[Row], result: Mapping[str, Any], *, failed: bool = False) -> Reading:
    """The receipts of the rows, and which of them to import again. `failed`: somebody did, it was said."""
    failures = _failures(result)
    stored = _count(result, "TotalExistingSubscribers") + _count(result, "TotalNewSubscribers")
    if max(stored + len(failures), _count(result, "TotalUniqueEmailsSubmitted")) > len(rows):
        raise UnexpectedAnswer("Campaign Monitor counted more people than were sent.")
    if len(rows) == 1 and (failures or failed):
        # Whatever the one row was called, it is the one that failed.
        return Reading({0: failures[0][1] if failures else _MISCOUNTED})
    receipts = _named(rows, failures)
    silent = [index for index in range(len(rows)) if index not in receipts]
    if silent and (len(receipts) < len(failures) or (failed and not failures)):
        # Somebody failed who is none of the rows; importing the others again changes nothing.
        return Reading(receipts, halves(silent), _MISCOUNTED)
    twice = len(_duplicates(result))
    if stored + twice >= len(silent):
        return Reading(receipts | dict.fromkeys(silent, CONFIRMED))
    if not stored:
        return Reading(receipts | dict.fromkeys(silent, _MISCOUNTED))
    return Reading(receipts | dict.fromkeys(silent, ACKNOWLEDGED), warnings=[_SHORT])


def _failures(result: Mapping[str, Any]) -> list[tuple[str, Receipt]]:
    """(address, receipt) of those who failed."""
    found = result.get("FailureDetails", [])
    if not isinstance(found, list):
        raise UnexpectedAnswer("Campaign Monitor's answer names its failures in an unknown way.")
    return [_failure(each) for each in found]


def _failure(details: Any) -> tuple[str, Receipt]:
    if isinstance(details, dict):
        address, code = details.get("EmailAddress"), codes.number(details.get("Code"))
        if code is not None and (address is None or isinstance(address, str)):
            message = excerpt(str(details.get("Message", ""))).rstrip(".")
            return address or "", codes.receipt(codes.IMPORTED, code, message)
    raise UnexpectedAnswer("Campaign Monitor's answer describes a failure in an unknown way.")


def _named(rows: Sequence[Row], failures: Sequence[tuple[str, Receipt]]) -> dict[int, Receipt]:
    """Receipts by row, whatever Campaign Monitor did to the case of an address and the spaces around it."""
    if not failures:
        return {}
    places = {row.address.strip().lower(): index for index, row in enumerate(rows)}
    found = [(places.get(address.strip().lower()), receipt) for address, receipt in failures]
    return {index: receipt for index, receipt in found if index is not None}


def _duplicates(result: Mapping[str, Any]) -> list[Any]:
    found = result.get("DuplicateEmailsInSubmission") or []
    if not isinstance(found, list):
        raise UnexpectedAnswer("Campaign Monitor's answer names duplicates in an unknown way.")
    return found


def _count(result: Mapping[str, Any], key: str) -> int:
    value = result.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnexpectedAnswer(f"Campaign Monitor's answer has no {key}.")
    return value
