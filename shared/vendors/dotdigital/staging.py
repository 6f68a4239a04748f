"""Carries out a batch as jobs of Dotdigital's: an import or a removal, and several where one would be too large.

The jobs run one after the other, so a batch has one open at any time. Facts: Dotdigital contract, sections 4 to 7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson
from pydantic import TypeAdapter

from shared.errors import RetryAfter
from shared.vendors.answers import Answer
from shared.vendors.batches import FRUITLESS_REQUESTS
from shared.vendors.contract import Kind, Row, TargetFound
from shared.vendors.dotdigital import requests, responses
from shared.vendors.dotdigital.client import Calls
from shared.vendors.dotdigital.definition import MOST_BYTES, MOST_IDS, OPT_IN
from shared.vendors.dotdigital.left_alone import Unsubscribed
from shared.wording import say

MOST_LOOKS = 100
"""People of one import who are looked up before a change. Dotdigital tells everybody's id with an import, so that they
are few, and each is looked up once."""


class JobPart(NamedTuple):
    """The rows up to `stop`. `id` is their job at Dotdigital, None where nothing was left to ask of it.

    `refusal` says why Dotdigital refused the request as a whole.
    """

    stop: int
    id: str | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class StagedJob:
    """Parts of a batch so far. `started` is when the last one was (seconds since 1970)."""

    started: float
    parts: tuple[JobPart, ...] = ()
    left_alone: tuple[int, ...] = ()
    """Rows that were not sent, since the person unsubscribed from the list."""
    missing: tuple[int, ...] = ()
    """Changes and removals that were not sent, since Dotdigital has nobody of the address."""

    @property
    def stop(self) -> int:
        """The first row that is in no part yet."""
        return self.parts[-1].stop if self.parts else 0

    def then(self, begun: StartedJob, started: float) -> StagedJob:
        left_alone, missing = (*self.left_alone, *begun.left_alone), (*self.missing, *begun.missing)
        return StagedJob(started, (*self.parts, begun.part), left_alone, missing)

    def spans(self) -> Iterator[tuple[JobPart, list[int]]]:
        """Each part with the rows that were sent in it."""
        start, skipped = 0, {*self.left_alone, *self.missing}
        for part in self.parts:
            yield part, [index for index in range(start, part.stop) if index not in skipped]
            start = part.stop

    def text(self) -> str:
        return _JOB.dump_json(self).decode()

    @staticmethod
    def parse(text: str) -> StagedJob:
        return _JOB.validate_json(text)


_JOB = TypeAdapter(StagedJob)


@dataclass(slots=True)
class StartedJob:
    """A part, and the rows of it that were left alone or belong to nobody."""

    part: JobPart
    left_alone: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """People who go into one import: the rows up to `stop`. `odd` of them had an opt-in type that is left out; the
    `missing` are changes of people whom Dotdigital does not have."""

    people: list[bytes] = field(default_factory=list)
    stop: int = 0
    size: int = 0
    odd: int = 0
    looks: int = 0
    missing: list[int] = field(default_factory=list)


class Parts:
    """Starts parts. An import that Dotdigital calls too large is halved. Thread safe."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._unsubscribed = Unsubscribed(
            lambda list_id, skip: calls.ask_page(requests.unsubscribed(list_id, skip), responses.unsubscribed)
        )
        self._most_bytes: int | None = None
        """What an import may have, where Dotdigital took none of our own size; kept, so that it is found out once."""
        self._too_large = 0
        """Imports in a row that were too large."""
        self._found: set[str] = set()
        """Addresses of people who were looked up before a change."""

    def unsubscribed(self, list_id: str, rows: Sequence[Row]) -> set[int]:
        """Indexes of the rows whose person unsubscribed from the list."""
        return self._unsubscribed.among(list_id, rows)

    def start(self, target: TargetFound, kind: Kind, rows: Sequence[Row], first: int) -> StartedJob:
        """Start the part that begins with row `first`. Raises what a call raises, when nothing of it was done."""
        # A change names no list, so it cannot put anybody back on one.
        alone = set[int]() if kind is Kind.CHANGE else self._unsubscribed.among(target.list_id, rows[first:])
        alone = {first + index for index in alone}
        if kind is Kind.REMOVE:
            return self._remove(target, rows, first, alone)
        return self._import(target, kind, rows, first, alone)

    def _import(self, target: TargetFound, kind: Kind, rows: Sequence[Row], first: int, alone: set[int]) -> StartedJob:
        while True:
            group = self._group(target, kind, rows, first, alone)
            answer = self._calls.call(requests.import_people(group.people)) if group.people else None
            if answer is None or not self._must_be_halved(group, answer):
                break
        started = _started(answer, group.stop, alone)
        started.missing = group.missing
        if group.odd:
            started.warnings.append(
                say(
                    "%(field)s was left out (people: %(people)s): it is unknown, single or double.",
                    field=OPT_IN,
                    people=group.odd,
                )
            )
        return started

    def _group(self, target: TargetFound, kind: Kind, rows: Sequence[Row], first: int, alone: set[int]) -> _Group:
        """As many people as one import may have, at least one. An import by the address would make whoever is not
        there, so a change whose id is not known waits for a look."""
        dates = dates_of(target)
        most = min(self._most_bytes or MOST_BYTES, MOST_BYTES)
        group = _Group(stop=first)
        while group.stop < len(rows) and group.looks < MOST_LOOKS:
            row = rows[group.stop]
            try:
                is_there = self._is_there(kind, row, group)
            except RetryAfter:
                if group.stop == first:
                    raise
                break  # what was looked up is not looked up again
            if not is_there:
                group.missing.append(group.stop)
            elif group.stop not in alone:
                entry, odd = person(target, kind, row, dates)
                if group.people and group.size + len(entry) >= most:
                    break
                group.people.append(entry)
                group.size += len(entry) + 1
                group.odd += odd
            group.stop += 1
        return group

    def _is_there(self, kind: Kind, row: Row, group: _Group) -> bool:
        if kind is not Kind.CHANGE or row.vendor_id or row.address in self._found:
            return True
        group.looks += 1
        if self._contact_id(row) is None:
            return False
        self._found.add(row.address)
        return True

    def _must_be_halved(self, group: _Group, answer: Answer) -> bool:
        if not responses.too_large(answer):
            self._too_large = 0
            return False
        self._too_large += 1
        if self._too_large > FRUITLESS_REQUESTS:  # whatever is sent: the size is not what is wrong
            self._most_bytes = None
            return False
        if len(group.people) == 1:
            return False
        self._most_bytes = group.size // 2
        return True

    def _remove(self, target: TargetFound, rows: Sequence[Row], first: int, alone: set[int]) -> StartedJob:
        """A person whom Dotdigital does not know is on no list, so there is nothing to take off."""
        ids: list[int] = []
        missing: list[int] = []
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
                missing += [stop] if found is None and rows[stop].unsure_since is None else []
            stop += 1
        started = _started(self._calls.call(requests.remove(target.list_id, ids)) if ids else None, stop, alone)
        started.missing = missing
        return started

    def _contact_id(self, row: Row) -> int | None:
        if row.vendor_id and row.vendor_id.isdecimal():
            return int(row.vendor_id)
        return self._calls.ask(requests.contact(row.address), responses.contact_id)


def dates_of(target: TargetFound) -> Collection[str]:
    """Names of the fields of type date."""
    names: list[str] = orjson.loads(target.details.get("dates", "[]"))
    return names


def person(target: TargetFound, kind: Kind, row: Row, dates: Collection[str]) -> tuple[bytes, bool]:
    """A contact of an import, and whether its opt-in type is left out as none that may be written."""
    said = requests.told(row.values, dates)
    return requests.person(kind, target.list_id, row, said), said.odd


def _started(answer: Answer | None, stop: int, alone: set[int]) -> StartedJob:
    """What an answer makes of the rows up to `stop`; None where there was nothing to ask for."""
    left_alone = sorted(index for index in alone if index < stop)
    if answer is None:
        return StartedJob(JobPart(stop), left_alone)
    if words := responses.refused(answer):
        return StartedJob(JobPart(stop, refusal=words), left_alone)
    return StartedJob(JobPart(stop, responses.started(answer)), left_alone)
