"""Whom to forget: known by a salted hash, so that no address is kept while that goes on, nor afterwards."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Self

from shared.delivery import sql
from shared.delivery.sql import literal
from shared.delivery.state import events, lookup
from shared.mailbox import normalised


@dataclass(frozen=True, slots=True)
class Whom:
    """One person. `bucket` is the address's, by which ledgers and plans are divided; `event` is what stands for the
    address in events, "" where no salt for it was known."""

    salt: str
    hash: str
    bucket: int
    event: str = ""

    @classmethod
    def of(cls, address: str, event_salt: str = "") -> Self:
        wanted, salt = normalised(address), secrets.token_hex(16)
        event = events.address_hash(event_salt, wanted) if event_salt else ""
        return cls(salt, _hash(salt, wanted), lookup.bucket(wanted), event)

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

    @property
    def event_row(self) -> str:
        """SQL that is true for an event of the person, with the hash, or with the address."""
        return f"(coalesce(address_hash = {literal(self.event)}, false) OR {self.row})"

    def _same(self, address: str) -> str:
        return f"coalesce(sha256({literal(f'{self.salt}:')} || {address}) = {literal(self.hash)}, false)"


def _hash(salt: str, address: str) -> str:
    return hashlib.sha256(f"{salt}:{address}".encode()).hexdigest()
