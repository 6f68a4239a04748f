"""Calls to Mailchimp, and what it says of many jobs at once. Facts: Mailchimp contract, sections 1, 4d and 8."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from shared.transport import Failure
from shared.vendors.answers import Answer, Request, Unreadable
from shared.vendors.contract import ConnectionSettings
from shared.vendors.http import Client, Credentials, Link, base_url
from shared.vendors.keys import Authorize, key_in, secret
from shared.vendors.mailchimp import errors, requests, responses
from shared.vendors.mailchimp.definition import (
    API_KEY,
    DEFINITION,
    EVERY_HOST,
    LOGIN_HOST,
    ROOT,
    TOKENS,
)
from shared.vendors.mailchimp.responses import Job
from shared.vendors.mailchimp.throttling import Lanes, Throttling
from shared.vendors.oauth import Tokens
from shared.vendors.tokens import sign_in_again
from shared.wording import say

T = TypeVar("T")

FRESH_SECONDS = 2.0
"""So long a job that is not over may be thought to be as it was."""
RESULTS_SECONDS = 60.0
"""The longest that a job's results may take to come."""

_CENTRE = re.compile(r"[a-z]{2}\d{1,3}")


class MailchimpCalls:
    """One connection's calls, to the data centre of its account. Thread safe."""

    def __init__(
        self, settings: ConnectionSettings, credentials: Credentials, link: Link, host: str | None = None
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._link = link
        hold = partial(link.limiter.hold, ROOT)
        self._patient = replace(link, transport=Throttling(link.transport, Lanes(), hold))
        self._lock = threading.Lock()
        self._known: Client | None = None
        self._asked_host = host
        self._host = EVERY_HOST

    def ask(self, question: Request, parse: Callable[[Answer], T]) -> T:
        """What `parse` makes of the answer to a question that changes nothing. Raises as `Client.ask` does."""
        return self._client().ask(question, parse)

    def call(self, request: Request) -> Answer:
        """The answer, as `Client.call` gives it."""
        return self._client().call(request)

    def wait(self, seconds: float) -> None:
        self._link.wait(seconds)

    def results(self, address: str) -> bytes | None:
        """A job's results from where Mailchimp has them, which is no address of its API: the credential stays here.
        None where the address has run out. Raises Unreadable."""
        if not self._is_public(address):
            raise Unreadable(say("Mailchimp's answer does not tell where a job's results are."))
        self._link.before_request()
        self._link.counters.add(requests=1)
        outcome = self._link.transport("GET", address, {"User-Agent": "segment-exports"}, None, RESULTS_SECONDS)
        if isinstance(outcome, Failure) or outcome.status >= 500:
            raise Unreadable(say("The results of a job of Mailchimp's could not be fetched."))
        return outcome.body if outcome.status == 200 else None

    def _is_public(self, address: str) -> bool:
        """Whether it leads to a host of the internet by HTTPS, or to what stands in the API's place."""
        parts, api = urlsplit(address), urlsplit(base_url(DEFINITION, self._host, self._link.vendor_hosts))
        if parts.hostname == api.hostname:
            return parts.scheme == api.scheme
        return parts.scheme == "https" and bool(re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", parts.netloc.lower()))

    def _client(self) -> Client:
        with self._lock:
            if self._known is None:
                authorize = self._authorize()
                self._host = self._asked_host or self._found_host(authorize)
                self._known = Client(DEFINITION, self._host, self._patient, authorize, refusal=errors.refusal)
            return self._known

    def _authorize(self) -> Authorize:
        if self._credentials.has(TOKENS):
            return Tokens(DEFINITION, self._credentials, self._link).bearer()
        return key_in("Authorization", self._credentials, scheme="Bearer")

    def _found_host(self, authorize: Authorize) -> str:
        centre = str(self._settings.get("data_centre", "")).strip().lower()
        if not centre and self._credentials.has(TOKENS):
            centre = self._signed_in_at(authorize)
        elif not centre:
            centre = secret(self._credentials, API_KEY, False).rpartition("-")[2]
        return f"{centre}.{EVERY_HOST}" if _CENTRE.fullmatch(centre) else EVERY_HOST

    def _signed_in_at(self, authorize: Authorize) -> str:
        """The data centre of the sign-in. Raises UserMustAct where that is not valid any more."""

        def oauth(fresh: bool) -> dict[str, str]:
            return {"Authorization": f"OAuth {authorize(fresh)['Authorization'].removeprefix('Bearer ')}"}

        login = Client(DEFINITION, LOGIN_HOST, self._patient, oauth, refusal=errors.refusal)
        centre = login.ask(Request("GET", "/oauth2/metadata", ROOT), responses.centre)
        if centre is None:
            raise sign_in_again(DEFINITION.label)
        return centre


class MailchimpBoard:
    """How jobs stand, by lists of them, and one by one only where they are in none. Thread safe."""

    def __init__(self, calls: MailchimpCalls, clock: Callable[[], float]) -> None:
        self._calls = calls
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Job] = {}
        self._read_at = float("-inf")

    def state(self, job_id: str) -> Job | None:
        """How a job stands, at most `FRESH_SECONDS` ago; None where Mailchimp does not know it."""
        with self._lock:
            # A clock that was set back makes nothing fresh.
            if not 0 <= self._clock() - self._read_at <= FRESH_SECONDS:
                self._known = {each.id: each for each in self._calls.ask(requests.jobs(), responses.jobs)}
                self._read_at = self._clock()
            return self._known.get(job_id) or self._alone(job_id)

    def anew(self, job_id: str) -> Job | None:
        """As it stands right now, with an address of its results that has not run out."""
        with self._lock:
            return self._alone(job_id)

    def _alone(self, job_id: str) -> Job | None:
        found = self._calls.ask(requests.job(job_id), responses.job)
        if found is not None:
            self._known[job_id] = found
        return found
