"""Keys that sign tokens; they can be rotated, and the old ones stay published for a while, as Entra's do."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

PUBLISHED = 2


class SigningKeys:
    """The newest key signs."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, rsa.RSAPrivateKey]] = []
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._keys = [(secrets.token_hex(8), key), *self._keys][:PUBLISHED]

    def forget_old(self) -> None:
        """Publish the newest key alone."""
        del self._keys[1:]

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        identity, key = self._keys[0]
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": identity, **header})

    def published(self) -> dict[str, Any]:
        """The JWKS document."""
        return {"keys": [_public(identity, key) for identity, key in self._keys]}


def _public(identity: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "use": "sig", "kid": identity, "n": _number(numbers.n), "e": _number(numbers.e)}


def _number(value: int) -> str:
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
