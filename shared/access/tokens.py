"""Tokens of Microsoft Entra ID (v2.0): is it ours, is it whole, is it still good, and who is it?

The claims: learn.microsoft.com/entra/identity-platform, access-token-claims-reference and id-token-claims-reference.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import jwt

from shared.access.person import How, Person, roles_of
from shared.cloud.outage import Outage
from shared.errors import RetryAfter

KEPT_SECONDS = 24 * 60 * 60.0
AT_MOST_EVERY_SECONDS = 60.0


class PublishedKeys:
    """The provider's published keys (JWKS), fetched once a day, and when a token names a key that is new.

    `fetch` answers the JWKS document or raises RetryAfter; while it fails, the keys that are known stay good.
    """

    def __init__(self, fetch: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked = float("-inf")
        self._outage = Outage(clock)
        self._lock = Lock()

    def get(self, identity: str) -> jwt.PyJWK | None:
        """The RSA key of that `kid`. Raises RetryAfter where none are known and none can be had."""
        with self._lock:
            age = self._clock() - self._asked
            if age >= KEPT_SECONDS or (identity not in self._keys and age >= AT_MOST_EVERY_SECONDS):
                self._refresh()
            return self._keys.get(identity)

    def _refresh(self) -> None:
        self._asked = self._clock()
        try:
            with self._outage.remembered():
                document = self._fetch()
        except RetryAfter:
            if not self._keys:
                self._asked = float("-inf")
                raise
            return
        self._keys = {
            key["kid"]: jwt.PyJWK(key, "RS256")
            for key in document.get("keys", ())
            if key.get("kty") == "RSA" and key.get("kid") and key.get("use", "sig") == "sig"
        }


LEEWAY_SECONDS = 60
ALGORITHMS = ["RS256"]


class BadToken(Exception):
    """It proves nothing; the message says why, without a word of the token.

    `shows_a_guess` is False for a token of the issuer's that was good once.
    """

    def __init__(self, why: str, *, shows_a_guess: bool = True) -> None:
        super().__init__(why)
        self.shows_a_guess = shows_a_guess


class TokenVerifier:
    """Tokens of one issuer, for one app."""

    def __init__(self, keys: PublishedKeys, *, issuer: str, client_id: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._client_id = client_id

    def signed_in(self, id_token: str, nonce: str) -> Person:
        """The person whom an id token names. Raises BadToken."""
        claims = self._claims(id_token, [self._client_id])
        if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
            raise BadToken("nonce")
        return _person(claims, How.SESSION)

    def bearer(self, access_token: str) -> Person:
        """The person or program that an access token names. Raises BadToken.

        An id token has the same issuer and audience, and is no permission: only an access token names the program
        that it was given to (`azp`), and none has a nonce.
        """
        claims = self._claims(access_token, [self._client_id, f"api://{self._client_id}"])
        if not claims.get("azp") or "nonce" in claims:
            raise BadToken("not an access token")
        return _person(claims, How.BEARER)

    def _claims(self, token: str, audience: list[str]) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid", "")))
            if key is None:
                raise BadToken("key")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:  # raised once the signature was found good
            raise BadToken(type(error).__name__, shows_a_guess=False) from None
        except jwt.PyJWTError as error:
            raise BadToken(type(error).__name__) from None
        return claims


def _person(claims: Mapping[str, Any], how: How) -> Person:
    """The object id stays when people marry and addresses change; the name claim is no address."""
    identity = str(claims.get("oid") or claims["sub"])
    program = f"app {claims.get('azp', identity)}"
    return Person(identity, str(claims.get("name") or program)[:100], roles_of(claims.get("roles")), how)
