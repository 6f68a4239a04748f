"""Dotdigital's rolls of people who said no: to the account, for whatever reason, and to each list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.vendors.answers import Answer, Request, UnexpectedAnswer
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.client import Calls
from shared.vendors.dotdigital.definition import MOST_V2_PAGE
from shared.vendors.opt_outs import OptOut, OptOutPage, OptOutRoll, day_before, kind_of, page_at
from shared.wording import say

AskSince = Callable[[int, str], Request]
"""How many to skip, and since which day."""


def rolls(calls: Calls, lists: Sequence[str]) -> list[OptOutRoll]:
    """The account's, and that of each list."""
    account = OptOutRoll("account", partial(_page, calls, requests.suppressed))
    asked = {list_id: partial(requests.unsubscribed, list_id) for list_id in lists}
    return [account, *(OptOutRoll(f"list/{each}", partial(_page, calls, ask), each) for each, ask in asked.items())]


def _page(calls: Calls, ask: AskSince, since: str, place: str) -> OptOutPage:
    day = day_before(since) or requests.EVER
    found, after = page_at(lambda skip: calls.ask_page(ask(skip, day), entries), MOST_V2_PAGE, place, repr)
    return OptOutPage([each for each in found if each.address], after)


def entries(answer: Answer) -> list[OptOut]:
    """People of a page, as they came; the address is empty of whoever has none. Raises UnexpectedAnswer, and
    UserMustAct where the list is gone, or Dotdigital does not answer this any more."""
    return [_entry(each) for each in responses.suppressions(answer)]


def _entry(entry: Any) -> OptOut:
    person = entry.get("suppressedContact") if isinstance(entry, dict) else None
    if not isinstance(person, dict):
        raise UnexpectedAnswer(say("Dotdigital's answer describes an unsubscribed person in an unknown way."))
    address = person.get("email")
    reason = excerpt(str(entry.get("reason") or ""), 60)
    at = str(entry.get("dateRemoved") or "")
    return OptOut(address if isinstance(address, str) else "", kind_of(reason), at, reason)
