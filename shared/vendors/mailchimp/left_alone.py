"""People of an audience whom nothing of ours touches: who unsubscribed, was cleaned or archived, or never confirmed.

They are read whole, status by status, before anybody is added or changed: an archived person may come back to life by
being added, and a person may also have come back from any of these since the last run (contract, sections 4b and 5).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from shared.errors import UserMustAct
from shared.vendors import rolls
from shared.vendors.mailchimp import requests, responses
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.mailchimp.definition import DEFINITION, MOST_PAGE
from shared.vendors.mailchimp.receipts import LEFT_ALONE
from shared.vendors.mailchimp.responses import Standing
from shared.wording import say

MOST_LEFT_ALONE = 300_000
"""More of them would not be read within one slice."""


class Untouched:
    """One audience's, read once as long as this object lives. Thread safe."""

    def __init__(self, calls: MailchimpCalls, audience_id: str) -> None:
        self._calls = calls
        self._audience_id = audience_id
        self._lock = threading.Lock()
        self._statuses: dict[str, str] | None = None

    def status(self, member: str) -> str | None:
        """Why this person, known by their id, is left alone. Raises UserMustAct for too many of them, and as calls
        do."""
        with self._lock:
            if self._statuses is None:
                self._statuses = self._read()
            return self._statuses.get(member)

    def _read(self) -> dict[str, str]:
        found: dict[str, str] = {}
        with ThreadPoolExecutor(len(LEFT_ALONE), thread_name_prefix="left-alone") as pool:
            for status, members in zip(LEFT_ALONE, pool.map(self._members, LEFT_ALONE), strict=True):
                found |= dict.fromkeys(members, status)
        if len(found) > MOST_LEFT_ALONE:
            raise _too_many()
        return found

    def _members(self, status: str) -> Sequence[str]:
        def ask(offset: int) -> Sequence[Standing]:
            question = requests.members(self._audience_id, status, offset)
            return self._calls.ask(question, responses.members)

        found: list[str] = []
        for each in rolls.every(DEFINITION.label, ask, MOST_PAGE):
            found.append(each.who.lower())
            if len(found) > MOST_LEFT_ALONE:
                raise _too_many()
        return found


def _too_many() -> UserMustAct:
    return UserMustAct(
        "too_many_unsubscribed",
        say(
            "More than %(most)s people of the Mailchimp audience unsubscribed, were cleaned or archived: use an "
            "audience with fewer of them.",
            most=MOST_LEFT_ALONE,
        ),
    )
