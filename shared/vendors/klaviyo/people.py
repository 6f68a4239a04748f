"""Which people Klaviyo has, asked for many at once. Facts: Klaviyo contract, sections 4 to 6."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from shared.mailbox import normalised
from shared.vendors.answers import Answer, Request
from shared.vendors.batches import halves
from shared.vendors.klaviyo import requests, responses
from shared.vendors.klaviyo.client import PAGE_PATIENCE, KlaviyoCalls
from shared.vendors.klaviyo.definition import DEFINITION
from shared.vendors.klaviyo.responses import Profile
from shared.vendors.opted_out import OptedOut

MOST_UNSUBSCRIBED = 50_000
"""People who said no to one list; more would not be read within one slice at Klaviyo's rates."""

LANES = 4
"""Questions under way at once, so that it is the rate that binds and not how long an answer takes."""

_TOO_LONG = frozenset({400, 413, 414})
"""A filter that is refused: for its length, or for a value in it."""

Asking = Callable[[Sequence[str]], Request]


@dataclass(slots=True)
class PeopleFound:
    """Entries of the people who were asked for. `unasked` are values for which Klaviyo took no question."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    unasked: set[str] = field(default_factory=set)

    def with_others(self, others: PeopleFound) -> PeopleFound:
        self.entries += others.entries
        self.unasked |= others.unasked
        return self

    def profiles(self) -> list[Profile]:
        return [responses.profile(each) for each in self.entries]

    def by_address(self) -> Mapping[str, Profile]:
        """By address in small letters."""
        return {each.folded: each for each in self.profiles()}


def among(calls: KlaviyoCalls, values: Iterable[str], asking: Asking) -> PeopleFound:
    """Ask for so many people by address or id, as many at once as a filter takes."""
    found = PeopleFound()
    sayable: list[str] = []
    for value in dict.fromkeys(values):
        if requests.is_sayable(value):
            sayable.append(value)
        else:
            found.unasked.add(value)
    groups = [*requests.in_filters(sayable)]
    if len(groups) < 2:
        return found.with_others(_ask(calls, groups[0], asking)) if groups else found
    with ThreadPoolExecutor(LANES, thread_name_prefix="people") as pool:
        for each in pool.map(lambda group: _ask(calls, group, asking), groups):
            found.with_others(each)
    return found


def _ask(calls: KlaviyoCalls, group: Sequence[str], asking: Asking) -> PeopleFound:
    entries = calls.ask(asking(group), _entries, patience=PAGE_PATIENCE)
    if entries is not None:
        return PeopleFound(entries)
    if len(group) == 1:
        return PeopleFound(unasked={group[0]})
    found = PeopleFound()
    for half in halves(range(len(group))):
        found.with_others(_ask(calls, [group[place] for place in half], asking))
    return found


def _entries(answer: Answer) -> list[dict[str, Any]] | None:
    """None where the filter was refused. A page holds as many people as a filter names."""
    return None if answer.status in _TOO_LONG else responses.page(answer).entries


def opted_out(calls: KlaviyoCalls) -> OptedOut:
    """People who said no to a list, by addresses in small letters."""

    def roll(list_id: str) -> Iterator[Collection[str]]:
        for entry in calls.entries(requests.unsubscribed(list_id)):
            yield (normalised(responses.profile(entry).email),)

    return OptedOut(DEFINITION.label, MOST_UNSUBSCRIBED, roll)
