"""The calls under /contacts that write one contact or read some (contract sections 3 and 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dev.simulators.common.vendor import Answer, Call, json_answer
from dev.simulators.omnisend import bodies
from dev.simulators.omnisend.answers import invalid, problem
from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.content import contact, email_status
from dev.simulators.omnisend.desk import Desk
from dev.simulators.omnisend.jobs import Result
from dev.simulators.omnisend.paging import Order, Place, page
from dev.simulators.omnisend.person import Person
from dev.simulators.omnisend.upsert import Writer, stored_tags

_QUERY: Mapping[str, bodies.Reader] = {
    "limit": bodies.whole(1, 250),
    "after": bodies.text,
    "before": bodies.text,
    "sort": bodies.one_of("createdAt", "updatedAt"),
    "direction": bodies.one_of("asc", "desc"),
    "email": bodies.text,
    "phone": bodies.text,
    "status": bodies.one_of("subscribed", "unsubscribed", "nonSubscribed"),
    "segmentID": bodies.text,
    "tag": bodies.text,
    "updatedAtFrom": bodies.moment,
}
_FILTERS = ("email", "phone", "status", "segmentID", "tag", "updatedAtFrom")
_PLACES: Mapping[str, Callable[[Person], Place]] = {
    "createdAt": lambda person: (person.created, person.number),
    "updatedAt": lambda person: (person.updated, person.number),
}


class Contacts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def upsert(self, call: Call) -> Answer:
        brand, body = self._desk.of(call), bodies.read(call)
        return self._told(brand, self._writer(brand).post(body))

    def patch_by_email(self, call: Call) -> Answer:
        asked = bodies.query(call, {"email": bodies.text}, required=("email",))
        brand = self._desk.of(call)
        person = brand.by_email(asked["email"], self._desk.settings.email_case == "insensitive")
        return self._patch(call, brand, person)

    def patch_by_id(self, call: Call) -> Answer:
        brand = self._desk.of(call)
        return self._patch(call, brand, brand.by_id(call.parameters["id"]))

    def _patch(self, call: Call, brand: Brand, person: Person | None) -> Answer:
        body = bodies.read(call)
        return self._told(brand, self._writer(brand).patch(person, body) if person else Result(404))

    def _writer(self, brand: Brand) -> Writer:
        return Writer(brand, self._desk.settings, self._desk.clock.epoch())

    def _told(self, brand: Brand, result: Result) -> Answer:
        if result.person is None:
            return invalid(*result.errors) if result.errors else problem(result.code)
        shown = contact(brand, result.person, self._desk.clock.epoch())
        return json_answer(shown, result.code, rows=1, touched=[result.person.email])

    def one(self, call: Call) -> Answer:
        brand, now = self._desk.of(call), self._desk.clock.epoch()
        person = brand.by_id(call.parameters["id"])
        if person is None or person.visible_from > now:
            return problem(404, "There is no such contact.")
        return json_answer(contact(brand, person, now))

    def many(self, call: Call) -> Answer:
        asked = bodies.query(call, _QUERY)
        _check_combination(asked)
        brand, now = self._desk.of(call), self._desk.clock.epoch()
        sort = asked.get("sort", "createdAt")
        filters = {name: asked[name] for name in _FILTERS if name in asked}
        order: Order[Person] = Order(_PLACES[sort], asked.get("direction", "desc") == "desc", {**filters, "sort": sort})
        people = self._sorted(brand, filters, order, now)
        found = page(people, order, asked.get("limit", 100), asked.get("after"), asked.get("before"))
        return json_answer({"contacts": [contact(brand, each, now) for each in found.items], "paging": found.paging})

    def _sorted(self, brand: Brand, filters: Mapping[str, Any], order: Order[Person], now: float) -> Sequence[Person]:
        """Sorting a million people anew for each page would take hours, so the latest is kept while nothing changes."""
        key = (order.name, brand.version, min(now, brand.settles_at))
        if brand.sorted[0] != key:
            chosen = [each for each in self._chosen(brand, filters, now) if each.visible_from <= now]
            brand.sorted = (key, order.sorted(chosen))
        return brand.sorted[1]

    def _chosen(self, brand: Brand, filters: Mapping[str, Any], now: float) -> Iterable[Person]:
        sets = [self._matching(brand, name, value, now) for name, value in filters.items()]
        people, *others = sets or [brand.people]
        for other in map(set, others):
            people = [each for each in people if each in other]
        return people

    def _matching(self, brand: Brand, name: str, value: Any, now: float) -> Iterable[Person]:
        match name:
            case "email":
                found = brand.by_email(value, self._desk.settings.email_case == "insensitive")
                return [found] if found else []
            case "phone":
                found = brand.by_phone(value)
                return [found] if found else []
            case "tag":
                return brand.tags.get(stored_tags([value], self._desk.settings)[0], ())
            case "segmentID":
                if value not in brand.segments:
                    raise bodies.refuse("segmentID", "invalid_value", "There is no such segment")
                return brand.members(brand.segments[value], now)
            case "status":
                return (each for each in brand.people if email_status(each) == value)
            case _:
                return (each for each in brand.people if each.updated >= value)


def _check_combination(asked: Mapping[str, Any]) -> None:
    """Contract section 5: which filters exclude one another. Raises `Refusal` (400)."""
    if "tag" in asked and "status" in asked:
        raise bodies.refuse("tag", "invalid_value", "Cannot be combined with status")
    if "updatedAtFrom" in asked and any(name in asked for name in _FILTERS[:-1]):
        raise bodies.refuse("updatedAtFrom", "invalid_value", "Cannot be combined with another filter")
