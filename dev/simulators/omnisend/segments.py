"""Segments: rules over tags, kept up to date by the vendor (contract section 5). Only tag filters are simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Refusal, json_answer
from dev.simulators.omnisend import bodies
from dev.simulators.omnisend.answers import problem
from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.desk import Desk
from dev.simulators.omnisend.paging import Order, Place, page
from dev.simulators.omnisend.rules import Condition, Filter, Groups, Segment
from dev.simulators.omnisend.settings import Settings
from dev.simulators.omnisend.upsert import stored_tags

_LONGEST_NAME = 256


class Segments:
    """The calls under /segments."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

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
        segments = order.sorted(list(self._desk.of(call).segments.values()))
        found = page(segments, order, asked.get("limit", 10), asked.get("after"), asked.get("before"))
        now = self._desk.clock.epoch()
        return json_answer({"segments": [each.shown(now) for each in found.items], "paging": found.paging})

    def create(self, call: Call) -> Answer:
        brand, now = self._desk.of(call), self._desk.clock.epoch()
        name, given, groups = self._read(call, brand)
        number = brand.reserve()
        segment = Segment(number, brand.id_of(number), name, given, groups, now, now, now)
        self._build(brand, segment, now)
        brand.segments[segment.id] = segment
        return json_answer(segment.shown(now), 201)

    def one(self, call: Call) -> Answer:
        return json_answer(self._segment(call).shown(self._desk.clock.epoch()))

    def change(self, call: Call) -> Answer:
        brand, now = self._desk.of(call), self._desk.clock.epoch()
        segment = self._ready_segment(call, now)
        segment.name, segment.given, segment.groups = self._read(call, brand, segment)
        segment.updated = now
        self._build(brand, segment, now)
        return json_answer(segment.shown(now))

    def delete(self, call: Call) -> Answer:
        brand = self._desk.of(call)
        segment = self._ready_segment(call, self._desk.clock.epoch())
        del brand.segments[segment.id]
        return Answer(204, b"")

    def statistics(self, call: Call) -> Answer:
        brand, now = self._desk.of(call), self._desk.clock.epoch()
        members = brand.members(self._segment(call), now)
        return json_answer({"contactsCount": sum(person.visible_from <= now for person in members)})

    def _segment(self, call: Call) -> Segment:
        segment = self._desk.of(call).segments.get(call.parameters["segmentID"])
        if segment is None:
            raise Refusal(problem(404, "There is no such segment."))
        return segment

    def _ready_segment(self, call: Call, now: float) -> Segment:
        segment = self._segment(call)
        if now < segment.ready:
            raise Refusal(problem(409, "The segment is currently being built."))
        return segment

    def _build(self, brand: Brand, segment: Segment, now: float) -> None:
        segment.ready = now + self._desk.settings.segment_seconds
        brand.settles_at = max(brand.settles_at, segment.ready)
        brand.version += 1

    def _read(self, call: Call, brand: Brand, of: Segment | None = None) -> tuple[str, Any, Groups]:
        """Name, condition groups as given, and what they mean. Raises `Refusal` (400)."""
        body = bodies.read(call)
        name, given = body.get("name"), body.get("conditionGroups")
        if type(name) is not str or not 1 <= len(name) <= _LONGEST_NAME:
            raise bodies.refuse("name", "invalid_length", f"Must have 1 to {_LONGEST_NAME} letters")
        taken = any(each.name == name and each is not of for each in brand.segments.values())
        if taken and not self._desk.settings.duplicate_segment_names:
            raise bodies.refuse("name", "duplicate", "A segment of that name exists")
        settings = self._desk.settings
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


def _condition(where: str, given: Mapping[str, Any], settings: Settings) -> Condition:
    if given.get("entity") != "contact":
        raise bodies.refuse(f"{where}.entity", "invalid_value", "Only contact is simulated")
    junction = given.get("junction", "and")
    if junction not in ("and", "or"):
        raise bodies.refuse(f"{where}.junction", "invalid_value", "Must be and or or")
    filters = _objects(f"{where}.filters", given.get("filters"))
    return Condition(tuple(_filter(f"{where}.filters", each, settings) for each in filters), junction == "and")


def _filter(where: str, given: Mapping[str, Any], settings: Settings) -> Filter:
    if given.get("property") != "tags" or given.get("operator") not in ("anyOf", "noneOf"):
        raise bodies.refuse(where, "invalid_value", "Only tags with anyOf and noneOf are simulated")
    values = given.get("value")
    if type(values) is not list or not values or any(type(each) is not str for each in values):
        raise bodies.refuse(f"{where}.value", "invalid_type", "Must be a list of strings")
    return Filter(frozenset(stored_tags(values, settings)), given["operator"] == "anyOf")


def _objects(where: str, given: Any) -> list[dict[str, Any]]:
    if type(given) is not list or not given or any(type(each) is not dict for each in given):
        raise bodies.refuse(where, "invalid_type", "Must be a list of at least one object")
    return given
