"""One request to a vendor, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

from shared.errors import OutcomeUnknown, RetryAfter


class UnexpectedAnswer(OutcomeUnknown):
    """The vendor answered with something that its contract does not describe."""


class Unreadable(RetryAfter):
    """A question, which changes nothing, got an answer that the contract does not describe."""


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
    def writes(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises UnexpectedAnswer when it is anything else."""
        value, broken = self._parsed()
        if broken:
            # Raised here and not while handling: the parser's error holds the whole body.
            raise UnexpectedAnswer(f"The vendor answered {self.status} with something that is not JSON.")
        return value

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises UnexpectedAnswer when it is anything else."""
        value = self.json()
        if not isinstance(value, dict):
            raise UnexpectedAnswer(f"The vendor answered {self.status} with JSON that is not an object.")
        return value

    def object_or_empty(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is anything else."""
        value, _ = self._parsed()
        return value if isinstance(value, dict) else {}

    def expect(self, vendor: str, *statuses: int) -> Self:
        """This answer. Raises UnexpectedAnswer when its status is none of those."""
        if self.status not in statuses:
            raise UnexpectedAnswer(f"{vendor} answered {self.status} where {statuses[0]} is expected.")
        return self

    def _parsed(self) -> tuple[Any, bool]:
        try:
            return orjson.loads(self.body), False
        except orjson.JSONDecodeError:
            return None, True
