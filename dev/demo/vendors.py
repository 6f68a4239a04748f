"""What the demo needs to know of each vendor: how to connect, what to match, and how to look at its simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import requests

from dev.demo.people import Person


@dataclass(frozen=True, slots=True)
class DemoVendor:
    """`secrets` are credential -> value; `matching` is vendor field -> snapshot column; `expected` gives the fields
    that a person should have at the vendor, `members` those that the simulator's list has, by address."""

    name: str
    label: str
    hosts: tuple[str, ...]
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    matching: Mapping[str, str]
    expected: Callable[[Person], dict[str, Any]]
    members: Callable[[str, str], dict[str, dict[str, Any]]]


def requests_summary(simulator: str) -> dict[str, Any]:
    """The simulator's own count of what it was asked."""
    summary: dict[str, Any] = requests.get(f"{simulator}/_simulator/requests", timeout=30).json()
    return summary


def _iterable_members(simulator: str, name: str) -> dict[str, dict[str, Any]]:
    state = requests.get(f"{simulator}/_simulator/state", timeout=30).json()
    [list_id] = [each["id"] for each in state["lists"] if each["name"] == name]
    lines = requests.get(f"{simulator}/_simulator/lists/{list_id}/members", timeout=60).content.splitlines()
    return {row["address"]: row["dataFields"] for row in map(orjson.loads, lines)}


_ITERABLE_MATCHING = {
    "firstName": "FirstName",
    "lastName": "LastName",
    "city": "City",
    "postalCode": "PostalCode",
    "country": "Country",
    "loyaltyTier": "LoyaltyTier",
    "dateOfBirth": "DateOfBirth",
}


def _iterable_expected(person: Person) -> dict[str, Any]:
    values = {
        "firstName": person.first_name,
        "lastName": person.last_name,
        "city": person.city,
        "postalCode": person.postal_code,
        "country": person.country,
        "loyaltyTier": person.loyalty_tier,
        "dateOfBirth": person.date_of_birth,
    }
    return {field: value.strip() for field, value in values.items() if value.strip()}


ITERABLE = DemoVendor(
    name="iterable",
    label="Iterable",
    hosts=("api.iterable.com",),
    settings={"data_center": "us", "subscribe_rate": 10},
    secrets={"api_key": "iterable-standard-key"},
    matching=_ITERABLE_MATCHING,
    expected=_iterable_expected,
    members=_iterable_members,
)

VENDORS = {each.name: each for each in (ITERABLE,)}
