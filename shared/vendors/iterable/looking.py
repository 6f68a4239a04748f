"""Answers about a list's size and about one person; nothing here talks to anyone. Iterable contract, section 9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.comparing import seen_as
from shared.vendors.contract import Count, Row, Seen
from shared.wording import say

_LISTS = ("emailListIds", "userListIds")
"""Fields of a profile that name its lists: which of them depends on the kind of project."""

_UNSUBSCRIBED = ("unsubscribedChannelIds", "unsubscribedMessageTypeIds")


def size(answer: Answer) -> Count:
    """A bare number as text. Raises UnexpectedAnswer for anything else."""
    text = answer.body.strip()
    if answer.status != 200 or not text.isdigit():
        raise UnexpectedAnswer(say("Iterable did not answer with the size of the list."))
    return Count(int(text))


def is_known(answer: Answer) -> bool:
    """Does Iterable have this person? Raises UnexpectedAnswer."""
    return _profile(answer) is not None


def said_no(answer: Answer) -> bool:
    """Has the person unsubscribed from any channel or type of message? Raises UnexpectedAnswer."""
    fields = (_profile(answer) or {}).get("dataFields")
    return isinstance(fields, dict) and any(fields.get(name) for name in _UNSUBSCRIBED)


def seen(list_id: str, row: Row, answer: Answer) -> Seen:
    """How a person is on a list. Raises UnexpectedAnswer."""
    fields = (_profile(answer) or {}).get("dataFields")
    if not isinstance(fields, dict):
        return Seen(on_target=False)
    lists = {str(each) for name in _LISTS for each in fields.get(name) or ()}
    return seen_as(orjson.loads(row.values), fields, on_target=list_id in lists)


def _profile(answer: Answer) -> Mapping[str, Any] | None:
    """`{}` is somebody whom Iterable does not have, and nobody has an address that it does not take (section 9)."""
    body = answer.object()
    if answer.status == 400 and body.get("code") == "InvalidEmailAddressError":
        return None
    user = body.get("user")
    if answer.status != 200 or (body and not isinstance(user, dict)):
        raise UnexpectedAnswer(say("Iterable's answer about a person describes none."))
    return user if isinstance(user, dict) else None
