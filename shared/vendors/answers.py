"""One request to a vendor, and how it can fail to be answered; the answer itself is the transport's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from shared.errors import RetryAfter
from shared.transport import Answer, UnexpectedAnswer

__all__ = ["Answer", "RateLimited", "Request", "UnexpectedAnswer", "Unreachable", "Unreadable"]


UNREADABLE_SECONDS = 60.0


class Unreadable(RetryAfter):
    """A question, which changes nothing, got an answer that the contract does not describe."""

    def __init__(self, reason: str) -> None:
        super().__init__(UNREADABLE_SECONDS, reason)


class Unreachable(RetryAfter):
    """No connection could be made; nothing was sent."""


class RateLimited(RetryAfter):
    """The vendor, or our own limiter on its behalf, asks to wait."""


@dataclass(frozen=True, slots=True)
class Request:
    """`endpoint` names the rate window and is what logs and errors show: a path or query may hold an address."""

    method: str
    path: str = field(repr=False)
    endpoint: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    idempotent: bool = True
    """Carrying it out twice leaves the same as once, so it may be sent again when its fate is unknown."""

    @property
    def target(self) -> str:
        """Path and query, as an address has them."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    @property
    def writes(self) -> bool:
        return self.method != "GET"
