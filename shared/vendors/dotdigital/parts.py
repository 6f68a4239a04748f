"""Starts one part of a batch: an import of as many people as one may have, or a removal of as many contacts.

Facts: Dotdigital contract, sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from shared.errors import RetryAfter
from shared.vendors.answers import Request
from shared.vendors.contract import Kind, Row, TargetFound
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.calls import Calls
from shared.vendors.dotdigital.definition import MOST_BYTES, MOST_IDS, OPT_IN
from shared.vendors.dotdigital.jobs import Part
from shared.vendors.dotdigital.unsubscribed import Unsubscribed, is_in
from shared.vendors.dotdigital.values import told


@dataclass(slots=True)
class Started:
    """A part, and the rows of it that were left alone."""

    part: Part
    left_alone: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Parts:
    """Starts parts. Thread safe."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._unsubscribed = Unsubscribed(calls)

    def start(self, target: TargetFound, kind: Kind, rows: Sequence[Row], first: int) -> Started:
        """Start the part that begins with row `first`. Raises what a call raises, when nothing of it was done."""
        # A change names no list, so it cannot put anybody back on one.
        left = [] if kind is Kind.CHANGE else self._unsubscribed.of(target.list_id)
        alone = {index for index in range(first, len(rows)) if is_in(left, rows[index])} if left else set[int]()
        if kind is Kind.REMOVE:
            return self._remove(target, rows, first, alone)
        return self._import(target, kind, rows, first, alone)

    def _import(self, target: TargetFound, kind: Kind, rows: Sequence[Row], first: int, alone: set[int]) -> Started:
        dates = orjson.loads(target.details.get("dates", "[]"))
        people: list[bytes] = []
        size = odd = 0
        stop = first
        while stop < len(rows):
            if stop not in alone:
                said = told(rows[stop].values, dates)
                person = requests.person(kind, target.list_id, rows[stop].address, said)
                if people and size + len(person) >= MOST_BYTES:
                    break
                people.append(person)
                size += len(person) + 1
                odd += said.odd
            stop += 1
        started = self._send(requests.import_people(people) if people else None, stop, alone)
        if odd:
            started.warnings.append(f"{OPT_IN} was left out for {odd} people: it is unknown, single or double.")
        return started

    def _remove(self, target: TargetFound, rows: Sequence[Row], first: int, alone: set[int]) -> Started:
        """People whom Dotdigital does not know are on no list, so there is nothing to take off."""
        ids: list[int] = []
        stop = first
        while stop < len(rows) and len(ids) < MOST_IDS:
            if stop not in alone:
                try:
                    found = self._contact_id(rows[stop])
                except RetryAfter:
                    if stop == first:
                        raise
                    break  # what was looked up is not looked up again
                ids += [found] if found is not None else []
            stop += 1
        return self._send(requests.remove(target.list_id, ids) if ids else None, stop, alone)

    def _contact_id(self, row: Row) -> int | None:
        if row.vendor_id and row.vendor_id.isdecimal():
            return int(row.vendor_id)
        return self._calls.ask(requests.contact(row.address), responses.contact_id)

    def _send(self, request: Request | None, stop: int, alone: set[int]) -> Started:
        left_alone = sorted(index for index in alone if index < stop)
        if request is None:
            return Started(Part(stop), left_alone)
        answer = self._calls.call(request)
        if words := responses.refused(answer):
            return Started(Part(stop, refusal=words), left_alone)
        return Started(Part(stop, responses.started(answer)), left_alone)
