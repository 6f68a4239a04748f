"""Calls to Klaviyo, and what it says of many imports at once. Facts: Klaviyo contract, sections 1, 3, 8 and 9."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from shared.errors import UserMustAct
from shared.vendors.answers import Answer, RateLimited, Request, Unreadable
from shared.vendors.http import Client, Credentials, Link
from shared.vendors.keys import key_in
from shared.vendors.klaviyo import errors, requests, responses
from shared.vendors.klaviyo.definition import DEFINITION, HOST, REVISION
from shared.vendors.klaviyo.responses import ACCOUNT_HEADER, JobState, KlaviyoPage
from shared.vendors.retrying import retry_after
from shared.wording import say

T = TypeVar("T")

PAGE_PATIENCE = 120.0
"""Seconds to wait for the rate between two of many questions that would otherwise have to begin anew."""
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds to wait after a 429 that does not say how long: doubled each time, up to one window."""
FRESH_SECONDS = 2.0
"""So long an import that is not over may be thought to be as it was."""

_MEDIA = "application/vnd.api+json"
_HEADERS = {
    "revision": REVISION,
    # A revision that has ended is refused, and not replaced by another one in silence.
    "X-Klaviyo-Revision-Fall-Forward-Opt-Out": "1",
    "Accept": _MEDIA,
    "Content-Type": _MEDIA,
}
_LIMITED = 429


def client_of(credentials: Credentials, link: Link, headers: Mapping[str, str] = _HEADERS) -> Client:
    """A client that sends these headers with every request. A 429 is for the caller to read."""
    return Client(
        DEFINITION,
        HOST,
        link,
        key_in("Authorization", credentials, scheme="Klaviyo-API-Key", others=headers),
        refusal=errors.refusal,
        understood=lambda answer: answer.status == _LIMITED,
    )


class KlaviyoCalls:
    """One key's calls. Every answer tells its account; the first that does is the one that all others have to be of.
    Thread safe."""

    def __init__(self, credentials: Credentials, link: Link) -> None:
        self._link = link
        self._client = client_of(credentials, link)
        self._lock = threading.Lock()
        self._account: str | None = None
        self._untold = 0
        """Refusals for the rate in a row that did not say how long to wait."""

    def account(self) -> str:
        """The account's id: a header of the cheapest question, or else the answer about the account."""
        if self._account is None:
            self.ask(requests.a_list(), responses.page)
        if self._account is None:
            self._note(self.ask(requests.accounts(), responses.account).id)
        assert self._account is not None
        return self._account

    def ask(self, question: Request, parse: Callable[[Answer], T], *, patience: float | None = None) -> T:
        """What `parse` makes of the answer to a question that changes nothing. Raises Unreadable and what a call
        raises, never OutcomeUnknown."""

        def ask() -> T:
            return self._client.ask(question, lambda answer: parse(self._heard(question, answer)))

        return self._patiently(ask, self._link.patience if patience is None else patience)

    def call(self, request: Request) -> Answer:
        """The answer: any 2xx, and 4xx that are the caller's to read. Raises what a call raises."""
        return self._patiently(lambda: self._heard(request, self._client.call(request)), self._link.patience)

    def entries(
        self, question: Request, parse: Callable[[Answer], KlaviyoPage] = responses.page
    ) -> Iterator[dict[str, Any]]:
        """Everything that is asked for, page by page. Raises what `ask` raises."""
        following = question
        seen = set[str]()
        while True:
            found = self.ask(following, parse, patience=PAGE_PATIENCE)
            yield from found.entries
            if found.cursor is None:
                return
            if found.cursor in seen:
                raise Unreadable(say("Klaviyo gives the same page again and again."))
            seen.add(found.cursor)
            following = requests.next_page(question, found.cursor)

    def wait(self, seconds: float) -> None:
        self._link.wait(seconds)

    def _patiently(self, act: Callable[[], T], patience: float) -> T:
        waited = 0.0
        while True:
            try:
                return act()
            except RateLimited as error:
                waited += error.seconds
                if waited > patience:
                    raise
                pause = error.seconds
            self._link.wait(pause)

    def _heard(self, request: Request, answer: Answer) -> Answer:
        """The answer, once what it says about rates, revision and account is heeded. Raises where nothing was done."""
        if answer.status == _LIMITED:
            raise self._limited(request, answer)
        self._untold = 0
        if error := errors.turned_away(answer):
            raise error
        self._note(answer.headers.get(ACCOUNT_HEADER, "").strip())
        return answer

    def _limited(self, request: Request, answer: Answer) -> RateLimited:
        seconds = retry_after(answer) or self._guess()
        self._link.limiter.throttled(request.endpoint)
        self._link.limiter.hold(request.endpoint, max(seconds, SHORTEST_WAIT))
        return RateLimited(max(seconds, SHORTEST_WAIT), say("Klaviyo limits the rate."))

    def _guess(self) -> float:
        with self._lock:
            seconds = min(SHORTEST_WAIT * 2.0**self._untold, LONGEST_WAIT)
            self._untold = min(self._untold + 1, 10)
        return seconds

    def _note(self, told: str) -> None:
        if not told:
            return
        with self._lock:
            if self._account in (None, told):
                self._account = told
                return
        raise UserMustAct(
            "other_account",
            say("The private API key belongs to another Klaviyo account than a moment ago: check the connection."),
        )


class KlaviyoBoard:
    """How imports stand, by lists of them, and one by one only where they are in none. Thread safe."""

    def __init__(self, calls: KlaviyoCalls, clock: Callable[[], float]) -> None:
        self._calls = calls
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, JobState] = {}
        self._read_at = float("-inf")

    def newest(self) -> list[JobState]:
        """The newest imports of the account, in one request."""
        found = self._calls.ask(requests.jobs(), responses.page)
        return [responses.job_entry(each) for each in found.entries]

    def state(self, job_id: str) -> JobState | None:
        """How an import stands, at most `FRESH_SECONDS` ago; None where Klaviyo does not know it."""
        with self._lock:
            known = self._known.get(job_id)
            if known is not None and known.over:
                return known
            # A clock that was set back makes nothing fresh.
            if not 0 <= self._clock() - self._read_at <= FRESH_SECONDS:
                self._known = {each.id: each for each in self.newest()}
                self._read_at = self._clock()
            if job_id not in self._known:
                alone = self._calls.ask(requests.job(job_id), responses.job)
                self._known |= {job_id: alone} if alone else {}
            return self._known.get(job_id)
