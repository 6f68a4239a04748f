"""Answers about a list's numbers and about one person; nothing here talks to anyone. Contract, sections 2, 3 and 6."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.campaign_monitor import people
from shared.vendors.campaign_monitor.definition import CONSENT, MOBILE, NAME
from shared.vendors.campaign_monitor.errors import envelope, number, require_known_id
from shared.vendors.campaign_monitor.people import Notes, Shape
from shared.vendors.campaign_monitor.responses import plain_key
from shared.vendors.comparing import seen_as
from shared.vendors.contract import Count, Row, Seen
from shared.wording import say

_NOBODY = 203
_ON_LIST = frozenset({"active", "unconfirmed"})
_DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Shown:
    """`fields` by name, custom ones by a name that is the same for a field's name and its key."""

    state: str
    fields: Mapping[str, Any]


def stats(answer: Answer) -> Count:
    """Raises UnexpectedAnswer."""
    require_known_id(answer)
    body = answer.object()
    active, *inactive = (number(body.get(f"Total{name}")) for name in ("ActiveSubscribers", *_INACTIVE))
    if answer.status != 200 or active is None:
        raise UnexpectedAnswer(say("Campaign Monitor's answer about a list has no numbers."))
    return Count(active, sum(each or 0 for each in inactive))


_INACTIVE = ("Unsubscribes", "Bounces")


def person(answer: Answer) -> Shown | None:
    """None where the list has nobody of this address. Raises UnexpectedAnswer."""
    if answer.status == 400 and envelope(answer)[0] == _NOBODY:
        return None
    require_known_id(answer)
    body = answer.object()
    state, custom = body.get("State"), body.get("CustomFields")
    if answer.status != 200 or not isinstance(state, str) or not isinstance(custom, list):
        raise UnexpectedAnswer(say("Campaign Monitor's answer about a person describes none."))
    return Shown(state.lower(), _fields(body, custom))


def listed(entry: Mapping[str, Any]) -> Shown:
    """A person as a page of people shows them, all of whom are on the list."""
    return Shown("active", _fields(entry, entry.get("CustomFields") or ()))


def _fields(entry: Mapping[str, Any], custom: Iterable[Any]) -> Mapping[str, Any]:
    own = {name: entry[name] for name in (NAME, MOBILE) if name in entry}
    return own | {_same(each["Key"]): each.get("Value") for each in custom if isinstance(each, dict) and "Key" in each}


def seen(row: Row, shape: Shape, found: Shown | None) -> Seen:
    """A person beside what an import of the row says of them."""
    if found is None:
        return Seen(on_target=False)
    sent, names = _sent(row, shape), {_same(field.key): name for name, field in shape.fields.items()}
    shown = {names.get(key, key): value for key, value in found.fields.items()}
    on_list = found.state in _ON_LIST
    return seen_as(sent, shown, on_target=on_list, inactive=not on_list and found.state != _DELETED)


def _sent(row: Row, shape: Shape) -> dict[str, Any]:
    """Field -> value as an import has it; consents, which people change by themselves, and choices are left out."""
    notes: Notes = {}
    entry = orjson.loads(people.entry(row, shape, notes))
    custom: dict[str, list[Any]] = {}
    for each in entry.get("CustomFields", ()):
        custom.setdefault(each["Key"], []).append(each["Value"])
    names = {field.key: name for name, field in shape.fields.items() if name != CONSENT}
    sent = {name: entry[name] for name in (NAME, MOBILE) if name in entry}
    return sent | {names[key]: values[0] for key, values in custom.items() if key in names and len(values) == 1}


def _same(name: Any) -> str:
    """Keys are names without spaces, and are shown in brackets or not at all."""
    return "".join(plain_key(str(name)).casefold().split())
