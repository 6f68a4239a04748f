"""Tags added and taken off in bulk: accepted at once, done a little later (contract section 2a)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Refusal
from dev.simulators.omnisend import bodies
from dev.simulators.omnisend.answers import invalid
from dev.simulators.omnisend.brand import Brand
from dev.simulators.omnisend.desk import Desk
from dev.simulators.omnisend.fields import tag_errors
from dev.simulators.omnisend.person import Person
from dev.simulators.omnisend.upsert import stored_tags

_MOST_SELECTED = 250
_SELECTORS = ("emails", "contactIDs", "phones")
_ID = re.compile(r"[0-9a-f]{24}")

Selection = Mapping[str, Sequence[str]]
Apply = Callable[[Brand, Person, Sequence[str]], None]


class Tags:
    """The calls under /contacts/tags."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(self, call: Call) -> Answer:
        def tag(brand: Brand, person: Person, tags: Sequence[str]) -> None:
            brand.tag(person, tags, self._desk.settings.most_stored_tags)

        return self._accept(call, tag)

    def remove(self, call: Call) -> Answer:
        return self._accept(call, Brand.untag)

    def _accept(self, call: Call, apply: Apply) -> Answer:
        body = bodies.read(call)
        brand, settings, now = self._desk.of(call), self._desk.settings, self._desk.clock.epoch()
        rows = sum(len(body[name]) for name in _SELECTORS if type(body.get(name)) is list)
        try:
            tags, selection, segment_id = self._check(body, brand)
        except Refusal as refusal:
            return replace(refusal.answer, rows=rows)
        select = self._selecting(brand, selection, segment_id)
        # Taken literally, "no matching contact" is judged when the call is made: nobody is found who comes later.
        selected = select(now) if settings.tag_selects == "at_call" else None

        def work(due: float) -> None:
            for person in select(due) if selected is None else selected:
                before = person.tags
                apply(brand, person, tags)
                if person.tags != before:
                    brand.touch(person, due)

        self._desk.schedule.at(now + settings.tag_seconds + self._desk.jitter(), work)
        touched = [person.email for person in (selected if selected is not None else select(now))]
        return Answer(202, b"", rows=rows, touched=touched)

    def _check(self, body: Mapping[str, Any], brand: Brand) -> tuple[Sequence[str], Selection, str | None]:
        settings = self._desk.settings
        if errors := list(tag_errors(body.get("tags"), settings, least=1)):
            raise Refusal(invalid(*errors))
        selection = {name: bodies.texts(body, name, _MOST_SELECTED) for name in _SELECTORS}
        segment_id = body.get("segmentID")
        if not any(selection.values()) and segment_id is None:
            raise bodies.refuse("contactIDs", "required", "At least one selector is required")
        if segment_id is not None and (type(segment_id) is not str or segment_id not in brand.segments):
            raise bodies.refuse("segmentID", "invalid_value", "There is no such segment")
        if not all(_ID.fullmatch(each) for each in selection["contactIDs"]):
            raise bodies.refuse("contactIDs", "invalid_format", "Must be contact ids")
        return stored_tags(body["tags"], settings), selection, segment_id

    def _selecting(
        self, brand: Brand, selection: Selection, segment_id: str | None
    ) -> Callable[[float], Sequence[Person]]:
        """Who is selected at a moment, each once; a selector that meets nobody is ignored."""

        def select(now: float) -> Sequence[Person]:
            fold = self._desk.settings.email_case == "insensitive"
            found = [brand.by_email(each, fold) for each in selection["emails"]]
            found += [brand.by_id(each) for each in selection["contactIDs"]]
            found += [brand.by_phone(each) for each in selection["phones"]]
            people = dict.fromkeys(each for each in found if each is not None and each.visible_from <= now)
            brand.counts.selected_nobody += sum(each not in people for each in found)
            if segment_id is not None and segment_id in brand.segments:
                people |= dict.fromkeys(brand.members(brand.segments[segment_id], now))
            return list(people)

        return select
