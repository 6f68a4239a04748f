"""Whom to forget: known by a salted hash, so that no address is kept while that goes on, nor afterwards."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Self

from shared.delivery import sql
from shared.delivery.sql import literal
from shared.delivery.state import lookup
from shared.mailbox import normalised


@dataclass(frozen=True, slots=True)
class Whom:
    """One person. `bucket` is the address's, by which ledgers and plans are divided."""

    salt: str
    hash: str
    bucket: int

    @classmethod
    def of(cls, address: str) -> Self:
        wanted, salt = normalised(address), secrets.token_hex(16)
        return cls(salt, _hash(salt, wanted), lookup.bucket(wanted))

    def is_it(self, text: str) -> bool:
        """Whether a text is the person's address, however it is written."""
        return _hash(self.salt, normalised(text)) == self.hash

    @property
    def row(self) -> str:
        """SQL that is true for a row with the person's normalised address."""
        return self._same("address")

    @property
    def written_row(self) -> str:
        """SQL that is true for a row with the person's address as the source writes it."""
        return self._same(sql.address(sql.trimmed("address")))

    def _same(self, address: str) -> str:
        return f"coalesce(sha256({literal(f'{self.salt}:')} || {address}) = {literal(self.hash)}, false)"


def _hash(salt: str, address: str) -> str:
    return hashlib.sha256(f"{salt}:{address}".encode()).hexdigest()
