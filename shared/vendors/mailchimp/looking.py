"""Answers about a tag's size and about one person; nothing here talks to anyone. Contract, sections 6 and 7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.vendors.comparing import seen_as
from shared.vendors.contract import Count, Row, Seen
from shared.vendors.mailchimp import people
from shared.vendors.mailchimp.definition import ADDRESS
from shared.vendors.mailchimp.people import Slot
from shared.vendors.mailchimp.responses import Member

_INACTIVE = frozenset({"unsubscribed", "cleaned", "archived"})


def count(active: int, everybody: int) -> Count:
    """Of people with the tag: those who get something, and all of them."""
    return Count(active, max(everybody - active, 0))


def seen(tag_id: str, row: Row, slots: Mapping[str, Slot], member: Member | None) -> Seen:
    if member is None:
        return Seen(on_target=False)
    sent = people.written(row, slots).sent
    shown = {name: value for name in sent for value in _value(name, slots, member.fields)}
    return seen_as(sent, shown, on_target=tag_id in member.tags, inactive=member.status in _INACTIVE)


def _value(name: str, slots: Mapping[str, Slot], fields: Mapping[str, Any]) -> list[Any]:
    """The value of a field, if Mailchimp shows it."""
    slot = slots.get(name)
    if slot is None or slot.tag not in fields:
        return []
    found = fields[slot.tag]
    if slot.type != people.PLACE:
        return [found]
    part = name.removeprefix(f"{ADDRESS}.")
    return [found.get(part, "") if isinstance(found, dict) else ""]
