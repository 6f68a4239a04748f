"""Answers to what they say; nothing here talks to anyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import Reading, refused
from shared.vendors.contract import CONFIRMED, Outcome, Receipt, Retry, Row, TargetFound

TOO_LARGE = Receipt(Outcome.REJECTED, "too_large", "Postcard finds this person too large.", Retry.WHEN_CHANGED)
REFUSED = {
    "barred": Receipt(Outcome.REJECTED, "barred", "Postcard has barred this address.", Retry.NEVER),
    "unsubscribed": Receipt(Outcome.SKIPPED, "unsubscribed", "The person unsubscribed in Postcard."),
}


def account(answer: Answer) -> str:
    found = _expected(answer).object().get("account")
    if not isinstance(found, str):
        raise UnexpectedAnswer("Postcard's answer names no account.")
    return f"postcard-{found}"


def lists(answer: Answer) -> list[TargetFound]:
    return [_list(each) for each in _array(answer)]


def made(answer: Answer) -> TargetFound:
    return _list(_expected(answer, 201).object())


def members(answer: Answer) -> list[str]:
    return [str(each) for each in _array(answer)]


def read(rows: Sequence[Row], answer: Answer) -> Reading:
    """Postcard names those whom it refuses, and counts the others."""
    if answer.status == 413:
        return refused(len(rows), TOO_LARGE)
    if answer.status == 404:
        raise UserMustAct("target_vanished", "The list does not exist in Postcard any more.")
    body = _expected(answer).object()
    told, done = body.get("refused"), body.get("done")
    if not isinstance(told, list) or done != len(rows) - len(told):
        raise UnexpectedAnswer("Postcard's counts do not fit.")
    why = {str(each["email"]).lower(): REFUSED[each["why"]] for each in told}
    return Reading({index: why.get(row.address.lower(), CONFIRMED) for index, row in enumerate(rows)})


def _list(entry: Any) -> TargetFound:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), int):
        raise UnexpectedAnswer("Postcard's answer describes a list in an unknown way.")
    return TargetFound(str(entry["id"]), str(entry.get("name")))


def _array(answer: Answer) -> list[Any]:
    found = _expected(answer).json()
    if not isinstance(found, list):
        raise UnexpectedAnswer("Postcard did not answer with a list.")
    return found


def _expected(answer: Answer, status: int = 200) -> Answer:
    if answer.status != status:
        raise UnexpectedAnswer(f"Postcard answered {answer.status} where {status} is expected.")
    return answer
