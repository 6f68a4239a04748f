"""Answers about a list's size and about people; nothing here talks to anyone. Klaviyo contract, sections 6 and 7."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from shared.vendors import lists
from shared.vendors.answers import Answer
from shared.vendors.comparing import seen_as
from shared.vendors.contract import Count, Row, Seen
from shared.vendors.klaviyo import responses
from shared.vendors.klaviyo.definition import DEFINITION, LOCATION, STANDARD


def count(list_id: str, answer: Answer) -> Count | None:
    """None where Klaviyo does not tell it. It counts people who get nothing, too: those are not told apart."""
    if answer.status == 404:
        raise lists.vanished(DEFINITION.label, list_id)
    found: Any = answer.expect(DEFINITION.label, 200).object()
    for name in ("data", "attributes", "profile_count"):
        found = found.get(name) if isinstance(found, dict) else None
    return Count(found) if isinstance(found, int) and not isinstance(found, bool) else None


def seen(list_id: str, row: Row, member: Mapping[str, Any] | None, profile: Mapping[str, Any] | None) -> Seen:
    """A person beside their row: as a member of the list, or as somebody whom Klaviyo has without being one."""
    shown = member or profile
    if shown is None:
        return Seen(on_target=False)
    attributes = shown.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    return beside(row, attributes, on_target=member is not None, inactive=is_inactive(list_id, attributes))


def beside(row: Row, attributes: Mapping[str, Any], *, on_target: bool = True, inactive: bool = False) -> Seen:
    """The attributes of a profile beside its row."""
    sent = orjson.loads(row.values)
    found = {name: value for name in sent for value in _value(attributes, name)}
    return seen_as(sent, found, on_target=on_target, inactive=inactive)


def inactive(list_id: str, profiles: Iterable[dict[str, Any]]) -> set[str]:
    """Addresses, in small letters, of those who get nothing that is sent to the list."""
    named = ((responses.profile(each).folded, each.get("attributes")) for each in profiles)
    return {address for address, attributes in named if is_inactive(list_id, attributes or {})}


def is_inactive(list_id: str, attributes: Mapping[str, Any]) -> bool:
    """Whether the person gets nothing that is sent to the list."""
    marketing: Any = attributes
    for name in ("subscriptions", "email", "marketing"):
        marketing = marketing.get(name) if isinstance(marketing, dict) else None
    if not isinstance(marketing, dict):
        return False
    named = marketing.get("list_suppressions") or ()
    from_list = any(isinstance(each, dict) and each.get("list_id") == list_id for each in named)
    return from_list or bool(marketing.get("suppression")) or marketing.get("consent") == "UNSUBSCRIBED"


def _value(attributes: Mapping[str, Any], name: str) -> list[Any]:
    """The value of a field, if Klaviyo shows it."""
    part: Any = attributes
    key = name
    if name.startswith(LOCATION):
        part, key = attributes.get("location"), name.removeprefix(LOCATION)
    elif name not in STANDARD:
        part = attributes.get("properties")
    return [part[key]] if isinstance(part, dict) and key in part else []
