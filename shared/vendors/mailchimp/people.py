"""A row in Mailchimp's form: its address, its place in the audience, its merge fields. Pure. Contract, section 7."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from shared.mailbox import normalised
from shared.vendors.contract import Row, TargetFound
from shared.vendors.mailchimp.definition import ADDRESS, LONGEST_TEXT, NEEDED_PARTS

TEXT, NUMBER, DATE, BIRTHDAY, PLACE = "text", "number", "date", "birthday", "address"
"""Types of merge fields whose values have a form of their own; all others are texts."""

_DAY = re.compile(r"\d{4}-(\d\d)-(\d\d)")


class Slot(NamedTuple):
    """The merge field that a field of the data matching fills."""

    tag: str
    type: str


class _Digits(str):
    """A number of the plan, digit by digit as it is."""


@dataclass(frozen=True, slots=True)
class MergeValues:
    """What is said of one person: merge fields as they are sent, and as they are sent by name of the data matching.
    `left_out` are fields whose values Mailchimp would not take."""

    fields: Mapping[str, Any]
    sent: Mapping[str, str]
    left_out: tuple[str, ...] = ()


def address_of(row: Row) -> str:
    return normalised(row.address)


def place_of(address: str) -> str:
    """The person's id in every audience: a hash of the address in small letters."""
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def slots_of(target: TargetFound) -> Mapping[str, Slot]:
    """Name in the data matching -> merge field, as `prepare` found them."""
    return {name: Slot(*each) for name, each in orjson.loads(target.details.get("fields", "{}")).items()}


def pack(slots: Mapping[str, Slot]) -> str:
    """As it is kept with the delivery."""
    return orjson.dumps({name: list(slot) for name, slot in slots.items()}).decode()


def written(row: Row, slots: Mapping[str, Slot], without: Collection[str] = ()) -> MergeValues:
    """The row's merge fields; `without` are tags whose values Mailchimp did not take."""
    fields: dict[str, Any] = {}
    sent: dict[str, str] = {}
    parts: dict[str, str] = {}
    left_out: list[str] = []
    for name, value in _told(row.values):
        slot = slots.get(name, Slot(name, TEXT))
        if slot.tag in without:
            left_out.append(name)
        elif slot.type == PLACE:
            parts[name] = "" if value is None else str(value)
        else:
            is_number = slot.type == NUMBER and isinstance(value, _Digits)
            sent[name] = str(value) if is_number else _value(value, slot.type)
            fields[slot.tag] = orjson.Fragment(str(value)) if is_number else sent[name]
    address = {name.partition(".")[2]: text for name, text in parts.items() if text}
    if address and all(address.get(part) for part in NEEDED_PARTS):
        fields[ADDRESS] = address
        sent |= {name: text for name, text in parts.items() if text}
    else:
        left_out += [name for name, text in parts.items() if text]
    return MergeValues(fields, sent, tuple(left_out))


def _told(values: str) -> Iterator[tuple[str, Any]]:
    found: dict[str, Any] = json.loads(values, parse_int=_Digits, parse_float=_Digits)
    yield from found.items()


def _value(value: Any, kind: str) -> str:
    """An empty text clears a field, whatever its type; no null is ever sent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if kind == DATE:
        return text[:10]
    if kind == BIRTHDAY:
        return f"{day[1]}/{day[2]}" if (day := _DAY.match(text)) else text
    return text.encode()[:LONGEST_TEXT].decode(errors="ignore")
