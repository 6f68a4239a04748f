"""Answers about a list's size and about one contact; nothing here talks to anyone. Contract, sections 2, 6 and 8."""

from __future__ import annotations

from typing import Any

import orjson

from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.comparing import seen_as
from shared.vendors.contract import Count, Row, Seen
from shared.vendors.dotdigital.definition import OPT_IN
from shared.vendors.dotdigital.errors import error_code
from shared.vendors.dotdigital.responses import NOBODY, refuse_vanished
from shared.wording import say

_ON_LIST = frozenset({"subscribed", "pendingoptin", "nosubscription"})
"""Statuses on a list, in lower case; with any other the contact gets nothing that is sent to it."""


def count(answer: Answer) -> Count | None:
    """None where Dotdigital does not tell it. Raises UnexpectedAnswer, and UserMustAct `target_vanished`."""
    refuse_vanished(answer)
    if answer.status != 200:
        raise UnexpectedAnswer(say("Dotdigital did not answer with the list."))
    found = answer.object().get("contacts")
    return Count(found) if isinstance(found, int) and not isinstance(found, bool) else None


def seen(list_id: str, row: Row, answer: Answer) -> Seen:
    """A contact beside its row. The consent column is left out: it is no data field. Raises UnexpectedAnswer."""
    if error_code(answer) in NOBODY:
        return Seen(on_target=False)
    body = answer.object()
    lists, fields = body.get("lists"), body.get("dataFields")
    if answer.status != 200 or not isinstance(lists, list):
        raise UnexpectedAnswer(say("Dotdigital's answer about a contact does not tell its lists."))
    status = next((_status(each) for each in lists if isinstance(each, dict) and str(each.get("id")) == list_id), None)
    on_list = status is not None and status in _ON_LIST
    own_doing = status is not None and not on_list
    return beside(row, fields, on_target=on_list, inactive=own_doing)


def beside(row: Row, fields: Any, *, on_target: bool = True, inactive: bool = False) -> Seen:
    """The data fields of a contact beside its row."""
    sent = {name: value for name, value in orjson.loads(row.values).items() if name != OPT_IN}
    shown = {name.upper(): value for name, value in fields.items()} if isinstance(fields, dict) else {}
    named = {name: shown[name.upper()] for name in sent if name.upper() in shown}
    return seen_as(sent, named, on_target=on_target, inactive=inactive)


def is_known(answer: Answer) -> bool:
    """Has the account this contact? Raises UnexpectedAnswer."""
    if answer.status != 200 and error_code(answer) not in NOBODY:
        raise UnexpectedAnswer(say("Dotdigital did not answer with a contact."))
    return answer.status == 200


def _status(membership: dict[str, Any]) -> str:
    """A membership without a status is one."""
    return str(membership.get("status") or "subscribed").lower()
