"""Klaviyo's rolls of people who said no: of the account, by the reason, and of each list. Contract, section 6.

They are read in full each time: by when somebody said no, Klaviyo's filters were not described to us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.vendors.answers import Request
from shared.vendors.klaviyo import requests, responses
from shared.vendors.klaviyo.client import PAGE_PATIENCE, KlaviyoCalls
from shared.vendors.opt_outs import OptOut, OptOutPage, OptOutRoll, kind_of

REASONS = ("HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT", "UNSUBSCRIBE", "USER_SUPPRESSED")
"""Why the account sends nothing to somebody; Klaviyo finds people by one of them at a time."""

Told = Callable[[Mapping[str, Any]], tuple[str, str]]
"""What somebody agreed to -> when they said no, and why."""


def rolls(calls: KlaviyoCalls, lists: Sequence[str]) -> list[OptOutRoll]:
    """One for each reason, and that of each list."""
    account = [
        OptOutRoll(f"account/{each}", partial(_page, calls, requests.suppressed(each), partial(_of_account, each)))
        for each in REASONS
    ]
    return account + [
        OptOutRoll(f"list/{each}", partial(_page, calls, requests.opposed(each), partial(_of_list, each)), each)
        for each in lists
    ]


def _page(calls: KlaviyoCalls, question: Request, told: Told, since: str, place: str) -> OptOutPage:
    asked = requests.next_page(question, place) if place else question
    found = calls.ask(asked, responses.page, patience=PAGE_PATIENCE)
    people = [_opt_out(each, told) for each in found.entries]
    # A page that is told to follow itself would never end.
    return OptOutPage([each for each in people if each.address], found.cursor if found.cursor != place else None)


def _opt_out(entry: dict[str, Any], told: Told) -> OptOut:
    at, reason = told(responses.marketing(entry))
    return OptOut(responses.profile(entry).email, kind_of(reason), at, excerpt(reason, 60))


def _of_account(reason: str, marketing: Mapping[str, Any]) -> tuple[str, str]:
    return _when(marketing.get("suppression"), "reason", reason), reason


def _of_list(list_id: str, marketing: Mapping[str, Any]) -> tuple[str, str]:
    return _when(marketing.get("list_suppressions"), "list_id", list_id), "UNSUBSCRIBE"


def _when(told: Any, name: str, value: str) -> str:
    """The moment of the entry in which this member has this value; empty where there is none."""
    entries = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    return next((str(each.get("timestamp") or "") for each in entries if each.get(name) == value), "")
