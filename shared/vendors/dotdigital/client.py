"""Calls to the region that the account is in. Facts: Dotdigital contract, sections 1 and 9."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors import keys
from shared.vendors.answers import Answer, RateLimited, Request
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.definition import DEFINITION, HOME, HOSTS
from shared.vendors.dotdigital.errors import refusal, turned_away, used_up
from shared.vendors.dotdigital.responses import Account
from shared.vendors.http import Client, Credentials, Link
from shared.wording import say

T = TypeVar("T")

PAGE_PATIENCE = 120.0
"""Seconds to wait for the rate between two pages of one reading, which would otherwise have to begin anew."""

_ENDPOINT = re.compile(r"https://(r\d+)-api\.(?:dotdigital|dotmailer)\.com")
_TOO_MANY = 429


class Calls:
    """One API user's calls. The region is found by the first of them, and kept as long as this object. Thread safe."""

    def __init__(self, credentials: Credentials, link: Link) -> None:
        self._credentials = credentials
        self._link = link
        self._home = self._client_of(HOME)
        self._lock = threading.Lock()
        self._account: Account | None = None
        self._client: Client | None = None

    def account(self) -> Account:
        """Asks once: one request to r1, which answers for every region. Raises what a call raises."""
        with self._lock:
            if self._account is None:
                self._account = self._ask(self._home, requests.account_info(), responses.account)
            return self._account

    def region(self) -> str:
        """The host of the account's region. Raises UserMustAct `unknown_region` for one that we do not know.

        The answer decides where the password goes, so it is checked against what we know.
        """
        told = self.account().endpoint.strip().rstrip("/")
        host = _host_of(told, self._link.vendor_hosts)
        if host is None:
            raise UserMustAct(
                "unknown_region",
                say(
                    "Dotdigital says that the account is at %(told)s, which is none of its known regions: "
                    "nothing was sent there.",
                    told=excerpt(told, 80),
                ),
            )
        return host

    def ask(self, question: Request, parse: Callable[[Answer], T]) -> T:
        """What `parse` makes of the answer to a question that changes nothing. Raises Unreadable and what a call
        raises, never OutcomeUnknown."""
        return self._ask(self._regional(), question, parse)

    def call(self, request: Request) -> Answer:
        """The answer: any 2xx, and 4xx that are the caller's to read. Raises what a call raises."""
        return self._heard(request, self._regional().call(request))

    def ask_page(self, question: Request, parse: Callable[[Answer], T]) -> T:
        """`ask` for one of many pages: waits out rate limits, up to a point."""
        waited = 0.0
        while True:
            try:
                return self.ask(question, parse)
            except RateLimited as error:
                waited += error.seconds
                if waited > PAGE_PATIENCE:
                    raise
                pause = error.seconds
            self._link.wait(pause)

    def _ask(self, client: Client, question: Request, parse: Callable[[Answer], T]) -> T:
        return client.ask(question, lambda answer: parse(self._heard(question, answer)))

    def _heard(self, request: Request, answer: Answer) -> Answer:
        """The answer, once what it says about rates is heeded. Raises where nothing was done."""
        limiter = self._link.limiter
        if (seconds := used_up(answer)) is not None:
            limiter.hold(request.endpoint, seconds)
        error = turned_away(answer)
        if error is None:
            return answer
        if isinstance(error, RateLimited):
            limiter.throttled(request.endpoint)
            limiter.hold(request.endpoint, error.seconds)
        raise error

    def _regional(self) -> Client:
        host = self.region()
        with self._lock:
            if self._client is None:
                self._client = self._home if host == HOME else self._client_of(host)
            return self._client

    def _client_of(self, host: str) -> Client:
        return Client(
            DEFINITION,
            host,
            self._link,
            self._authorize,
            refusal=refusal,
            understood=lambda answer: answer.status == _TOO_MANY,
        )

    def _authorize(self, fresh: bool) -> Mapping[str, str]:
        return keys.basic(*(keys.secret(self._credentials, name, fresh) for name in ("api_user", "api_password")))


def _host_of(endpoint: str, overrides: Mapping[str, str]) -> str | None:
    """The known host that an endpoint is, by its own name or by the address that is called in its place."""
    match = _ENDPOINT.fullmatch(endpoint)
    host = f"{match[1]}-api.dotdigital.com" if match else None
    if host is None:
        host = next((each for each, base in overrides.items() if base.rstrip("/") == endpoint), None)
    # On one machine, what is not simulated is not called.
    known = [each for each in HOSTS if HOME not in overrides or each in overrides]
    return host if host in known else None
