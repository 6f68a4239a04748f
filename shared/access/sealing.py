"""Seals what people's browsers keep for us: encrypted and signed with keys that are in Key Vault."""

from __future__ import annotations

import hashlib
import secrets as randomness
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import RetryAfter, UserMustAct
from shared.wording import say

LOOK_AGAIN_SECONDS = 60.0
SHORTEST = 32
SETTLING_SECONDS = 2.0
"""Longer than an instance takes from finding no key to having written one."""


class Vault(Protocol):
    """What is needed of shared.cloud.secrets.Secrets."""

    def get(self, name: str, *, fresh: bool = False) -> str: ...
    def put(self, name: str, value: str) -> None: ...


class Seal:
    """The secret holds one key or several, apart by blanks, the newest first.

    To rotate, put a new key in front and take the old one away a day later. What was sealed with a key that this
    instance does not know yet makes it look into Key Vault again, at most once a minute. A missing secret is made.
    """

    def __init__(
        self,
        vault: Vault,
        name: str,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._vault = vault
        self._name = name
        self._clock = clock
        self._pause = pause
        self._looked = -LOOK_AGAIN_SECONDS
        self._kept: dict[str, Fernet] = {}

    def seal(self, content: bytes) -> str:
        """Raises UserMustAct and RetryAfter where there is no key to be had."""
        identity, key = next(iter(self._keys().items()))
        return f"{identity}.{key.encrypt(content).decode()}"

    def open(self, text: str) -> bytes | None:
        """None for whatever was not sealed here, or with a key that is gone. Raises as `seal` does."""
        identity, _, token = text.partition(".")
        key = self._keys().get(identity) or self._new_keys().get(identity)
        if key is None:
            return None
        try:
            return key.decrypt(token)
        except InvalidToken:
            return None

    def _keys(self) -> dict[str, Fernet]:
        try:
            self._kept = _read(self._vault.get(self._name))
        except RetryAfter:
            if not self._kept:
                raise
        except UserMustAct as error:
            if error.code != "secret_missing":
                raise
            self._kept = _read(self._make())
        return self._kept

    def _make(self) -> str:
        """The first key. Where another instance makes one at the same moment, both use the one that stayed."""
        self._vault.put(self._name, randomness.token_urlsafe(48))
        self._pause(SETTLING_SECONDS)
        return self._vault.get(self._name, fresh=True)

    def _new_keys(self) -> dict[str, Fernet]:
        if self._clock() - self._looked < LOOK_AGAIN_SECONDS:
            return {}
        self._looked = self._clock()
        self._kept = _read(self._vault.get(self._name, fresh=True))
        return self._kept


def _read(secret: str) -> dict[str, Fernet]:
    keys = [_derive(word) for word in secret.split()]
    return {hashlib.sha256(key).hexdigest()[:8]: Fernet(key) for key in keys}


def _derive(word: str) -> bytes:
    if len(word) < SHORTEST:
        raise UserMustAct(
            "session_key_weak",
            say("Keys for sessions have at least %(number)s random characters.", number=SHORTEST),
        )
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"segment-exports session")
    return urlsafe_b64encode(kdf.derive(word.encode()))
