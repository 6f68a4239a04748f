"""The question before very many people join a target at once: how many, who is new to the vendor, what starts, how long
it takes and what it may cost.

Whoever is asked about the vendor is asked only to look; trouble with it costs a number, never the run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from shared.catalog.models import FirstRun
from shared.delivery.plan.guards import FIRST_RUN, Facts, Finding
from shared.delivery.state.files import DataFile
from shared.delivery.state.lookup import rows
from shared.delivery.work import Work
from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.contract import Definition
from shared.wording import Message, say, say_many, some, together

MOST_LOOKED_UP = 200
LOOKING_SECONDS = 30.0
"""People are looked up in groups that double, as long as the next one ends within this time."""
FEWEST_REQUESTS = 5
"""Of a delivery, for the list and its fields, beside those that carry people."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class FirstRunQuestion:
    """What a person is told. `new` of the `looked_up` are not at the vendor yet; `starts` names automations, None where
    the vendor does not tell; `minutes` and `requests` are 0 where they were not measured; `notes` say it all."""

    people: int
    members: int
    looked_up: int
    new: int
    starts: Sequence[str] | None
    minutes: int
    requests: int
    bills_by: str
    notes: Sequence[Message]

    def finding(self) -> Finding:
        return Finding(FIRST_RUN, together([_joining(self), *self.notes], "; "))

    def plain(self) -> dict[str, Any]:
        """For a plan, which is JSON."""
        return asdict(self)


def question(work: Work, facts: Facts, additions: Sequence[DataFile]) -> FirstRunQuestion | None:
    """What to ask; None where nobody is to be asked. `additions` are the plan's files of people who would join."""
    if not facts.grows_much or work.export.first_run is FirstRun.DELIVER:
        return None
    definition, people = work.opened.definition, facts.balance.add
    looked_up, new, who = _new(work, additions)
    starts, what = _starts(work)
    minutes = math.ceil(people * definition.minutes_per_million / 1_000_000)
    calls = people * definition.calls_per_thousand / 1_000
    requests = FEWEST_REQUESTS + math.ceil(calls) if calls else 0
    notes = (who, what, _takes(minutes, requests), _costs(definition))
    bills_by = definition.bills_by
    return FirstRunQuestion(people, facts.members_before, looked_up, new, starts, minutes, requests, bills_by, notes)


def _joining(asked: FirstRunQuestion) -> Message:
    if not asked.members:
        return say("would add %(people)s people to a list that has nobody of this export yet", people=asked.people)
    return say(
        "would add %(people)s people to a list with %(members)s of this export",
        people=asked.people,
        members=asked.members,
    )


def _new(work: Work, additions: Sequence[DataFile]) -> tuple[int, int, Message]:
    """How many were looked up, how many of them the vendor does not have, and that in words."""
    label, known = work.opened.definition.label, list[bool]()
    try:
        for group in _groups(_drawn(work, additions), time.monotonic):
            told = work.opened.vendor.knows(work.wanted, work.remembered(), group)
            if told is None:
                return 0, 0, say("%(vendor)s does not tell how many of them are new to it", vendor=label)
            known += told
    except (RetryAfter, OutcomeUnknown, UserMustAct) as error:
        if not known:
            words = say(
                "%(vendor)s did not tell how many of them are new to it (%(why)s)", vendor=label, why=error.words
            )
            return 0, 0, words
    new = known.count(False)
    words = say("%(new)s of %(looked)s looked up are new to %(vendor)s", new=new, looked=len(known), vendor=label)
    return len(known), new, words


def _drawn(work: Work, additions: Sequence[DataFile]) -> list[str]:
    """Addresses of some who would join, the same each time for the same delivery; of one file, since parts are drawn by
    the address's digest."""
    file = max(additions, key=lambda each: each.rows)
    places = Random(work.folder).sample(range(file.rows), min(MOST_LOOKED_UP, file.rows))
    wanted = ", ".join(str(place) for place in places)
    return [each["address"] for each in rows(work.cloud, file, f"file_row_number IN ({wanted})")]


def _groups(addresses: Sequence[str], clock: Callable[[], float]) -> Iterator[Sequence[str]]:
    """One, two, four and so on, as long as the vendor answers fast enough for the next group."""
    began, start, size = clock(), 0, 1
    while start < len(addresses):
        yield addresses[start : start + size]
        start, size = start + size, 2 * size
        if 3 * (clock() - began) > LOOKING_SECONDS:
            return


def _starts(work: Work) -> tuple[Sequence[str] | None, Message]:
    """Automations that start for whoever joins, and that in words."""
    label = work.opened.definition.label
    try:
        found = work.opened.vendor.starts(work.wanted, work.remembered())
    except (RetryAfter, OutcomeUnknown, UserMustAct) as error:
        return None, say(
            "%(vendor)s did not tell which automations start for them (%(why)s)", vendor=label, why=error.words
        )
    if found is None:
        return None, say("%(vendor)s does not tell which automations start for them: look there", vendor=label)
    if not found:
        return found, say("no automation starts on this list, as %(vendor)s tells", vendor=label)
    return found, say("for each of them starts at %(vendor)s: %(names)s", vendor=label, names=some(found, _SHOWN))


def _takes(minutes: int, requests: int) -> Message:
    if not minutes:
        return say("how long it takes was not measured")
    if not requests:
        return say_many("about %(num)s minute", "about %(num)s minutes", minutes)
    return say_many(
        "about %(num)s minute and %(requests)s requests",
        "about %(num)s minutes and %(requests)s requests",
        minutes,
        requests=requests,
    )


def _costs(definition: Definition) -> Message:
    if definition.bills_by:
        return say("%(vendor)s bills by %(what)s", vendor=definition.label, what=definition.bills_by)
    return say("what %(vendor)s bills by stands in your contract with it", vendor=definition.label)
