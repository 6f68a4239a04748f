"""Answers to facts and receipts; nothing here talks to anyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import Reading, refused
from shared.vendors.contract import CONFIRMED, Outcome, Receipt, Retry, Row
from shared.vendors.lists import Listed
from tests.contract.made_up_vendor.postcard.definition import DEFINITION

TOO_LARGE = Receipt(Outcome.REJECTED, "too_large", "Postcard finds this person too large.", Retry.WHEN_CHANGED)
REFUSED = {
    "barred": Receipt(Outcome.REJECTED, "barred", "Postcard has barred this address.", Retry.NEVER),
    "unsubscribed": Receipt(Outcome.SKIPPED, "unsubscribed", "The person unsubscribed in Postcard."),
}


def account(answer: Answer) -> str:
    found = answer.expect(DEFINITION.label, 200).object().get("account")
    if not isinstance(found, str):
        raise UnexpectedAnswer("Postcard's answer names no account.")
    return f"postcard-{found}"


def lists(answer: Answer) -> list[Listed]:
    return [_list(each) for each in _array(answer)]


def made(answer: Answer) -> Listed | None:
    """None where the name is taken."""
    if answer.status == 409:
        return None
    return _list(answer.expect(DEFINITION.label, 201).object())


def members(answer: Answer) -> list[str]:
    return [str(each) for each in _array(answer)]


def read(rows: Sequence[Row], answer: Answer) -> Reading:
    """Postcard names those whom it refuses, and counts the others."""
    if answer.status == 413:
        return refused(len(rows), TOO_LARGE)
    if answer.status == 404:
        raise UserMustAct("target_vanished", "The list does not exist in Postcard any more.")
    body = answer.expect(DEFINITION.label, 200).object()
    told, done = body.get("refused"), body.get("done")
    if not isinstance(told, list) or done != len(rows) - len(told):
        raise UnexpectedAnswer("Postcard's counts do not fit.")
    why = {str(each["email"]).lower(): REFUSED[each["why"]] for each in told}
    return Reading({index: why.get(row.address.lower(), CONFIRMED) for index, row in enumerate(rows)})


def _list(entry: Any) -> Listed:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), int):
        raise UnexpectedAnswer("Postcard's answer describes a list in an unknown way.")
    return Listed(str(entry["id"]), str(entry.get("name")))


def _array(answer: Answer) -> list[Any]:
    found = answer.expect(DEFINITION.label, 200).json()
    if not isinstance(found, list):
        raise UnexpectedAnswer("Postcard did not answer with a list.")
    return found
