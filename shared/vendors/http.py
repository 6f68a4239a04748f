"""The HTTP client that all vendors share: whom it may call, how fast, how often again, and what it never says."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, UserMustAct
from shared.transport import Failure, Transport, Wire
from shared.vendors.answer_times import AnswerTimes
from shared.vendors.answers import Answer, RateLimited, Request, UnexpectedAnswer, Unreadable
from shared.vendors.contract import Definition
from shared.vendors.limits import Limiter
from shared.vendors.retrying import Disposition, backoff, judge, retry_after
from shared.wording import say, together

T = TypeVar("T")
_log = logging.getLogger(__name__)

TROUBLE = 3
"""So many calls in a row with an unknown outcome, and an endpoint is left alone for a while."""
TROUBLE_SECONDS = 60.0
_MAYBE = say("The request may have been carried out.")


class Credentials(Protocol):
    """A connection's secrets by the names in the vendor's definition."""

    def get(self, name: str, *, fresh: bool = False) -> str:
        """The secret's value; `fresh` goes past every cache. Raises UserMustAct when it cannot be had."""
        ...

    def has(self, name: str) -> bool:
        """Whether the connection has this credential at all."""
        ...

    def put(self, name: str, value: str) -> None:
        """Keep another value, for everyone: what the vendor itself gave in place of the old one. Raises UserMustAct
        where that is forbidden, RetryAfter where it did not work."""
        ...

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Nobody else replaces this credential meanwhile. Raises RetryAfter where another is at it for too long."""
        ...


class Counters:
    """What a delivery cost in requests. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = 0
        self.retries = 0
        self.throttled_seconds = 0.0

    def add(self, *, requests: int = 0, retries: int = 0, throttled_seconds: float = 0.0) -> None:
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.throttled_seconds += throttled_seconds


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Link:
    """What ties a vendor to the deployment and to the slice that uses it."""

    limiter: Limiter
    vendor_hosts: Mapping[str, str] = field(default_factory=dict)
    """Vendor's host -> base URL that is called in its place."""
    before_request: Callable[[], None] = _nothing
    """Called right before every request, also every repeated one; raises LeaseLost or a cancel error to stop."""
    wait: Callable[[float], None] = time.sleep
    """Sleeps between attempts; raises to stop."""
    patience: float = 20.0
    """Seconds of waiting between the attempts of one call before it raises RetryAfter."""
    counters: Counters = field(default_factory=Counters)
    transport: Transport = field(default_factory=Wire)
    answer_times: AnswerTimes = field(default_factory=AnswerTimes)

    def exchange(
        self, endpoint: str, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        """One request, and how long its answer took."""
        began = time.monotonic()
        outcome = self.transport(method, url, headers, body, seconds)
        if isinstance(outcome, Answer) and outcome.status < 500 and outcome.status != 429:
            self.answer_times.note(endpoint, len(body or b"") + len(outcome.body), time.monotonic() - began)
        return outcome


def refused(answer: Answer) -> UserMustAct:
    """A 401 or 403 in words that hold for any vendor."""
    if answer.status == 401:
        return UserMustAct("bad_credentials", say("The vendor does not accept the credentials of this connection."))
    return UserMustAct("forbidden", say("The vendor does not allow this connection to do that."))


class Client:
    """One host of a vendor, as called through a Link.

    `authorize(fresh)` gives the headers that carry the credential. `refusal` words a 401 or 403 for people.
    `understood` marks answers that the vendor module reads although their status alone says to try again.
    `renewable` marks the 401 that another credential may mend.
    """

    def __init__(
        self,
        definition: Definition,
        host: str,
        link: Link,
        authorize: Callable[[bool], Mapping[str, str]],
        *,
        refusal: Callable[[Answer], UserMustAct] = refused,
        understood: Callable[[Answer], bool] = lambda answer: False,
        renewable: Callable[[Answer], bool] = lambda answer: True,
    ) -> None:
        self._label = definition.label
        self._seconds = definition.request_seconds
        self._base = base_url(definition, host, link.vendor_hosts)
        self._link = link
        self._authorize = authorize
        self._refusal = refusal
        self._understood = understood
        self._renewable = renewable
        self._credential: Mapping[str, str] | None = None
        self._renewing = threading.Lock()
        self._unknown_in_a_row = 0

    def call(self, request: Request) -> Answer:
        """The answer: any 2xx, and those 4xx that are the vendor module's to read.

        Raises RetryAfter (Unreachable, RateLimited), UserMustAct and what the link's hooks raise only when nothing
        was carried out, OutcomeUnknown when it may have been, and LeaseLost in any case.
        """
        call = _Call(f"{self._label}, {request.endpoint}", request, self._link.patience)
        try:
            answer = self._insist(call)
        except LeaseLost:
            raise
        except ExportError as error:
            if not call.unsure and not isinstance(error, OutcomeUnknown):
                raise
            words = error.words
        else:
            self._unknown_in_a_row = 0
            return answer
        self._note_trouble(request.endpoint)
        raise OutcomeUnknown(together([words, _MAYBE]) if request.writes else words)

    def ask(self, question: Request, parse: Callable[[Answer], T]) -> T:
        """What `parse` makes of the answer to a request that changes nothing.

        Raises Unreadable, never OutcomeUnknown: it can simply be asked again later.
        """
        try:
            return parse(self.call(question))
        except OutcomeUnknown as error:
            reason = error.reason
        raise Unreadable(reason)

    def _note_trouble(self, endpoint: str) -> None:
        """Leave a vendor alone that keeps failing: better a pause than a whole plan whose outcome is unknown."""
        self._unknown_in_a_row += 1
        if self._unknown_in_a_row >= TROUBLE:
            self._link.limiter.hold(endpoint, TROUBLE_SECONDS)

    def _insist(self, call: _Call) -> Answer:
        renewed = False
        while True:
            credential = self._current()
            outcome = self._exchange(call.request, credential)
            disposition = judge(outcome)
            if isinstance(outcome, Answer):
                if not renewed and self._is_mendable(outcome) and self._renew(credential):
                    renewed = True
                    continue
                if disposition is None or self._understood(outcome):
                    return self._checked(outcome, call)
            assert disposition is not None
            self._pause(call, outcome, disposition)

    def _is_mendable(self, answer: Answer) -> bool:
        return answer.status == 401 and self._renewable(answer)

    def _exchange(self, request: Request, credential: Mapping[str, str]) -> Answer | Failure:
        link = self._link
        content = {"Content-Type": "application/json"} if request.body is not None else {}
        headers = {"Accept": "application/json", "User-Agent": "segment-exports", **content, **credential}
        link.counters.add(throttled_seconds=link.limiter.acquire(request.endpoint))
        # Last of all, since the wait above may have outlived the lease.
        link.before_request()
        link.counters.add(requests=1)
        url = f"{self._base}{request.target}"
        return link.exchange(request.endpoint, request.method, url, headers, request.body, self._seconds)

    def _pause(self, call: _Call, outcome: Answer | Failure, disposition: Disposition) -> None:
        """Wait for the next attempt, or raise because there is none."""
        link, endpoint, asked = self._link, call.request.endpoint, retry_after(outcome)
        if asked is not None:
            link.limiter.hold(endpoint, asked)
        if disposition.error is RateLimited:
            link.limiter.throttled(endpoint)
        seconds = call.after(disposition, asked)
        _log.info("%s Attempt %d in %.1f s", disposition.words.filled(what=call.name), call.failures + 1, seconds)
        link.wait(seconds)
        link.counters.add(retries=1, throttled_seconds=seconds)

    def _checked(self, answer: Answer, call: _Call) -> Answer:
        if answer.status in (401, 403):
            raise self._refusal(answer)
        if answer.status < 200 or 300 <= answer.status < 400:
            # Redirects too: following one would carry the credential and people to another host.
            raise UnexpectedAnswer(
                say(
                    "%(name)s answered with the unexpected status %(status)s.",
                    name=call.name,
                    status=str(answer.status),
                )
            )
        if answer.status < 300 and "text/html" in answer.headers.get("content-type", "").lower():
            raise UnexpectedAnswer(say("%(name)s answered with a web page.", name=call.name))
        return answer

    def _current(self) -> Mapping[str, str]:
        with self._renewing:
            if self._credential is None:
                self._credential = self._proven(self._authorize(False))
            return self._credential

    def _renew(self, refused: Mapping[str, str]) -> bool:
        """Fetch the credential again, past caches; whether it differs from the refused one."""
        with self._renewing:
            if self._credential == refused:
                self._credential = self._proven(self._authorize(True))
            return self._credential != refused

    def _proven(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        # The HTTP library would put a value that it refuses into its exception.
        if not all(value.isascii() and value.isprintable() and value for value in headers.values()):
            raise UserMustAct(
                "bad_credentials",
                say(
                    "A secret for %(vendor)s is empty or has characters that no key has; store it again.",
                    vendor=self._label,
                ),
            )
        return headers


class _Call:
    """The attempts of one call so far."""

    def __init__(self, name: str, request: Request, patience: float) -> None:
        self.name = name
        self.request = request
        self.failures = 0
        self.unsure = False
        self._patience = patience

    def after(self, disposition: Disposition, asked: float | None) -> float:
        """Count a failure; seconds until the next attempt, never fewer than `asked`. Raises when there is none."""
        self.failures += 1
        self.unsure = self.unsure or (disposition.unsure and self.request.writes)
        if self.unsure and not self.request.idempotent:
            raise OutcomeUnknown(disposition.words.filled(what=self.name))
        seconds = max(backoff(disposition, self.failures), asked or 0.0)
        if self.failures >= disposition.attempts or seconds > self._patience:
            later = disposition.later if asked is None else asked
            raise disposition.error(later, disposition.words.filled(what=self.name))
        self._patience -= seconds
        return seconds


def base_url(definition: Definition, host: str, overrides: Mapping[str, str]) -> str:
    """Where a host of the vendor is reached, without a slash at the end. Raises ValueError for any other host."""
    if not any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in definition.hosts):
        raise ValueError(f"{host} is not a host of {definition.label}")
    base = overrides.get(host, f"https://{host}").rstrip("/")
    if urlsplit(base).scheme not in ("http", "https"):
        raise ValueError(f"The address given in place of {host} must begin with http:// or https://.")
    return base
