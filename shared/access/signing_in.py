"""People by session cookie, programs by bearer token; nothing else is believed.

In particular no header that a proxy is said to set (`x-ms-client-principal` and the like): anyone can send those.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock

from starlette.requests import Request

from shared.access.person import Person
from shared.access.provider import Provider, SignInFailed
from shared.access.sealing import Seal, Vault
from shared.access.sessions import PendingSignIn, Session, Sessions
from shared.access.settings import SignInSettings
from shared.access.tokens import BadToken, PublishedKeys, TokenVerifier
from shared.access.visitors import SAFE, SignInNeeded, TooManyFailures, Visitor, require_same_origin
from shared.errors import Forbidden
from shared.wording import say

LIMIT = 10
WINDOW_SECONDS = 300.0
REMEMBERED = 10_000


class Failures:
    """At most LIMIT failures in a window from one address; then a further failure is answered with that alone until
    the window ends, and no sign-in is finished. Only what shows a guess is a failure: an answer that nobody waits for,
    or a token that was good once, shows none.

    Counted per instance, in memory: nobody who is unknown can make the app write to storage, and an attacker who is
    spread over instances gains a small factor, where guessing would take many orders of magnitude.
    """

    def __init__(self, proxies: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._proxies = proxies
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def check(self, request: Request) -> None:
        """Raises TooManyFailures."""
        with self._lock:
            started, count = self._current(self._address(request))
        if count >= LIMIT:
            raise TooManyFailures(max(1, round(started + WINDOW_SECONDS - self._clock())))

    def count(self, request: Request) -> None:
        address = self._address(request)
        with self._lock:
            started, count = self._current(address)
            self._seen[address] = (started, count + 1)
            self._seen.move_to_end(address)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def _address(self, request: Request) -> str:
        """The last hop is what Azure's own front end saw, and as many before it as there are trusted proxies in front;
        whatever stands before those, anyone can write."""
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")]
        seen = hops[max(len(hops) - 1 - self._proxies, 0)]
        host, separator, port = seen.rpartition(":")
        if separator and port.isdigit() and (host.startswith("[") or ":" not in host):
            seen = host
        return seen or (request.client.host if request.client else "unknown")

    def _current(self, address: str) -> tuple[float, int]:
        started, count = self._seen.get(address, (self._clock(), 0))
        return (started, count) if self._clock() - started < WINDOW_SECONDS else (self._clock(), 0)


CSRF_HEADER = "X-CSRF-Token"
"""Unsafe requests with a session carry its token in it, so that no foreign page can have a browser send one."""

_log = logging.getLogger(__name__)


class SigningIn:
    """Implements shared.access.visitors.Access."""

    def __init__(self, settings: SignInSettings, vault: Vault) -> None:
        self.origin = settings.origin
        self.sessions = Sessions(Seal(vault, settings.session_key), secure=settings.secure)
        self.provider = Provider(settings, vault)
        self.issuer = settings.issuer
        self._failures = Failures(settings.proxies)
        keys = PublishedKeys(self.provider.keys)
        self._tokens = TokenVerifier(keys, issuer=settings.issuer, client_id=settings.client_id)

    def admit(self, request: Request) -> Visitor:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            return Visitor(self._bearer(request, token if scheme.lower() == "bearer" else ""))
        session = self.sessions.read(request.cookies)
        if session is None:
            return Visitor()
        self._require_own_page(request, session)
        return Visitor(session.person, session.csrf, self.sessions.renewal(session))

    def finish(self, request: Request, pending: PendingSignIn, answer: Mapping[str, str]) -> Person:
        """The person whom the provider sent back. Raises SignInFailed, TooManyFailures and RetryAfter."""
        self._failures.check(request)
        try:
            id_token = self.provider.complete(pending.flow, answer)
            return self._tokens.signed_in(id_token, _nonce_of(pending))
        except (SignInFailed, BadToken) as error:
            self.failed(request, str(error))
            raise SignInFailed(str(error)) from None

    def failed(self, request: Request, why: str) -> None:
        """Count a failure; beyond the limit nothing more from that address is looked at."""
        self._failures.count(request)
        _log.warning("A sign-in failed: %s.", why)

    def _bearer(self, request: Request, token: str) -> Person:
        try:
            return self._tokens.bearer(token)
        except BadToken as error:
            if error.shows_a_guess:
                self._failures.check(request)
                self.failed(request, f"bearer token, {error}")
            raise SignInNeeded(say("The bearer token is not accepted (%(error)s).", error=error)) from None

    def _require_own_page(self, request: Request, session: Session) -> None:
        if request.method in SAFE:
            return
        require_same_origin(request, self.origin)
        if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), session.csrf.encode()):
            raise Forbidden(
                say(
                    "The header %(header)s is missing or not this session's: load the page again.",
                    header=CSRF_HEADER,
                )
            )


def _nonce_of(pending: PendingSignIn) -> str:
    """msal sends the provider a hash of the nonce that it keeps."""
    return hashlib.sha256(str(pending.flow["nonce"]).encode()).hexdigest()
