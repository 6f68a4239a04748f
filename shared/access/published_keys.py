"""The provider's published keys (JWKS), fetched rarely: once a day, and when a token names a key that is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import jwt

from shared.errors import RetryAfter

KEPT_SECONDS = 24 * 60 * 60.0
AT_MOST_EVERY_SECONDS = 60.0


class PublishedKeys:
    """`fetch` answers the JWKS document or raises RetryAfter; while it fails, the keys that are known stay good."""

    def __init__(self, fetch: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked = float("-inf")
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
