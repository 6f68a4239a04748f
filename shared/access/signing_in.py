"""People by session cookie, programs by bearer token; nothing else is believed.

In particular no header that a proxy is said to set (`x-ms-client-principal` and the like): anyone can send those.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping

from starlette.requests import Request

from shared.access.csrf import HEADER
from shared.access.failures import Failures
from shared.access.person import Person
from shared.access.provider import Provider, SignInFailed
from shared.access.published_keys import PublishedKeys
from shared.access.sealing import Seal, Vault
from shared.access.sessions import Pending, Session, Sessions
from shared.access.settings import SignInSettings
from shared.access.tokens import BadToken, Tokens
from shared.access.visitors import SAFE, SignInNeeded, Visitor, require_same_origin
from shared.errors import Forbidden

_log = logging.getLogger(__name__)


class SigningIn:
    """Implements shared.access.visitors.Access."""

    def __init__(self, settings: SignInSettings, vault: Vault) -> None:
        self.origin = settings.origin
        self.sessions = Sessions(Seal(vault, settings.session_key), secure=settings.secure)
        self.provider = Provider(settings, vault)
        self.issuer = settings.issuer
        self._failures = Failures()
        keys = PublishedKeys(self.provider.keys)
        self._tokens = Tokens(keys, issuer=settings.issuer, client_id=settings.client_id)

    def admit(self, request: Request) -> Visitor:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            return Visitor(self._bearer(request, token if scheme.lower() == "bearer" else ""))
        session = self.sessions.read(request.cookies)
        if session is None:
            return Visitor()
        self._require_own_page(request, session)
        return Visitor(session.person, session.csrf, self.sessions.renewal(session))

    def finish(self, request: Request, pending: Pending, answer: Mapping[str, str]) -> Person:
        """Who came back from the provider. Raises SignInFailed, TooManyFailures and RetryAfter."""
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
        self._failures.check(request)
        try:
            return self._tokens.bearer(token)
        except BadToken as error:
            self.failed(request, f"bearer token, {error}")
            raise SignInNeeded(f"The bearer token is not accepted ({error}).") from None

    def _require_own_page(self, request: Request, session: Session) -> None:
        if request.method in SAFE:
            return
        require_same_origin(request, self.origin)
        if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), session.csrf.encode()):
            raise Forbidden(f"The header {HEADER} is missing or not this session's: load the page again.")


def _nonce_of(pending: Pending) -> str:
    """msal sends the provider a hash of the nonce that it keeps."""
    import hashlib

    return hashlib.sha256(str(pending.flow["nonce"]).encode("ascii")).hexdigest()
