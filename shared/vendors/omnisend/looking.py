"""The answer about one contact; nothing here talks to anyone. Facts: Omnisend contract, sections 3 and 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from shared.mailbox import normalised
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.comparing import seen_as
from shared.vendors.contract import Row, Seen
from shared.vendors.omnisend import requests
from shared.wording import say

_OUR_OWN = frozenset({"identifiers", "consent", "customProperties", "country"})
"""Parts of an entry that are no fields; and the country's name, which Omnisend makes of its code."""
_NO_DATE = "0000-00-00T00:00:00Z"


def seen(tag: str, row: Row, answer: Answer) -> Seen:
    """A contact beside its row. Raises UnexpectedAnswer."""
    contact = _contact(answer, row.address)
    if contact is None:
        return Seen(on_target=False)
    tags = {str(each).lower() for each in contact.get("tags") or ()}
    return beside(row, contact, on_target=tag.lower() in tags)


def beside(row: Row, contact: Mapping[str, Any], *, on_target: bool = True) -> Seen:
    """A contact as Omnisend shows it beside its row."""
    shown = {**contact, **(contact.get("customProperties") or {})}
    return seen_as(_sent(row), shown, on_target=on_target)


def is_known(address: str, answer: Answer) -> bool:
    """Has Omnisend somebody of this address, in any spelling that it finds? Raises UnexpectedAnswer."""
    return _contact(answer, address) is not None


def said_no(address: str, answer: Answer) -> bool:
    """Has somebody of this address unsubscribed from e-mails? Raises UnexpectedAnswer."""
    contact = _contact(answer, address) or {}
    channels = (each for each in contact.get("statuses") or () if isinstance(each, Mapping))
    states = [each.get("status") for each in channels if each.get("channel") == "email"]
    return "unsubscribed" in (states or [contact.get("status")])


def _contact(answer: Answer, address: str) -> Mapping[str, Any] | None:
    found = answer.object().get("contacts")
    if answer.status != 200 or not isinstance(found, list):
        raise UnexpectedAnswer(say("Omnisend did not answer with contacts."))
    return next((each for each in found if _is(each, address)), None)


def _is(contact: Any, address: str) -> bool:
    return isinstance(contact, Mapping) and normalised(str(contact.get("email"))) == address


def _sent(row: Row) -> dict[str, Any]:
    # Before any date of consent, so that none of them is written here.
    entry: dict[str, Any] = orjson.loads(requests.person(row, _NO_DATE).entry)
    fields = {name: value for name, value in entry.items() if name not in _OUR_OWN}
    custom: dict[str, Any] = entry.get("customProperties", {})
    return fields | custom
