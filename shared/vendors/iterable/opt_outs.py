"""Iterable's events of people who said no, read through its export of data by windows of time.

`GET /api/export/data.json` answers with one JSON object a line, four times a minute at most. Iterable has no event for
somebody who is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import orjson

from shared.cloud.scrubbing import excerpt
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.http import Client
from shared.vendors.iterable import requests
from shared.vendors.opt_outs import OptOut, OptOutKind, OptOutPage, OptOutRoll, day_before
from shared.wording import say

FIRST_DAYS = 720
"""So far back the first reading goes."""
WINDOW_DAYS = 30
"""Of one question, whose answer is in memory as a whole."""

KINDS = {
    "emailUnSubscribe": OptOutKind.UNSUBSCRIBED,
    "emailBounce": OptOutKind.BOUNCED,
    "emailComplaint": OptOutKind.COMPLAINED,
}
"""Type of event -> what it means."""

Today = Callable[[], date]


def _today() -> date:
    return datetime.now(UTC).date()


def rolls(client: Client, today: Today = _today) -> list[OptOutRoll]:
    """One for each type of event, of the whole project."""
    return [OptOutRoll(each, partial(_page, client, today, each)) for each in KINDS]


def _page(client: Client, today: Today, event: str, since: str, place: str) -> OptOutPage:
    """A place is the day that a window begins at."""
    first = place or day_before(since)
    begin = date.fromisoformat(first) if first else today() - timedelta(days=FIRST_DAYS)
    end = begin + timedelta(days=WINDOW_DAYS)
    people = client.ask(requests.events(event, begin, end), partial(told, event))
    return OptOutPage(people, end.isoformat() if end <= today() else None)


def told(event: str, answer: Answer) -> list[OptOut]:
    """People of a window's events. Raises UnexpectedAnswer."""
    if answer.status != 200:
        raise UnexpectedAnswer(say("Iterable did not answer with events."))
    events = [_event(line) for line in answer.body.splitlines() if line.strip()]
    return [_opt_out(event, each) for each in events if each.get("email") and _counts(each)]


def _event(line: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise UnexpectedAnswer(say("Iterable's answer about events has a line that cannot be read."))
    return found


def _counts(event: Mapping[str, Any]) -> bool:
    """Not for who left a list and nothing else, as our own removals make people do; nor for what may arrive yet."""
    left_lists_alone = event.get("emailListIds") and not (event.get("channelIds") or event.get("messageTypeIds"))
    return not left_lists_alone and "soft" not in str(event.get("recipientState") or "").lower()


def _opt_out(event: str, told: Mapping[str, Any]) -> OptOut:
    reason = str(told.get("unsubSource") or told.get("recipientState") or event)
    return OptOut(str(told["email"]), KINDS[event], _moment(str(told.get("createdAt") or "")), excerpt(reason, 60))


def _moment(text: str) -> str:
    """`2026-11-22 10:00:00 +00:00` -> ISO 8601."""
    day, _, rest = text.partition(" ")
    return f"{day}T{rest.replace(' ', '')}" if rest else text
