"""Choosing the list that an export writes to, by its id or by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from shared.cloud.scrubbing import excerpt
from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.contract import TargetFound
from shared.wording import say

LATER = 30.0
"""Seconds until it is looked at again whether a list was made."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a vendor lists by id and name: a list, or an account's client."""

    id: str
    name: str

    @property
    def target(self) -> TargetFound:
        return TargetFound(self.id, self.name)


L = TypeVar("L", bound=Listed)


def by_id(lists: Sequence[L], list_id: str) -> L | None:
    wanted = list_id.strip().casefold()
    return next((each for each in lists if each.id.casefold() == wanted), None)


def named(lists: Sequence[L], name: str) -> list[L]:
    """The lists with exactly this name. The oldest comes first where ids are numbers that grow."""
    return sorted((each for each in lists if each.name == name), key=lambda each: (len(each.id), each.id))


def for_picker(lists: Sequence[L]) -> list[L]:
    """All lists, in the order in which a picker shows them."""
    return sorted(lists, key=lambda each: (each.name.lower(), len(each.id), each.id))


def vanished(label: str, list_id: str) -> UserMustAct:
    return UserMustAct(
        "target_vanished",
        say("The list %(list)s does not exist in %(vendor)s.", list=excerpt(list_id, 20), vendor=label),
    )


def make(
    label: str, name: str, create: Callable[[str], Listed | None], find: Callable[[], TargetFound | None]
) -> TargetFound | None:
    """Make a list of this name, of which there was none a moment ago.

    `create` returns None where the vendor says that it has the name. Then, and where the vendor's answer was lost,
    `find` looks for the name again. None where the vendor has the name, but shows no such list.

    Raises RetryAfter where nobody knows whether the list was made.
    """
    answered = True
    try:
        if made := create(name):
            return replace(made.target, created=True)
    except OutcomeUnknown:
        answered = False
    if found := find():
        # There was none before, so without an answer it is ours; else somebody was faster.
        return replace(found, created=not answered)
    if answered:
        return None
    raise RetryAfter(LATER, say("%(vendor)s did not say whether it made the list.", vendor=label))
