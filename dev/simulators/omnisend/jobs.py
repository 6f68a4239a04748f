"""Batches as a brand keeps them, and what came of their items (contract section 4)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from dev.simulators.omnisend.answers import FieldError
from dev.simulators.omnisend.moments import written
from dev.simulators.omnisend.person import Person
from dev.simulators.omnisend.settings import Settings


class Result(NamedTuple):
    """`code` is an HTTP status; a `person` is there exactly where it is 200 or 201."""

    code: int
    person: Person | None = None
    errors: Sequence[FieldError] = ()


@dataclass(slots=True, eq=False)
class Batch:
    """Moments are epoch seconds; the items' numbers are `total` from `first_item` on.

    `results` has one row for each item that was worked on, in the items' order.
    """

    id: str
    method: str
    endpoint: str
    origin: str
    first_item: int
    total: int
    created: float
    starts: float
    ends: float
    stops: bool
    packed: bytes
    results: list[Result] = field(default_factory=list)

    def status(self, now: float) -> str:
        if now < self.starts:
            return "pending"
        if now < self.ends:
            return "inProgress"
        return "stopped" if self.stops else "finished"

    def items(self) -> list[Any]:
        items: list[Any] = orjson.loads(zlib.decompress(self.packed))["items"]
        return items

    def shown(self, now: float, settings: Settings) -> dict[str, Any]:
        """As `GET /batches/{batchID}` shows it; a moment that is yet to come is left out."""
        errors = sum(result.code >= 400 for result in self.results)
        finished = len(self.results) - (errors if settings.finished_count == "successes" else 0)
        moments = {"createdAt": self.created, "startedAt": self.starts, "endedAt": self.ends}
        return {
            "batchID": self.id,
            "method": self.method,
            "endpoint": self.endpoint,
            "origin": self.origin,
            "status": self.status(now),
            **{name: written(moment) for name, moment in moments.items() if moment <= now},
            "totalCount": self.total,
            "finishedCount": finished,
            "errorsCount": errors,
        }
