"""Segments as a brand keeps them: rules over tags (contract section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dev.simulators.omnisend.moments import written
from dev.simulators.omnisend.person import Person


@dataclass(slots=True, frozen=True)
class Filter:
    tags: frozenset[str]
    wanted: bool  # anyOf, else noneOf

    def holds(self, tags: Sequence[str]) -> bool:
        return self.tags.isdisjoint(tags) != self.wanted


@dataclass(slots=True, frozen=True)
class Condition:
    filters: tuple[Filter, ...]
    every: bool  # junction "and", else "or"

    def holds(self, tags: Sequence[str]) -> bool:
        return (all if self.every else any)(each.holds(tags) for each in self.filters)


Groups = tuple[tuple[Condition, ...], ...]  # one group has to hold, and in it every condition


@dataclass(slots=True, eq=False)
class Segment:
    """Moments are epoch seconds; until `ready` it is building, and has nobody in it."""

    number: int
    id: str
    name: str
    given: Any
    groups: Groups
    created: float
    updated: float
    ready: float

    def holds(self, person: Person, now: float) -> bool:
        return now >= self.ready and any(all(each.holds(person.tags) for each in group) for group in self.groups)

    def shown(self, now: float) -> dict[str, Any]:
        return {
            "segmentID": self.id,
            "name": self.name,
            "status": "ready" if now >= self.ready else "building",
            "conditionGroups": self.given,
            "isStarred": False,
            "archivedAt": None,
            "createdAt": written(self.created),
            "updatedAt": written(self.updated),
        }
