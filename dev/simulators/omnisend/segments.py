"""Segments: rules over tags, kept up to date by the vendor (contract section 5). Only tag filters are simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dev.simulators.common.vendor import Answer, Call, Refusal, json_answer
from dev.simulators.omnisend import bodies
from dev.simulators.omnisend.answers import problem
from dev.simulators.omnisend.brand import Brand, Person
from dev.simulators.omnisend.moments import written
from dev.simulators.omnisend.paging import Order, Place, page
from dev.simulators.omnisend.settings import Settings
from dev.simulators.omnisend.upsert import stored_tags

if TYPE_CHECKING:
    from dev.simulators.omnisend.vendor import Omnisend

_LONGEST_NAME = 256


@dataclass(slots=True, frozen=True)
class _Filter:
    tags: frozenset[str]
    wanted: bool  # anyOf, else noneOf

    def holds(self, tags: Sequence[str]) -> bool:
        return self.tags.isdisjoint(tags) != self.wanted


@dataclass(slots=True, frozen=True)
class _Condition:
    filters: tuple[_Filter, ...]
    every: bool  # junction "and", else "or"

    def holds(self, tags: Sequence[str]) -> bool:
        return (all if self.every else any)(each.holds(tags) for each in self.filters)


Groups = tuple[tuple[_Condition, ...], ...]  # one group has to hold, and in it every condition


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

    def members(self, brand: Brand, now: float) -> Iterator[Person]:
        return (person for person in self._candidates(brand) if self.holds(person, now))

    def _candidates(self, brand: Brand) -> Iterable[Person]:
        """Spares looking at everybody where the rule is just one tag, as it mostly is."""
        match self.groups:
            case ((_Condition(filters=(_Filter(tags=tags, wanted=True),)),),) if len(tags) == 1:
                return list(brand.tags.get(next(iter(tags)), ()))
            case _:
                return brand.people

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


class Segments:
    """The calls under /segments."""

    def __init__(self, vendor: Omnisend) -> None:
        self._vendor = vendor

    def many(self, call: Call) -> Answer:
        known: dict[str, bodies.Reader] = {
            "limit": bodies.whole(1, 50),
            "after": bodies.text,
            "before": bodies.text,
            "sort": bodies.one_of("createdAt", "name"),
            "direction": bodies.one_of("asc", "desc"),
        }
        asked = bodies.query(call, known)
        sort = asked.get("sort", "createdAt")
        order: Order[Segment] = Order(_PLACES[sort], asked.get("direction", "desc") == "desc", {"sort": sort})
        segments = order.sorted(list(self._vendor.of(call).segments.values()))
        found = page(segments, order, asked.get("limit", 10), asked.get("after"), asked.get("before"))
        now = self._vendor.clock.epoch()
        return json_answer({"segments": [each.shown(now) for each in found.items], "paging": found.paging})

    def create(self, call: Call) -> Answer:
        brand, now = self._vendor.of(call), self._vendor.clock.epoch()
        name, given, groups = self._read(call, brand)
        number = brand.reserve()
        segment = Segment(number, brand.id_of(number), name, given, groups, now, now, now)
        self._build(brand, segment, now)
        brand.segments[segment.id] = segment
        return json_answer(segment.shown(now), 201)

    def one(self, call: Call) -> Answer:
        return json_answer(self._segment(call).shown(self._vendor.clock.epoch()))

    def change(self, call: Call) -> Answer:
        brand, now = self._vendor.of(call), self._vendor.clock.epoch()
        segment = self._ready_segment(call, now)
        segment.name, segment.given, segment.groups = self._read(call, brand, segment)
        segment.updated = now
        self._build(brand, segment, now)
        return json_answer(segment.shown(now))

    def delete(self, call: Call) -> Answer:
        brand = self._vendor.of(call)
        segment = self._ready_segment(call, self._vendor.clock.epoch())
        del brand.segments[segment.id]
        return Answer(204, b"")

    def statistics(self, call: Call) -> Answer:
        brand, now = self._vendor.of(call), self._vendor.clock.epoch()
        members = self._segment(call).members(brand, now)
        return json_answer({"contactsCount": sum(person.visible_from <= now for person in members)})

    def _segment(self, call: Call) -> Segment:
        segment = self._vendor.of(call).segments.get(call.parameters["segmentID"])
        if segment is None:
            raise Refusal(problem(404, "There is no such segment."))
        return segment

    def _ready_segment(self, call: Call, now: float) -> Segment:
        segment = self._segment(call)
        if now < segment.ready:
            raise Refusal(problem(409, "The segment is currently being built."))
        return segment

    def _build(self, brand: Brand, segment: Segment, now: float) -> None:
        segment.ready = now + self._vendor.settings.segment_seconds
        brand.settles_at = max(brand.settles_at, segment.ready)
        brand.version += 1

    def _read(self, call: Call, brand: Brand, of: Segment | None = None) -> tuple[str, Any, Groups]:
        """Name, condition groups as given, and what they mean. Raises `Refusal` (400)."""
        body = bodies.read(call)
        name, given = body.get("name"), body.get("conditionGroups")
        if type(name) is not str or not 1 <= len(name) <= _LONGEST_NAME:
            raise bodies.refuse("name", "invalid_length", f"Must have 1 to {_LONGEST_NAME} letters")
        taken = any(each.name == name and each is not of for each in brand.segments.values())
        if taken and not self._vendor.settings.duplicate_segment_names:
            raise bodies.refuse("name", "duplicate", "A segment of that name exists")
        settings = self._vendor.settings
        groups = tuple(
            tuple(
                _condition(f"conditionGroups.{number}.conditions.{place}", each, settings)
                for place, each in enumerate(_objects(f"conditionGroups.{number}.conditions", group.get("conditions")))
            )
            for number, group in enumerate(_objects("conditionGroups", given))
        )
        return name, given, groups


_PLACES: Mapping[str, Callable[[Segment], Place]] = {
    "createdAt": lambda segment: (segment.created, segment.number),
    "name": lambda segment: (segment.name, segment.number),
}


def _condition(where: str, given: Mapping[str, Any], settings: Settings) -> _Condition:
    if given.get("entity") != "contact":
        raise bodies.refuse(f"{where}.entity", "invalid_value", "Only contact is simulated")
    junction = given.get("junction", "and")
    if junction not in ("and", "or"):
        raise bodies.refuse(f"{where}.junction", "invalid_value", "Must be and or or")
    filters = _objects(f"{where}.filters", given.get("filters"))
    return _Condition(tuple(_filter(f"{where}.filters", each, settings) for each in filters), junction == "and")


def _filter(where: str, given: Mapping[str, Any], settings: Settings) -> _Filter:
    if given.get("property") != "tags" or given.get("operator") not in ("anyOf", "noneOf"):
        raise bodies.refuse(where, "invalid_value", "Only tags with anyOf and noneOf are simulated")
    values = given.get("value")
    if type(values) is not list or not values or any(type(each) is not str for each in values):
        raise bodies.refuse(f"{where}.value", "invalid_type", "Must be a list of strings")
    return _Filter(frozenset(stored_tags(values, settings)), given["operator"] == "anyOf")


def _objects(where: str, given: Any) -> list[dict[str, Any]]:
    if type(given) is not list or not given or any(type(each) is not dict for each in given):
        raise bodies.refuse(where, "invalid_type", "Must be a list of at least one object")
    return given
